/** The trees of the log's file, walked from end to end: where a comparison meets one that cannot be read, it is not known which it was. */
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { LARGE_EVENT_BYTES, LONG_STREAM } from './schema.ts'

/** By a statement for each that reads every entry of this tree, and of no other. */
const TREES: readonly (readonly [name: string, walk: string])[] = [
  ['the table of events', 'SELECT max(checksum), max(octet_length(data) + octet_length(meta)) FROM events NOT INDEXED'],
  ['the index of revisions', 'SELECT sum(stream + revision + position) FROM events INDEXED BY events_stream'],
  ['the index of types', 'SELECT sum(kind + position) FROM events INDEXED BY events_kind'],
  [
    'the index of large events',
    `SELECT sum(+position) FROM events INDEXED BY events_large WHERE octet_length(data) + octet_length(meta) > ${LARGE_EVENT_BYTES}`,
  ],
  [
    'the index of long streams',
    `SELECT sum(+stream) FROM events INDEXED BY events_long WHERE revision = ${LONG_STREAM}`,
  ],
  ['the table of names', 'SELECT sum(hash % 2 + number) FROM names NOT INDEXED'],
  ['the index of names', 'SELECT sum(hash % 2 + number) FROM names INDEXED BY names_again'],
  ['the table of streams', 'SELECT sum(number + revision) FROM streams NOT INDEXED'],
  ['the table of kinds', 'SELECT max(category), max(type), max(checksum) FROM kinds NOT INDEXED'],
  ['the index of kinds', 'SELECT count(category), count(type), sum(id) FROM kinds INDEXED BY sqlite_autoindex_kinds_1'],
]

/** Those that cannot be read from end to end. @throws {SqliteError} other than for that. */
export const brokenTrees = (db: Sqlite): readonly string[] =>
  TREES.filter(([, walk]) => {
    try {
      db.prepare(walk).get()
      return false
    } catch (error) {
      if (error instanceof SqliteError && error.kind === 'corrupt') return true
      throw error
    }
  }).map(([name]) => name)
