/**
 * Finds a stream's number by its name, and believes no single page of the file for it: a name that the table of streams does not
 * know is looked for among the first events too, and a number that it gives has to lead to events of that name.
 */
import { EventStoreError } from '../../../ports/event-store.ts'
import type { Sqlite } from '../../sqlite/database.ts'

/** What a damaged row may hold is no number of a stream, and none that is too large to come as one. */
const NUMBER = "iif(typeof(id) = 'integer' AND id BETWEEN 1 AND 9007199254740991, id, -1)"
const LARGEST = Number.MAX_SAFE_INTEGER

/** `damaged`: what the table of streams says and what the events say is not the same. */
export type FoundStream = { readonly id: number; readonly revision: number } | 'damaged' | undefined

export type StreamFinder = {
  /** The stream's number, unproven: whoever reads its events sees their name. */
  idOf(name: string): number | 'damaged' | undefined
  /** Does the number lead to events of this name? The last one is asked. */
  leadsTo(id: number, name: string): boolean
  /** The stream's number and the revision of its last event. */
  find(name: string): FoundStream
}

export const openStreamFinder = (db: Sqlite): StreamFinder => {
  const findId = db.prepare<[number]>(`SELECT ${NUMBER} FROM streams WHERE name = ?`)
  const findFirst = db.prepare<[number]>(
    'SELECT 1 FROM events INDEXED BY events_first WHERE name = ? AND revision = 0 LIMIT 1',
  )
  const findLast = db.prepare<[number, string]>(
    `SELECT min(revision, ${LARGEST}), name FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1`,
  )
  const idOf = (name: string): number | 'damaged' | undefined => {
    const id = findId.get(name)?.[0]
    if (id !== undefined) return id
    if (findFirst.get(name) === undefined) return undefined
    // Another process may have written it between the two looks.
    return findId.get(name)?.[0] ?? 'damaged'
  }
  return {
    idOf,
    leadsTo: (id, name) => findLast.get(id)?.[1] === name,
    find: name => {
      const id = idOf(name)
      if (typeof id !== 'number') return id
      const last = findLast.get(id)
      return last?.[1] === name ? { id, revision: last[0] } : 'damaged'
    },
  }
}

/** What is said of a stream that cannot be found as it should. */
export const damagedStream = (path: string, stream: string, what: string): EventStoreError =>
  new EventStoreError('damaged', `${path}: ${what} of ${stream} is damaged: lexichron repair builds it again`)
