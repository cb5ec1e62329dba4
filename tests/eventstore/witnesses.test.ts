/**
 * Each byte of the pages by which the embedded log finds its streams, flipped: what is read is what was written or is said to be damaged,
 * nothing is appended at a revision that is taken, and it can be made again.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAppender } from '../../src/adapters/eventstore/sqlite/appender.ts'
import { lookAtLookups } from '../../src/adapters/eventstore/sqlite/lookups.ts'
import { rebuildLookups } from '../../src/adapters/eventstore/sqlite/lookups-repair.ts'
import {
  type AppendMessage,
  CONFLICT,
  DAMAGED,
  REPEATED,
  WRITTEN,
} from '../../src/adapters/eventstore/sqlite/protocol.ts'
import { openReader } from '../../src/adapters/eventstore/sqlite/reader.ts'
import { openStreamPages } from '../../src/adapters/eventstore/sqlite/stream-pages.ts'
import type { Sqlite } from '../../src/adapters/sqlite/database.ts'
import type { LoggedEvent } from '../../src/ports/event-store.ts'
import { bytesOf, openLogFile, orDamage, shown, writeFlipped } from '../support/flipped.ts'

const signal = new AbortController().signal
const turn = (): Promise<void> => Promise.resolve()
/** Of each stream how many events it has; they are written in turn, so that the order of the log is none of the streams. */
const LENGTHS: ReadonlyMap<string, number> = new Map([
  ['a-1', 3],
  ['b-1', 2],
  ['c-1', 4],
  ['d-1', 1],
])
const ABSENT = 'e-1'

const message = (stream: string, expected: number, ids: readonly string[]): AppendMessage => ({
  kind: 'append',
  at: 1_800_000_000_000,
  streams: [stream],
  expected: [expected],
  counts: [ids.length],
  texts: ids.flatMap(id => [id, 'Noted', '{"text":"x"}', '{}']),
  times: [],
})
const idOf = (stream: string, revision: number): string => `${stream}/${revision}`

const readAll = (db: Sqlite, stream: string, from = 0, direction: 'forwards' | 'backwards' = 'forwards') => {
  const pages = openStreamPages(openReader(db), 'events.db', { stream, from, direction, limit: 1_000 })
  const events: LoggedEvent[] = []
  while (pages.more()) events.push(...pages.next())
  return events
}

type Read = (db: Sqlite) => readonly LoggedEvent[]
const reads: ReadonlyMap<string, Read> = new Map(
  [...LENGTHS.keys(), ABSENT].flatMap((stream): readonly [string, Read][] => [
    [`${stream} from its beginning`, db => readAll(db, stream)],
    [`${stream} from its end`, db => readAll(db, stream, 1_000, 'backwards')],
    [`${stream} from revision 1`, db => readAll(db, stream, 1)],
    [`${stream} beyond its end`, db => readAll(db, stream, LENGTHS.get(stream) ?? 0)],
  ]),
)

const filled = (t: Test) => {
  const path = join(t.testdir(), 'events.db')
  const db = openLogFile(path)
  const appender = openAppender(db)
  for (let revision = 0; revision < 4; revision += 1)
    for (const [stream, length] of LENGTHS)
      if (revision < length) appender.commit([message(stream, revision - 1, [idOf(stream, revision)])])
  const expected = new Map([...reads].map(([what, read]) => [what, read(db)]))
  db.close()
  return { path, expected, sound: readFileSync(path) }
}

const twice = (db: Sqlite): number =>
  db.prepare('SELECT name, revision FROM events NOT INDEXED GROUP BY name, revision HAVING count(*) > 1').all().length

/** Appends of all kinds, each in a transaction of its own, and what they are to be answered where nothing is damaged. */
const appends: readonly (readonly [message: AppendMessage, answer: readonly number[]])[] = [...LENGTHS].flatMap(
  ([stream, length], nth) => [
    [message(stream, -1, [`${stream}/other`]), [CONFLICT, length - 1]],
    [message(stream, length - 2, [idOf(stream, length - 1)]), [REPEATED, length - 1]],
    [message(stream, length - 1, [idOf(stream, length)]), [WRITTEN, length]],
    [message(`f-${nth}`, -1, [`f-${nth}/0`]), [WRITTEN, 0]],
  ],
)

for (const [tree, bits] of [
  ['events_stream', [0, 3]],
  ['names', [0]],
  ['names_again', [7]],
  ['streams', [0]],
] as const)
  t.test(`${tree}: each of its bytes flipped`, async t => {
    const { path, expected, sound } = filled(t)
    const copy = `${path}.copy`
    const tallies = { told: 0, mended: 0, flips: 0 }
    const flipped = (at: number, bit: number): Sqlite => {
      writeFlipped(copy, sound, { at, bit })
      return openLogFile(copy)
    }
    for (const at of bytesOf(path, tree))
      for (const bit of bits) {
        const what = `bit ${bit} of byte ${at}`
        tallies.flips += 1
        const db = flipped(at, bit)
        let told = 0
        for (const [name, read] of reads) {
          const found = orDamage(() => read(db))
          if (found === 'told' || found.some(event => event.damaged)) told += 1
          else if (shown(found) !== shown(expected.get(name))) t.fail(`${what}: ${name} is told wrong`)
        }
        tallies.told += told
        const { different } = await lookAtLookups(db, openReader(db), { turn, signal })
        if (told > 0 && different === 0) t.fail(`${what}: nothing is found to differ`)
        const repaired = orDamage(() => rebuildLookups(db, openReader(db)))
        if (repaired !== 'told') {
          tallies.mended += 1
          for (const [name, read] of reads)
            if (shown(read(db)) !== shown(expected.get(name))) t.fail(`${what}: ${name} is not repaired`)
          const after = await lookAtLookups(db, openReader(db), { turn, signal })
          if (after.different > 0) t.fail(`${what}: ${after.differences.join('; ')}`)
        }
        db.close()
        const writing = flipped(at, bit)
        const appender = openAppender(writing)
        for (const [append, [outcome, revision]] of appends) {
          const answered = orDamage(() => appender.commit([append]))
          if (answered === 'told' || answered[0] === DAMAGED) continue
          if (answered[0] !== outcome || answered[1] !== revision)
            t.fail(`${what}: ${append.streams[0]} is answered ${answered.join()}`)
        }
        if (twice(writing) > 0) t.fail(`${what}: two events have one revision`)
        writing.close()
      }
    t.ok(tallies.told > 0 && tallies.mended > tallies.flips / 2, JSON.stringify(tallies))
  })
