/**
 * Who holds a database's write lock, and for how long already. A process that is stopped inside a transaction keeps it: SQLite
 * makes everybody else wait and cannot say for whom. The lock is asked for and given back at once; on Linux the kernel names its
 * holder (proc_locks(5)).
 */
import { readFileSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { identityOf } from './file.ts'

/** `heldMs`: since when it was found taken at every look, and nothing was committed, in milliseconds. `pid`: where the system tells. */
export type HeldLock = { readonly path: string; readonly heldMs: number; readonly pid?: number }

export type LockWatch = {
  /** Asks now. */
  look(): readonly HeldLock[]
  close(): void
}

/** The byte of `-shm` that whoever writes has locked. @see https://www.sqlite.org/walformat.html#locks */
const WRITE_LOCK = 120

const holderOf = (path: string): number | undefined => {
  try {
    const { ino } = statSync(`${path}-shm`)
    for (const line of readFileSync('/proc/locks', 'latin1').split('\n')) {
      const [, pid, inode, start, end] = /^\d+: POSIX +\S+ +WRITE (\d+) \w+:\w+:(\d+) (\d+) (\d+|EOF)/.exec(line) ?? []
      const isWriter = Number(start) <= WRITE_LOCK && (end === 'EOF' || Number(end) >= WRITE_LOCK)
      // A process of another container has the number 0.
      if (inode === String(ino) && isWriter && Number(pid) > 0) return Number(pid)
    }
  } catch {}
  return undefined
}

type Seen = {
  readonly db: DatabaseSync
  readonly identity: string
  taken: { at: number; version: unknown } | undefined
}

const isBusy = (error: unknown): boolean => error instanceof Error && /database is locked/.test(error.message)

const isTaken = (db: DatabaseSync): boolean => {
  try {
    db.exec('BEGIN IMMEDIATE')
    db.exec('ROLLBACK')
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  }
}

export const openLockWatch = (paths: readonly string[], monotonic: () => number): LockWatch => {
  const watched = new Map<string, Seen>()
  const leave = (path: string): void => {
    watched.get(path)?.db.close()
    watched.delete(path)
  }
  /** Undefined for a file that is not there: opening would make it. */
  const connected = (path: string): Seen | undefined => {
    const identity = identityOf(path)
    const known = watched.get(path)
    if (known && known.identity === identity) return known
    leave(path)
    if (identity === undefined) return undefined
    const fresh: Seen = { db: new DatabaseSync(path, { timeout: 0 }), identity, taken: undefined }
    watched.set(path, fresh)
    return fresh
  }
  const heldOf = (path: string): HeldLock | undefined => {
    const seen = connected(path)
    if (!seen) return undefined
    if (!isTaken(seen.db)) {
      seen.taken = undefined
      return undefined
    }
    // Whoever has committed since held another transaction then.
    const version = seen.db.prepare('PRAGMA data_version').get()?.['data_version']
    if (seen.taken?.version !== version) seen.taken = { at: monotonic(), version }
    const pid = holderOf(path)
    const heldMs = Math.round(monotonic() - (seen.taken?.at ?? 0))
    return pid === undefined ? { path, heldMs } : { path, heldMs, pid }
  }
  return {
    look: () =>
      paths.flatMap(path => {
        try {
          return heldOf(path) ?? []
        } catch {
          // What is wrong with the file is told by those who use it.
          leave(path)
          return []
        }
      }),
    close: () => {
      for (const path of [...watched.keys()]) leave(path)
    },
  }
}
