/**
 * Appends batches to the file: one transaction a batch. Whether an append fits is decided before anything is written,
 * from revisions held in memory, so that one conflict fails alone without a savepoint for each.
 */

import { categoryOf } from '../../../domain/ids.ts'
import { OwnError } from '../../../domain/own-error.ts'
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { openHead } from './head.ts'
import { openKinds } from './kinds.ts'
import { type AppendMessage, CONFLICT, DAMAGED, REPEATED, WRITTEN } from './protocol.ts'
import { openReader } from './reader.ts'
import { checksumOf, type Kind, kindChecksum, markOf } from './row.ts'
import { whole } from './streams.ts'

/** The transaction's COMMIT failed while writing to the disk: the batch may yet survive a crash. */
export class CommitError extends OwnError {
  override readonly name = 'CommitError'
}

/** What `number` is set to at its first event. */
type Stream = { readonly hash: number; number: number | undefined; revision: number }

/** Streams whose revision is held in memory; at most twice as many. */
const REMEMBERED_STREAMS = 32_768

/** A map that forgets what was not used for a while: two generations, the older one dropped when the younger is full. */
const forgetfulMap = <V>(size: number) => {
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  const set = (key: string, value: V): void => {
    if (young.size >= size) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    get: (key: string): V | undefined => {
      const value = young.get(key)
      if (value !== undefined) return value
      const older = old.get(key)
      if (older !== undefined) set(key, older)
      return older
    },
    set,
    clear: (): void => {
      young = new Map()
      old = new Map()
    },
  }
}

const at = <T>(list: readonly T[], index: number): T => {
  const value = list[index]
  if (value === undefined) throw new TypeError('an append message is shorter than it says')
  return value
}

/** Rows of one statement. */
const ROWS = 32

/** Inserts pairs of numbers, many by one statement. */
const insertMany = (db: Sqlite, into: string): ((numbers: readonly number[]) => void) => {
  const one = db.prepare(`${into} VALUES (?, ?)`)
  const many = db.prepare(`${into} VALUES ${Array.from({ length: ROWS }, () => '(?, ?)').join(', ')}`)
  return numbers => {
    let first = 0
    for (; first + ROWS * 2 <= numbers.length; first += ROWS * 2) many.run(...numbers.slice(first, first + ROWS * 2))
    for (; first < numbers.length; first += 2) one.run(...numbers.slice(first, first + 2))
  }
}

export type Appender = {
  /**
   * Commits the messages' appends as one transaction and returns `ANSWER_WIDTH` numbers for each, in order.
   * @throws {SqliteError} when nothing was written, {CommitError} when that cannot be known.
   */
  commit(messages: readonly AppendMessage[]): number[]
}

export const openAppender = (db: Sqlite): Appender => {
  const dataVersion = db.prepare<[number]>('PRAGMA data_version')
  const head = openHead(db)
  const allKinds = openKinds(db)
  const insertKind = db.prepare('INSERT INTO kinds (id, category, type, checksum) VALUES (?, ?, ?, ?)')
  const { find, at: eventAt } = openReader(db)
  const readIds = db.prepare<[string, number]>(
    'SELECT id, position FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?',
  )
  // Either of the two may be damaged, and not both: no number is given twice.
  const highest = db.prepare<[number]>(
    `SELECT max(coalesce((SELECT ${whole('stream')} FROM events INDEXED BY events_stream ORDER BY stream DESC LIMIT 1), 0),
       coalesce((SELECT ${whole('number')} FROM streams ORDER BY number DESC LIMIT 1), 0))`,
  )
  const nameStreams = insertMany(db, 'INSERT INTO names (hash, number)')
  // Makes the row or takes the place of the one that is there, whose old value nobody needs.
  const setEnds = insertMany(db, 'REPLACE INTO streams (number, revision)')
  const insertEvent =
    db.prepare(`INSERT INTO events (position, stream, revision, kind, recorded, checksum, id, name, data, meta)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)

  // What is known of the file, true as long as `data_version` says that nobody else has written to it.
  let seen: number | undefined
  let position = 0
  const streams = forgetfulMap<Stream>(REMEMBERED_STREAMS)
  let streamCount = 0
  /** Of this transaction: the hash and the number of each new name, and the streams that have got events. */
  let named: (readonly [hash: number, number: number])[] = []
  const grown = new Set<Stream>()
  const kinds = new Map<string, Map<string, Pick<Kind, 'id' | 'mark'>>>()
  let kindCount = 0

  const rememberKind = (id: number, category: string, type: string): Pick<Kind, 'id' | 'mark'> => {
    const types = kinds.get(category) ?? new Map<string, Pick<Kind, 'id' | 'mark'>>()
    const kind = { id, mark: markOf(category, type) }
    kinds.set(category, types.set(type, kind))
    kindCount = Math.max(kindCount, id)
    return kind
  }

  const resynchronise = (): void => {
    const version = dataVersion.get()?.[0]
    if (version === seen) return
    streams.clear()
    kinds.clear()
    kindCount = 0
    const { kinds: all, last } = allKinds.read(-1)
    for (const { id, category, type } of all) rememberKind(id, category, type)
    // A number that a damaged row has is taken as well.
    kindCount = Math.max(kindCount, last)
    position = head()
    streamCount = highest.get()?.[0] ?? 0
    seen = version
  }

  const kindOf = (category: string, type: string): Pick<Kind, 'id' | 'mark'> => {
    const known = kinds.get(category)?.get(type)
    if (known !== undefined) return known
    const kind = rememberKind(kindCount + 1, category, type)
    insertKind.run(kind.id, category, type, kindChecksum(kind.id, kind.mark))
    return kind
  }

  const streamOf = (name: string): Stream | 'damaged' => {
    const known = streams.get(name)
    if (known) return known
    const found = find(name)
    if (found === 'damaged' || !found.named) return 'damaged'
    const stream = { hash: found.hash, number: found.number, revision: found.revision }
    streams.set(name, stream)
    return stream
  }

  /** What is answered to an append that does not fit the end of its stream: its events may be there already. */
  const answerOf = (
    { number, revision: current }: Stream,
    { name, expected, ids }: { readonly name: string; readonly expected: number; readonly ids: readonly string[] },
  ): readonly [number, number, number] => {
    const conflict = [CONFLICT, current, 0] as const
    if (number === undefined || expected > current) return conflict
    const there = readIds.all(number, expected, ids.length)
    const damaged = [DAMAGED, -1, 0] as const
    if (there.length < Math.min(ids.length, current - expected)) return damaged
    const other = there.findIndex(([id], nth) => id !== ids[nth])
    if (other >= 0) {
      // It is not the event that was sent: is it the one that stands there?
      const event = eventAt(there[other]?.[1] ?? 0)
      const stands = event?.stream === name && event.revision === BigInt(expected + 1 + other)
      return stands ? conflict : damaged
    }
    const last = there.at(-1)
    return last && there.length === ids.length ? [REPEATED, expected + ids.length, last[1]] : conflict
  }

  const numberOf = (stream: Stream): number => {
    if (stream.number !== undefined) return stream.number
    streamCount += 1
    named.push([stream.hash, streamCount])
    stream.number = streamCount
    return streamCount
  }

  const appendAll = (message: AppendMessage, answers: number[]): void => {
    const { texts } = message
    let first = 0
    for (let index = 0; index < message.streams.length; index += 1) {
      const name = at(message.streams, index)
      const expected = at(message.expected, index)
      const end = first + at(message.counts, index) * 4
      const stream = streamOf(name)
      if (stream === 'damaged') answers.push(DAMAGED, -1, 0)
      else if (expected === stream.revision) {
        const number = numberOf(stream)
        const category = categoryOf(name)
        for (let text = first; text < end; text += 4) {
          const id = at(texts, text)
          const kind = kindOf(category, at(texts, text + 1))
          position += 1
          stream.revision += 1
          const recorded = message.times[text / 4] ?? message.at
          const [data, meta] = [at(texts, text + 2), at(texts, text + 3)]
          const place = { position, revision: stream.revision, recorded }
          const sum = checksumOf(place, kind.mark, { id, name, data, meta })
          insertEvent.run(position, number, stream.revision, kind.id, recorded, sum, id, name, data, meta)
        }
        grown.add(stream)
        answers.push(WRITTEN, stream.revision, position)
      } else {
        const ids = texts.slice(first, end).filter((_, nth) => nth % 4 === 0)
        answers.push(...answerOf(stream, { name, expected, ids }))
      }
      first = end
    }
  }

  /** Once a transaction, since many rows of one statement cost half of as many statements. */
  const writeEnds = (): void => {
    // In the order of the tree, in which neighbours share a page.
    nameStreams(named.sort(([one], [other]) => one - other).flat())
    setEnds([...grown].flatMap(({ number, revision }) => (number === undefined ? [] : [number, revision])))
    named = []
    grown.clear()
  }

  const undo = (): void => {
    // Revisions and positions in memory are those of a transaction that is gone.
    seen = undefined
    named = []
    grown.clear()
    // A full disk has rolled back already.
    if (db.inTransaction) db.exec('ROLLBACK')
  }

  return {
    commit: messages => {
      const answers: number[] = []
      try {
        db.begin()
        resynchronise()
        for (const message of messages) appendAll(message, answers)
        writeEnds()
      } catch (error) {
        undo()
        throw error
      }
      try {
        db.exec('COMMIT')
      } catch (error) {
        undo()
        if (error instanceof SqliteError && error.kind === 'io')
          throw new CommitError(`${error.message}, while committing`, { cause: error })
        throw error
      }
      return answers
    },
  }
}
