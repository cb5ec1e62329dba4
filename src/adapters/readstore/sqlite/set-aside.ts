/** Damaged files of the read store that were set aside for somebody to look at: they hold what was in them. */
import { readdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const ASIDE = '.damaged-'
const CHUNK = 1024 * 1024

export const setAsideAs = (path: string, at: Date): string => `${path}${ASIDE}${at.getTime()}`

export const setAsideFiles = (path: string): readonly string[] =>
  readdirSync(dirname(path))
    .filter(name => name.startsWith(`${basename(path)}${ASIDE}`))
    .map(name => join(dirname(path), name))

/** Overwrites a file with zeros, durably, and removes it. One that is gone by then was removed by somebody else. */
export const shred = async (path: string): Promise<void> => {
  try {
    const file = await open(path, 'r+')
    try {
      const { size } = await file.stat()
      const zeros = Buffer.alloc(Math.min(CHUNK, size))
      for (let at = 0; at < size; at += CHUNK) await file.write(zeros, 0, Math.min(CHUNK, size - at), at)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  await rm(path, { force: true })
}
