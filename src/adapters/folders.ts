/** Folders made one level at a time: on some file systems (proc) a recursive mkdir tries for ever. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/**
 * Makes the folder and those above it that are missing; answers the ones it made, outermost first.
 * @throws {Error} of the system, in a sentence of its own where something else than a folder is in the way.
 */
export const makeFolders = (folder: string, mode?: number): readonly string[] => {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory()) return []
  if (found) throw Object.assign(new Error(`${folder} is a file, not a folder`), { code: 'ENOTDIR' })
  const above = dirname(folder)
  const made = above === folder ? [] : makeFolders(above, mode)
  try {
    mkdirSync(folder, mode === undefined ? {} : { mode })
  } catch (error) {
    // Another process was first.
    if (systemCode(error) === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return made
    throw error
  }
  return [...made, folder]
}
