/** Tombstones in every collection there is, whatever one of them says, and in those that are built afterwards. */
import t from 'tap'
import { openRemoving } from '../../src/core/project/removal.ts'
import { isOutage } from '../../src/ports/outage.ts'
import { ReadStoreError } from '../../src/ports/read-store.ts'
import { memoryLog } from '../support/memory-log.ts'
import { openReadSide, words } from '../support/projections.ts'
import { until } from '../support/until.ts'

const COLLECTIONS = ['words@1#1', 'words@1#2', 'words@2#3', 'others@1#1']

const removing = (failing: ReadonlyMap<string, ReadStoreError>) => {
  const written: string[] = []
  const remove = openRemoving(
    {
      collections: async () => COLLECTIONS,
      apply: async collection => {
        const error = failing.get(collection)
        if (error) throw error
        written.push(collection)
      },
    },
    'log',
    [{ name: 'words', idsOf: ({ stream }) => [stream] }],
  )
  return { remove, written }
}
const away = new ReadStoreError('unavailable', 'table c1 has no column named body')
const events = [memoryLog().write('word-1', 'WordRemoved')]

t.test('one collection that cannot be written holds up none of the others, and no later removal', async t => {
  const { remove, written } = removing(new Map([['words@1#1', away]]))
  const error = await remove(events).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  t.match(error, { message: /still stands in words@1#1: .*no column named body/ })
  t.notOk(isOutage(error), 'it is parked, where an outage is waited out')
  t.same(written, ['words@1#2', 'words@2#3'])
})

t.test('a store that takes nothing is away, and a dropped collection holds nothing', async t => {
  const ours = COLLECTIONS.slice(0, 3)
  const out = removing(new Map(ours.map(name => [name, away])))
  await t.rejects(out.remove(events), away)
  const dropped = removing(new Map([['words@1#2', new ReadStoreError('gone', 'dropped')]]))
  await dropped.remove(events)
  t.same(dropped.written, ['words@1#1', 'words@2#3'])
})

t.test('a build never writes what was removed, and folds all else as it is', async t => {
  const side = await openReadSide({ log: memoryLog({ page: 4 }) })
  t.teardown(() => side.close())
  for (let n = 0; n < 12; n += 1) side.log.write(`word-${n % 6}`, 'WordSet', { word: `secret${n}` })
  for (let n = 0; n < 3; n += 1) side.log.write(`word-${n}`, 'WordRemoved')
  side.log.write('word-2', 'WordSet', { word: 'begun anew' })
  const written: (readonly [string, boolean])[] = []
  const store: typeof side.store = {
    ...side.store,
    apply: (collection, documents, checkpoint) => {
      written.push(...documents.map(each => [each.id, 'removed' in each] as const))
      return side.store.apply(collection, documents, checkpoint)
    },
  }
  side.run(words({ removals: ['WordRemoved'] }), { store })
  await until(
    'it is built',
    async () => (await side.store.checkpoint('words@1#1'))?.position === (await side.log.head()),
  )
  const before = written.slice(0, 3)
  t.same(
    before.toSorted(),
    [
      ['0', true],
      ['1', true],
      ['2', true],
    ],
    'tombstones first, which nothing older goes over',
  )
  const documents = await side.store.scan('words@1#1', '', 10)
  t.same(
    documents.map(({ id, body }) => [id, body['word']]),
    [
      ['2', 'begun anew'],
      ['3', 'secret9'],
      ['4', 'secret10'],
      ['5', 'secret11'],
    ],
  )
})
