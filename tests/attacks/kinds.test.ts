/**
 * Each byte of the pages by which the embedded log finds the events of some types, flipped: who reads those alone passes over none of
 * them. A publication or a redaction that a read model has not met is nothing that anybody would miss.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAppender } from '../../src/adapters/eventstore/sqlite/appender.ts'
import type { AppendMessage } from '../../src/adapters/eventstore/sqlite/protocol.ts'
import { openReader, type Reader } from '../../src/adapters/eventstore/sqlite/reader.ts'
import type { LogFilter, LoggedEvent } from '../../src/ports/event-store.ts'
import { bytesOf, openLogFile, orDamage, shown, writeFlipped } from '../support/flipped.ts'

const STREAMS = ['entry-1', 'account-1', 'entry-2', 'import-1']
const TYPES = ['Drafted', 'Published', 'Redacted']

const append = (stream: string, revision: number): AppendMessage => ({
  kind: 'append',
  at: 1_800_000_000_000,
  streams: [stream],
  expected: [revision - 1],
  counts: [1],
  texts: [`${stream}/${revision}`, TYPES[revision % TYPES.length] ?? '', `{"text":"${revision}"}`, '{}'],
  times: [],
})

const filled = (t: Test) => {
  const path = join(t.testdir(), 'events.db')
  const db = openLogFile(path)
  const appender = openAppender(db)
  for (let revision = 0; revision < 4; revision += 1)
    for (const stream of STREAMS) appender.commit([append(stream, revision)])
  db.close()
  return { path, sound: readFileSync(path) }
}

const filters: readonly (LogFilter | undefined)[] = [
  undefined,
  { types: ['Published'] },
  { types: ['Redacted'] },
  { categories: ['entry'] },
  { categories: ['account'], types: ['Drafted', 'Redacted'] },
  { categories: ['absent'] },
]

type Reading = { readonly filter: LogFilter | undefined; readonly after: number }
const read = (reader: Reader, { filter, after }: Reading): readonly LoggedEvent[] => {
  const cursor = reader.cursor(filter)
  const events: LoggedEvent[] = []
  for (let position = after; ; ) {
    const page = cursor.next(position, Math.max(position, reader.head()))
    events.push(...page.events)
    if (page.caughtUp) return events
    position = page.position
  }
}

/** Whether it is as it was, or is said not to be: by an event that is told as damaged, or by an error. */
const judged = (
  found: readonly LoggedEvent[] | 'told',
  expected: readonly LoggedEvent[],
): 'told' | 'right' | 'wrong' => {
  if (found === 'told' || found.some(event => event.damaged)) return 'told'
  return shown(found) === shown(expected) ? 'right' : 'wrong'
}

for (const [tree, bits] of [
  ['events_kind', [0, 3, 6]],
  ['events', [5]],
  ['kinds', [0, 6]],
  ['sqlite_autoindex_kinds_1', [0, 6]],
] as const)
  t.test(`${tree}: each of its bytes flipped`, async t => {
    const { path, sound } = filled(t)
    const copy = `${path}.copy`
    const readings = filters.flatMap(filter => [0, 5].map(after => ({ filter, after })))
    const original = openLogFile(path)
    const whole = openReader(original)
    const expected = readings.map(reading => read(whole, reading))
    original.close()
    const tallies = { told: 0, right: 0, wrong: 0 }
    for (const at of bytesOf(path, tree))
      for (const bit of bits) {
        writeFlipped(copy, sound, { at, bit })
        const db = openLogFile(copy)
        const reader = openReader(db)
        for (const [nth, reading] of readings.entries()) {
          const judgement = judged(
            orDamage(() => read(reader, reading)),
            expected[nth] ?? [],
          )
          tallies[judgement] += 1
          if (judgement === 'wrong') t.fail(`bit ${bit} of byte ${at}: ${JSON.stringify(reading)}`)
        }
        db.close()
      }
    t.ok(tallies.right > 0, JSON.stringify(tallies))
    // Of the kinds themselves the table or the index is right, and which of them it is.
    if (tree.startsWith('events')) t.ok(tallies.told > 0, JSON.stringify(tallies))
  })

t.test('what is written under a kind that was damaged is refused, or read as what it is', async t => {
  const { path, sound } = filled(t)
  const copy = `${path}.copy`
  const tallies = { refused: 0, right: 0 }
  for (const tree of ['kinds', 'sqlite_autoindex_kinds_1'])
    for (const at of bytesOf(path, tree))
      for (const bit of [0, 1, 6]) {
        writeFlipped(copy, sound, { at, bit })
        const db = openLogFile(copy)
        const written = orDamage(() => openAppender(db).commit([append('entry-3', 0), append('entry-1', 4)]))
        if (written === 'told') tallies.refused += 1
        else {
          const event = orDamage(() => openReader(db).at(STREAMS.length * 4 + 1))
          const isRight = event !== 'told' && event?.type === 'Drafted' && !event.damaged
          if (isRight) tallies.right += 1
          else
            t.fail(
              `bit ${bit} of byte ${at} of ${tree}: ${event === 'told' ? event : shown(event ? [event] : [])} after ${written.join(' ')}`,
            )
        }
        db.close()
      }
  t.ok(tallies.right > 0, JSON.stringify(tallies))
})

t.test('an entry that is lost in a log of many blocks', async t => {
  const path = join(t.testdir(), 'events.db')
  const db = openLogFile(path)
  const appender = openAppender(db)
  const [first, rare, last] = [9_000, 5_000, 13_000]
  for (let revision = 0; revision < last; revision += 500)
    appender.commit([
      {
        ...append('entry-1', revision),
        counts: [500],
        texts: Array.from({ length: 500 }, (_, nth) => revision + nth + 1).flatMap(position => [
          String(position),
          position === rare || position === first ? 'Redacted' : 'Drafted',
          '{}',
          '{}',
        ]),
      },
    ])
  db.close()
  const sound = readFileSync(path)
  // A record of the index: its head of three bytes, the kind, the position in two bytes.
  const entry = sound.indexOf(Buffer.from([3, 1, 2, 2, rare >> 8, rare & 0xff]))
  t.ok(entry > 0)
  const copy = `${path}.copy`
  const positions = (reader: Reader): readonly string[] =>
    read(reader, { filter: { types: ['Redacted'] }, after: 0 }).map(({ position }) => String(position))
  for (const [at, bit] of [
    [3, 2],
    [4, 1],
    [5, 0],
  ] as const) {
    writeFlipped(copy, sound, { at: entry + at, bit })
    const hurt = openLogFile(copy)
    const reader = openReader(hurt)
    t.same(positions(reader), ['5000', '9000'], `bit ${bit} of byte ${at} of the entry`)
    t.same(positions(reader), ['5000', '9000'], 'when it is known which kinds the blocks have, too')
    hurt.close()
  }
})
