/** Where the log ends. */
import type { Sqlite } from '../../sqlite/database.ts'

/**
 * Answers the position of the last event, 0 in an empty log. Two tell of it, the table's own end and SQLite's sequence, and either
 * may be damaged: the larger one counts, so that no event is taken for one that is to come and no position is given twice.
 */
export const openHead = (db: Sqlite): (() => number) => {
  const head = db.prepare<[number]>(
    `SELECT max(coalesce((SELECT max(position) FROM events), 0),
       coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events' AND typeof(seq) = 'integer'), 0))`,
  )
  return () => head.get()?.[0] ?? 0
}
