/** What has to be known of a database's file without opening it: closing a second descriptor would drop SQLite's locks. */
import { accessSync, constants, statSync } from 'node:fs'
import { narrow } from '../../core/files/folders.ts'

/** Which file stands at the path, whatever its name: undefined when there is none. One system call. */
export const identityOf = (path: string): string | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}

/** Why the file may not be written, or undefined: SQLite opens it all the same, and fails at each statement that writes. */
export const unwritable = (path: string): Error | undefined => {
  try {
    accessSync(path, constants.W_OK)
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** The file and its journals, which SQLite gives the mode of the database, as their owner's alone. @throws {Error} of `narrow`. */
export const narrowDatabase = (path: string): void => {
  for (const suffix of ['', '-wal', '-shm']) narrow(path + suffix)
}
