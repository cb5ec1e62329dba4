/**
 * One process at a time makes or sets aside the file of the read store. Two who did so at once could remove each other's
 * write-ahead log. The lock is SQLite's own on a file beside it, so that it ends with its process however that ends; the
 * lock's file itself stays for ever.
 */
import { existsSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFolders, makeOwnFile, narrow } from '../../../core/files/folders.ts'
import { cannotOpen } from '../../sqlite/errors.ts'

const WAIT_MS = 5_000

/** Waits 5 s at most for others who do the same. @throws {SqliteError} busy, or why the lock's file cannot be used. */
export const alone = <T>(path: string, work: () => T): T => {
  const name = `${path}-lock`
  let lock: DatabaseSync | undefined
  try {
    makeFolders(dirname(path))
    makeOwnFile(name)
    narrow(name)
    lock = new DatabaseSync(name, { timeout: WAIT_MS })
    // Nothing is ever written, and a journal beside it would need room, which a full disk does not have.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    lock?.close()
    throw cannotOpen(error, name)
  }
  try {
    return work()
  } finally {
    lock.close()
  }
}

/** What belonged to a file that is gone: SQLite would take an old index of the log for that of the new file. */
export const removeLeftovers = (path: string): void => {
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
}

/** Runs `open`, alone; a file that it makes has nothing of an earlier one beside it. */
export const openAlone = <T>(path: string, open: () => T): T =>
  alone(path, () => {
    if (!existsSync(path)) removeLeftovers(path)
    return open()
  })
