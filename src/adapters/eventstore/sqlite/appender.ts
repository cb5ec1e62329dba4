/**
 * Appends batches to the file: one transaction a batch. Whether an append fits is decided before anything is written,
 * from revisions held in memory, so that one conflict fails alone without a savepoint for each.
 */
import { categoryOf } from '../../../domain/ids.ts'
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { type AppendMessage, CONFLICT, DAMAGED, REPEATED, WRITTEN } from './protocol.ts'
import { checksumOf, type Kind, kindChecksum, markOf } from './row.ts'
import { openStreamFinder } from './streams.ts'

/** The transaction's COMMIT failed while writing to the disk: the batch may yet survive a crash. */
export class CommitError extends Error {
  override readonly name = 'CommitError'
}

type Stream = { readonly id: number; revision: number }

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

export type Appender = {
  /**
   * Commits the messages' appends as one transaction and returns `ANSWER_WIDTH` numbers for each, in order.
   * @throws {SqliteError} when nothing was written, {CommitError} when that cannot be known.
   */
  commit(messages: readonly AppendMessage[]): number[]
}

export const openAppender = (db: Sqlite): Appender => {
  const dataVersion = db.prepare<[number]>('PRAGMA data_version')
  const lastPosition = db.prepare<[number]>("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
  const lastStream = db.prepare<[number | null]>('SELECT max(stream) FROM events')
  const allKinds = db.prepare<[number, string, string]>('SELECT id, category, type FROM kinds')
  const insertKind = db.prepare('INSERT INTO kinds (id, category, type, checksum) VALUES (?, ?, ?, ?)')
  const finder = openStreamFinder(db)
  const insertStream = db.prepare('INSERT INTO streams (name, id) VALUES (?, ?)')
  const readIds = db.prepare<[string, number]>(
    'SELECT id, position FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?',
  )
  const insertEvent =
    db.prepare(`INSERT INTO events (position, stream, revision, kind, recorded, checksum, id, name, data, meta)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)

  // What is known of the file, true as long as `data_version` says that nobody else has written to it.
  let seen: number | undefined
  let position = 0
  let streamCount = 0
  const streams = forgetfulMap<Stream>(REMEMBERED_STREAMS)
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
    for (const [id, category, type] of allKinds.iterate()) rememberKind(id, category, type)
    position = lastPosition.get()?.[0] ?? 0
    streamCount = lastStream.get()?.[0] ?? 0
    seen = version
  }

  const kindOf = (category: string, type: string): Pick<Kind, 'id' | 'mark'> => {
    const known = kinds.get(category)?.get(type)
    if (known !== undefined) return known
    const kind = rememberKind(kindCount + 1, category, type)
    insertKind.run(kind.id, category, type, kindChecksum(kind.id, kind.mark))
    return kind
  }

  const streamOf = (name: string): Stream | 'damaged' | undefined => {
    const known = streams.get(name)
    if (known) return known
    const found = finder.find(name)
    if (found === undefined || found === 'damaged') return found
    const stream = { id: found.id, revision: found.revision }
    streams.set(name, stream)
    return stream
  }

  const newStream = (name: string): Stream => {
    streamCount += 1
    insertStream.run(name, streamCount)
    const stream = { id: streamCount, revision: -1 }
    streams.set(name, stream)
    return stream
  }

  const appendAll = (message: AppendMessage, answers: number[]): void => {
    const { texts } = message
    let first = 0
    for (let index = 0; index < message.streams.length; index += 1) {
      const name = at(message.streams, index)
      const expected = at(message.expected, index)
      const end = first + at(message.counts, index) * 4
      const known = streamOf(name)
      if (known === 'damaged') {
        answers.push(DAMAGED, -1, 0)
        first = end
        continue
      }
      const current = known?.revision ?? -1
      if (expected === current) {
        const stream = known ?? newStream(name)
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
          insertEvent.run(position, stream.id, stream.revision, kind.id, recorded, sum, id, name, data, meta)
        }
        answers.push(WRITTEN, stream.revision, position)
      } else {
        const count = (end - first) / 4
        const there = known && expected < current ? readIds.all(known.id, expected, count) : []
        const last = there.at(-1)
        if (last && there.length === count && there.every(([id], nth) => id === texts[first + nth * 4]))
          answers.push(REPEATED, expected + count, last[1])
        else answers.push(CONFLICT, current, 0)
      }
      first = end
    }
  }

  const undo = (): void => {
    // Revisions and positions in memory are those of a transaction that is gone.
    seen = undefined
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
