/** The write-ahead log of a database: folded into its file. */
import type { Sqlite } from './database.ts'
import { SqliteError } from './errors.ts'

/**
 * Folds the write-ahead log into the file and empties it, if no reader or writer of any process stands in the way: it
 * waits for nobody. The pages left in it; -1 when somebody did. @throws {SqliteError}
 */
export const checkpoint = (db: Sqlite): number => {
  db.exec('PRAGMA busy_timeout = 0')
  try {
    const [busy, pages] = db.prepare<[number, number, number]>('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? [1, -1]
    return busy === 0 ? Math.max(0, pages) : -1
  } catch (error) {
    if (error instanceof SqliteError && error.kind === 'busy') return -1
    throw error
  } finally {
    db.exec(`PRAGMA busy_timeout = ${db.busyTimeoutMs}`)
  }
}
