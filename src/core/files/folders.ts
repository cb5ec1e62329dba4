/**
 * Files and folders that are their owner's alone, whatever the umask: read models, jobs, mails and logs hold in the clear
 * what keys seal in the log. What an earlier version or a copy left open to others is narrowed (decision 62).
 */
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs'
import { dirname, parse } from 'node:path'
import { codeOf } from './error-code.ts'

const FOLDER_MODE = 0o700
export const FILE_MODE = 0o600
const OTHERS = 0o077
const STICKY = 0o1000

const hasModes = process.platform !== 'win32'

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0')

/**
 * Makes the folder and those above it that are missing, one level at a time: on some file systems (proc) a recursive mkdir tries
 * for ever; answers the ones it made, outermost first.
 * @throws {Error} of the system, in a sentence of its own where something else than a folder is in the way.
 */
export const makeFolders = (folder: string): readonly string[] => {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory()) return []
  if (found) throw Object.assign(new Error(`${folder} is a file, not a folder`), { code: 'ENOTDIR' })
  const above = dirname(folder)
  const made = above === folder ? [] : makeFolders(above)
  try {
    mkdirSync(folder, { mode: FOLDER_MODE })
  } catch (error) {
    // Another process was first.
    if (codeOf(error) === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return made
    throw error
  }
  return [...made, folder]
}

/** Its mode, where others than its owner have a right on it; undefined also for what is not there. */
const openToOthers = (path: string): number | undefined => {
  if (!hasModes) return undefined
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  return mode !== undefined && (mode & OTHERS) !== 0 ? mode : undefined
}

/**
 * Takes the rights of others away. What is not there is left so.
 * @throws {Error} EPERM, with what to do, where they cannot be taken away: another user's file, or a file system without modes.
 */
export const narrow = (path: string): void => {
  const mode = openToOthers(path)
  if (mode === undefined) return
  try {
    chmodSync(path, mode & 0o700)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw Object.assign(
      new Error(
        `others may read or write ${path} (mode ${octal(mode)}), and this user cannot change that (${codeOf(error) ?? 'unknown'}): as its owner, chmod go= ${path}`,
        { cause: error },
      ),
      { code: 'EPERM' },
    )
  }
  const now = openToOthers(path)
  if (now === undefined) return
  throw Object.assign(
    new Error(
      `others may read or write ${path} (mode ${octal(now)}), and its file system keeps no modes: mount it with umask=0077, or name another place`,
    ),
    { code: 'EPERM' },
  )
}

/** Makes the file of a database, empty, unless something is there; why it cannot be made is for SQLite to say. */
export const makeOwnFile = (path: string): void => {
  try {
    // Never of a file that is there: closing a second descriptor would drop the locks that SQLite has on it.
    closeSync(openSync(path, 'wx', FILE_MODE))
  } catch {}
}

/** What the program makes in its data folder; `lost+found` is that of a disk of its own. */
export const IN_DATA_FOLDER = /^(?:(?:events|read|jobs)\.db(?:[-.].*)?|keys|outbox|logs|room|lost\+found)$/

/**
 * Narrows a folder in which there is nothing but ours. /tmp, a home folder and the root of a disk are not ours to close, and
 * what we make in them is its owner's alone in any case.
 */
export const narrowFolder = (folder: string, ours: RegExp): void => {
  // What is no folder is refused by whoever is to write in it.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return
  const mode = openToOthers(folder)
  if (mode === undefined || (mode & STICKY) !== 0 || parse(folder).root === folder) return
  if (readdirSync(folder).every(name => ours.test(name))) narrow(folder)
}
