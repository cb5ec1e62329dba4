/**
 * Room that is kept on the disk of the data folder, to be given up for a start on a full one. SQLite reads a database with a
 * journal through an index that it makes on the disk at each start (32 KiB each): without room for it nothing could be read.
 */
import { rmSync } from 'node:fs'
import { open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { FILE_MODE, narrow } from '../../core/files/folders.ts'

const BYTES = 512 * 1024
/** So many times as much has to be free before any is kept. */
const SPARE = 8

const pathIn = (folder: string): string => join(folder, 'room')

/** Bytes that this user may still write there. */
export const freeBytes = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** Less is left than a start may take. */
export const isFull = async (folder: string): Promise<boolean> => (await freeBytes(folder).catch(() => BYTES)) < BYTES

/** Keeps it, where it is not kept and there is plenty: whether it did. */
export const keepRoom = async (folder: string): Promise<boolean> => {
  const path = pathIn(folder)
  narrow(path)
  if ((await stat(path).catch(() => undefined))?.size === BYTES) return false
  if ((await freeBytes(folder)) < BYTES * SPARE) return false
  try {
    const file = await open(path, 'w', FILE_MODE)
    try {
      // Not of zeros alone, of which some file systems keep nothing.
      await file.writeFile(Buffer.alloc(BYTES, 'room for a start on a full disk\n'))
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

export const giveUpRoom = (folder: string): void => rmSync(pathIn(folder), { force: true })
