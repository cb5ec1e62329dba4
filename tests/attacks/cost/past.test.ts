/** What the past of an entry costs whoever asks for it, and a node that starts: the same however often it was edited. */
import t from 'tap'
import { revert } from '../../../src/domain/entry/decisions.ts'
import { entryAggregate } from '../../../src/domain/entry/state.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { AUTHOR, type LongEntry, openLongEntry } from '../../support/long-entry.ts'

const CHARACTERS = 100_000
const SIZES = [40, 160] as const
/** What is kept of a revision beside its text, in bytes. */
const KEPT = 200

const author = { permissions: new Set(['entries:read'] as const), actor: { kind: 'account', id: AUTHOR } }

const answered = async <T extends object>(answer: Promise<T>): Promise<T> => {
  const found = await answer
  if (isRefusal(found)) throw new Error(found.detail)
  return found
}

/** What each look at the past reads, on a node that knows the entry. */
const costs = async (entry: LongEntry, size: number) => {
  const { id, node, during, run, timeOf } = entry
  const middle = Math.floor(size / 2)
  const repeated = entry.envelope()
  await run(() => [entry.edit(0)], node, repeated)
  await run(() => [entry.edit(1)])
  return {
    'a page of one': await during(() => answered(node.history.run({ id, limit: 1 }, author))),
    'a page of ten': await during(() => answered(node.history.run({ id, limit: 10 }, author))),
    'a page further on': await during(() =>
      answered(node.history.run({ id, limit: 10, after: { generation: 'log', key: String(middle) } }, author)),
    ),
    'as it was': await during(() => answered(node.entry.run({ id, asOf: { time: timeOf(middle) } }, author))),
    'a revert': await during(() => run(revert(BigInt(middle), undefined))),
    'a command again': await during(() => run(() => [entry.edit(0)], node, repeated)),
  }
}

t.test('what is read of the past is the same for an entry of forty revisions and of four times as many', async t => {
  const found = []
  for (const size of SIZES) found.push(await costs(await openLongEntry(size, CHARACTERS), size))
  const [few, many] = found
  for (const [look, cost] of Object.entries(few ?? {})) {
    const other = Object.entries(many ?? {}).find(([name]) => name === look)?.[1]
    t.equal(other?.events, cost.events, `${look}: ${cost.events} events`)
    t.ok(Math.abs((other?.characters ?? 0) - cost.characters) < 100, `${look}: ${cost.characters} characters`)
  }
  t.equal(many?.['a page of one'].events, 2, 'a revision, and what it is compared with')
  t.equal(many?.['as it was'].events, 2, 'the draft, and what set the only member that was ever set')
})

t.test('what is held of an entry does not hold what it was', async t => {
  const held = []
  for (const size of SIZES) {
    const { node, stream } = await openLongEntry(size, CHARACTERS)
    held.push(entryAggregate.weigh?.((await node.streams.load(stream)).state) ?? 0)
  }
  const [few = 0, many = 0] = held
  t.ok(few > CHARACTERS && few < 3 * CHARACTERS, `the text as it is: ${few}`)
  t.ok(many - few < (SIZES[1] - SIZES[0]) * KEPT, `of each revision ${(many - few) / (SIZES[1] - SIZES[0])} bytes`)
})

/** Snapshots come each 32 edits of this size: both entries have 5 after the last one. */
const LARGE = 250_000
const EACH = 32
const AFTER = 5

t.test('a node that starts reads as much of an entry as of one with four times as many revisions', async t => {
  const found = []
  for (const times of [1, 4]) {
    const entry = await openLongEntry(times * EACH + AFTER, LARGE)
    const { id, start, run, during, edit } = entry
    const [first, second, third] = [start(), start(), start()]
    found.push({
      'a change': await during(() => run(() => [edit(0)], first)),
      'a page of one': await during(() => answered(second.history.run({ id, limit: 1 }, author))),
      'as it was': await during(() =>
        answered(third.entry.run({ id, asOf: { time: entry.timeOf(EACH / 2) } }, author)),
      ),
    })
  }
  const [few, many] = found
  for (const [look, { events, characters }] of Object.entries(few ?? {})) {
    const other = Object.entries(many ?? {}).find(([name]) => name === look)?.[1]
    t.equal(other?.events, events, `${look}: ${events} events`)
    t.ok(Math.abs((other?.characters ?? 0) - characters) < 100, `${look}: ${characters} characters`)
    t.ok(events < 20, 'the first few, what the snapshot rests on, and what came after it')
  }
})
