/**
 * Files of secrets. A file is a header and slots of 64 bytes, each a secret of 32 bytes with its check, or zeros: a key
 * that was destroyed. A slot lies within one sector and is overwritten in place, so that two processes can destroy in the
 * same file at once and the secret itself leaves the file's blocks. Each destruction also adds one byte at the end: the
 * size tells others that something changed, where a time stamp may be the same twice.
 */
import { hash } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, link, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf } from '../../core/files/error-code.ts'
import { FILE_MODE, makeFolders } from '../../core/files/folders.ts'
import { KeysError } from '../../ports/keys.ts'

const SLOT_BYTES = 64
const header = (count: number): Buffer => Buffer.from(`lexichron keys 1\n${count}\n`.padEnd(SLOT_BYTES, '\0'), 'latin1')
const HEADER = /^lexichron keys 1\n(\d{1,5})\n\0+$/
export const SECRET_BYTES = 32
const CHECK_BYTES = 16
const ZEROS = Buffer.alloc(SLOT_BYTES)

/** What tells one state of a file from the next: another inode or size. */
export type FileState = string

const unavailable = (path: string, cause: unknown): KeysError =>
  cause instanceof KeysError
    ? cause
    : new KeysError('unavailable', `The key file ${path} cannot be used: ${codeOf(cause) ?? 'unknown cause'}.`, {
        cause,
      })

const hasModes = process.platform !== 'win32'

/** @throws {KeysError} corrupt: others than the owner may read or write it, so its secrets are none. */
const checkMode = (path: string, { mode }: BigIntStats, due: string): void => {
  if (hasModes && (mode & 0o077n) !== 0n)
    throw new KeysError(
      'corrupt',
      `Others may read ${path} (mode ${(mode & 0o777n).toString(8)}): make it ${due}, and rotate what it holds if anybody did.`,
    )
}

/** Makes a rename, link or new folder survive a loss of power. Windows has no such call and needs none. */
export const syncFolder = async (folder: string): Promise<void> => {
  if (!hasModes) return
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the folder, mode 0700, or checks that the one there is for its owner only. */
export const ensureFolder = async (folder: string): Promise<void> => {
  try {
    for (const made of makeFolders(folder)) await syncFolder(dirname(made))
    const found = await stat(folder, { bigint: true })
    if (!found.isDirectory()) throw new KeysError('unavailable', `${folder} is not a folder.`)
    checkMode(folder, found, '0700')
  } catch (error) {
    throw unavailable(folder, error)
  }
}

/** Names of the files there, without those still being written. */
export const filesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return (await readdir(folder)).filter(name => !name.endsWith('.tmp')).sort()
  } catch (error) {
    throw unavailable(folder, error)
  }
}

/** Removes what a process left behind that was killed as it wrote: temporary files last changed before `before` (ms). */
export const sweepFolder = async (folder: string, before: number): Promise<void> => {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.tmp')) continue
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found && found.mtimeMs < before) await unlink(path).catch(() => undefined)
  }
}

/**
 * Writes a whole new file, durable when it returns. False when a file of that name is there already, which stays as it
 * is: of two processes exactly one makes it, and nobody ever sees half of it.
 */
export const createFile = async (path: string, bytes: Uint8Array, unique: string): Promise<boolean> => {
  const temporary = `${path}.${unique}.tmp`
  try {
    const handle = await open(temporary, 'wx', FILE_MODE)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(temporary, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw unavailable(path, error)
  } finally {
    await unlink(temporary).catch(() => undefined)
    // Also when the other process was first: its file has to be durable before it is relied on here.
    await syncFolder(dirname(path)).catch(() => undefined)
  }
}

/** Undefined when there is no such file. */
export const fileState = async (path: string): Promise<FileState | undefined> => {
  try {
    const { ino, size } = await stat(path, { bigint: true })
    return `${ino}.${size}`
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unavailable(path, error)
  }
}

const withFile = async <T>(
  path: string,
  flags: string,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T | undefined> => {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, flags)
    checkMode(path, await handle.stat({ bigint: true }), '0600')
    return await use(handle)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unavailable(path, error)
  } finally {
    await handle?.close()
  }
}

/** Its bytes; undefined when there is no such file. */
export const readWhole = (path: string): Promise<Buffer | undefined> =>
  withFile(path, 'r', async handle => await handle.readFile())

const check = (secret: Uint8Array, slot: number): Buffer =>
  hash('sha256', Buffer.concat([secret, Buffer.from([slot & 0xff, slot >> 8])]), 'buffer').subarray(0, CHECK_BYTES)

/** The file of these secrets, in this order; 'destroyed' leaves a slot of zeros. */
export const encodeSlots = (secrets: readonly (Uint8Array | 'destroyed')[]): Buffer =>
  Buffer.concat([
    header(secrets.length),
    ...secrets.map((secret, slot) =>
      secret === 'destroyed' ? ZEROS : Buffer.concat([secret, check(secret, slot)], SLOT_BYTES),
    ),
  ])

/** @throws {KeysError} corrupt, naming the file and the slot. */
export const decodeSlots = (path: string, bytes: Buffer): readonly (Uint8Array | 'destroyed')[] => {
  const count = Number(HEADER.exec(bytes.toString('latin1', 0, SLOT_BYTES))?.[1])
  if (!(bytes.length >= (count + 1) * SLOT_BYTES))
    throw new KeysError('corrupt', `The key file ${path} is damaged: restore it from a backup.`)
  return Array.from({ length: count }, (_, slot) => {
    const at = (slot + 1) * SLOT_BYTES
    const record = bytes.subarray(at, at + SLOT_BYTES)
    if (record.equals(ZEROS)) return 'destroyed'
    const secret = record.subarray(0, SECRET_BYTES)
    if (!record.subarray(SECRET_BYTES, SECRET_BYTES + CHECK_BYTES).equals(check(secret, slot)))
      throw new KeysError('corrupt', `The key file ${path} is damaged at key ${slot}: restore it from a backup.`)
    return secret
  })
}

/** Overwrites the slot with zeros, durable when it returns. False when there is no such file. */
export const destroySlot = async (path: string, slot: number): Promise<boolean> => {
  const found = await withFile(path, 'r+', async handle => {
    if (slot >= decodeSlots(path, await handle.readFile()).length)
      throw new KeysError('corrupt', `The key file ${path} has no key ${slot}.`)
    await handle.write(ZEROS, 0, SLOT_BYTES, (slot + 1) * SLOT_BYTES)
    await handle.sync()
    return true
  })
  if (!found) return false
  await withFile(path, 'a', async handle => {
    await handle.write(Buffer.of(1))
    await handle.sync()
  })
  return true
}
