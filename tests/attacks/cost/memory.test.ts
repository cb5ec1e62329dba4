/** What a node holds of streams, documents and answers: the same however many and however large they are. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openMemoryCache } from '../../../src/adapters/cache/memory.ts'
import { openLog } from '../../../src/core/log/open.ts'
import { openMemory } from '../../../src/core/memory/memory.ts'
import { openTransactor } from '../../../src/core/write/transact.ts'
import { emptyContent } from '../../../src/domain/entry/content.ts'
import { entryStream } from '../../../src/domain/entry/entry.ts'
import { type EntryEvent, entryEvents } from '../../../src/domain/entry/events.ts'
import { entryAggregate } from '../../../src/domain/entry/state.ts'
import { fakeClock } from '../../support/clocks.ts'
import { openMemoryEventStore } from '../../support/memory-event-store.ts'
import { openMemoryKeys } from '../../support/memory-keys.ts'

const MEGABYTE = 1024 * 1024
const SIZES = [40, 160] as const
const CHARACTERS = 700_000

const held = (memory: ReturnType<typeof openMemory>) =>
  Object.fromEntries(memory.report().map(({ part, bytes, limit }) => [part, { bytes, limit }]))

const drafted = (n: number): EntryEvent => ({
  type: 'EntryDrafted',
  data: {
    language: 'en',
    lemma: `word ${n}`,
    partOfSpeech: 'noun',
    homograph: 1,
    licence: 'CC0-1.0',
    content: { ...emptyContent, etymology: 'x'.repeat(CHARACTERS) },
  },
})

t.test('drafts of 700 KB: what is held of forty is held of four times as many', async t => {
  const found = []
  for (const size of SIZES) {
    const memory = openMemory(32 * MEGABYTE)
    const log = openLog({ store: openMemoryEventStore(), keys: openMemoryKeys(), types: entryEvents })
    const options = { aggregate: entryAggregate, log, clock: fakeClock(), random: () => 0, cachedStreams: 4_000 }
    const entries = openTransactor({ ...options, memory: memory.region('streams') })
    for (let n = 0; n < size; n += 1)
      await entries.run(entryStream(randomUUID()), () => [drafted(n)], {
        commandId: randomUUID(),
        actor: { kind: 'account', id: 'somebody' },
        correlationId: 'many',
        at: new Date(n),
      })
    found.push(held(memory)['streams'])
  }
  const [few, many] = found
  t.ok((few?.bytes ?? 0) > CHARACTERS, `${few?.bytes} of ${few?.limit}`)
  t.ok((few?.bytes ?? 0) <= (few?.limit ?? 0))
  t.ok(Math.abs((many?.bytes ?? 0) - (few?.bytes ?? 0)) < 1_000, `${many?.bytes}`)
})

t.test('answers, claims and counted requests: the same, whatever keys a client makes up', async t => {
  const found = []
  for (const size of SIZES) {
    const memory = openMemory(MEGABYTE)
    const cache = openMemoryCache({ clock: fakeClock(), max: 1_000_000, memory })
    for (let n = 0; n < size * 10; n += 1) {
      const key = `${n} `.padEnd(500, 'k')
      const { marks = '' } = await cache.look(key, [{ scope: 'all', tags: [`tag ${key}`] }])
      await cache.keep(key, marks, { value: 'v'.repeat(5_000), position: 1n }, { freshMs: 1_000, staleMs: 0 })
      await cache.claim(key, 'o'.repeat(100), 1_000)
      await cache.hit(key, 1_000)
    }
    found.push(held(memory))
  }
  const [few, many] = found
  for (const part of ['answers', 'tags', 'claims', 'counts']) {
    const [less, more] = [few?.[part], many?.[part]]
    t.ok(
      (more?.bytes ?? 0) > 0 && (more?.bytes ?? 0) <= (more?.limit ?? 0),
      `${part}: ${more?.bytes} of ${more?.limit}`,
    )
    t.ok(Math.abs((more?.bytes ?? 0) - (less?.bytes ?? 0)) < 15_000, `${part}: ${less?.bytes}`)
  }
})
