/** Checks of the files that hold data: who may read them, whether they are sound, and whether the keys of what they seal are there. */
import { hash } from 'node:crypto'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../core/files/error-code.ts'
import { look, numberOf, type Row, textOf } from './files.ts'
import { type Finding, failed, note, ok, reasonOf, warning } from './finding.ts'

const BESIDE = ['', '-wal', '-shm'] as const

/** Files looked at in a folder: of mails that nobody removes there may be any number. */
const LISTED = 1_000
const NAMED = 10
const inFolder = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch(() => [])
  return [folder, ...names.slice(0, LISTED).map(name => join(folder, name))]
}

/**
 * What people wrote lies in the clear in read models, mails and logs: files are their owner's alone (0600), in folders that
 * are so too (0700), as the service makes them. `folders` are looked at with what is in them.
 */
export const checkModes = async (databases: readonly string[], folders: readonly string[]): Promise<Finding> => {
  const check = 'data files'
  if (process.platform === 'win32') return note(check, 'this system has no file modes to check')
  const all = new Set([
    ...databases.flatMap(path => BESIDE.map(end => `${path}${end}`)),
    ...(await Promise.all(folders.map(inFolder))).flat(),
  ])
  const found = await Promise.all(
    [...all].map(async path => ({ path, mode: (await stat(path).catch(() => undefined))?.mode })),
  )
  const there = found.filter(each => each.mode !== undefined)
  const readable = there.filter(({ mode }) => ((mode ?? 0) & 0o077) !== 0).map(each => each.path)
  const more = readable.length > NAMED ? ` and ${readable.length - NAMED} more` : ''
  if (readable.length > 0)
    return warning(
      check,
      `Others on this machine may read ${readable.slice(0, NAMED).join(', ')}${more}.`,
      `chmod go= ${readable.slice(0, NAMED).join(' ')}; drafts, mails and read models lie in them in the clear. The next start does it, but for a folder with other things in it.`,
    )
  return there.length === 0
    ? note(check, 'none is there yet')
    : ok(check, `all ${there.length} are their owner's alone`)
}

/** Larger files take longer than an operator waits, and push what a running service reads out of memory. */
const SOUND_BYTES = 512 * 1024 * 1024

/** SQLite's own look at every page of a file (PRAGMA quick_check). @see https://www.sqlite.org/pragma.html#pragma_quick_check */
export const checkSound = async (name: string, path: string, advice: string): Promise<readonly Finding[]> => {
  const size = (await stat(path).catch(() => undefined))?.size
  if (size === undefined) return []
  if (size > SOUND_BYTES)
    return [
      note(
        name,
        `its ${Math.round(size / 1e6)} MB are not read through here: sqlite3 ${path} 'PRAGMA quick_check' does, lexichron verify compares them with the log`,
      ),
    ]
  try {
    const db = look(path)
    try {
      const faults = (db?.all('PRAGMA quick_check(3)') ?? []).map(row => textOf(row, 'quick_check'))
      return faults.length === 1 && faults[0] === 'ok'
        ? [ok(name, `every page of it is sound (${Math.round(size / 1e6)} MB)`)]
        : [failed(name, `${path} is damaged: ${faults.join('; ')}.`, advice)]
    } finally {
      db?.close()
    }
  } catch (error) {
    return [failed(name, `${path} cannot be read through: ${reasonOf(error)}.`, advice)]
  }
}

/** So many of the latest events, and so many spread over the whole log. */
const SAMPLED = 500

const sampleOf = (path: string): readonly Row[] => {
  const db = look(path)
  try {
    if (!db) return []
    const head = numberOf(db.all('SELECT max(position) AS head FROM events')[0], 'head')
    const latest = db.all('SELECT meta FROM events ORDER BY position DESC LIMIT ?', SAMPLED)
    const step = Math.max(1, Math.floor(head / SAMPLED))
    const spread = db.all(
      `WITH RECURSIVE at(n) AS (SELECT 1 UNION ALL SELECT n + ? FROM at WHERE n + ? <= ?)
       SELECT meta FROM at JOIN events ON events.position = at.n`,
      step,
      step,
      head,
    )
    return [...latest, ...spread]
  } finally {
    db?.close()
  }
}

/** Where the key of this name lies, and from which byte on; src/adapters/keys/file.ts says how they are laid out. */
const SLOT_BYTES = 64
const placeOf = (folder: string, name: string): { readonly path: string; readonly end: number } => {
  const [, batch, n] = /^document:([0-9a-f]{16})\.(\d{1,3})$/.exec(name) ?? []
  if (batch !== undefined) return { path: join(folder, 'document', `${batch}.keys`), end: (Number(n) + 2) * SLOT_BYTES }
  const digest = hash('sha256', name, 'hex')
  return { path: join(folder, 'subject', digest.slice(0, 2), `${digest}.key`), end: 2 * SLOT_BYTES }
}

const holds = async (path: string, end: number): Promise<boolean> => {
  try {
    const file = await open(path, 'r')
    try {
      const { bytesRead } = await file.read(Buffer.alloc(SLOT_BYTES), 0, SLOT_BYTES, end - SLOT_BYTES)
      return bytesRead === SLOT_BYTES
    } finally {
      await file.close()
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Whether the keys that a sample of the log names are in the folder. A key that was destroyed has its place, with zeros in
 * it; one whose file is gone was lost, and what it sealed cannot be read.
 */
export const checkSealed = async (log: string, folder: string): Promise<Finding> => {
  const check = 'keys and log'
  const advice =
    'Stop the service and put the keys back from the backup that belongs to this log; until then what they sealed cannot be read.'
  try {
    const metas = sampleOf(log).map((row): unknown => JSON.parse(textOf(row, 'meta')))
    const names = new Set(
      metas.flatMap(meta =>
        typeof meta === 'object' && meta !== null && 'key' in meta && typeof meta.key === 'string' ? [meta.key] : [],
      ),
    )
    if (names.size === 0) return note(check, `none of ${metas.length} events looked at is sealed`)
    const missing: string[] = []
    for (const name of names) {
      const { path, end } = placeOf(folder, name)
      if (!(await holds(path, end))) missing.push(path)
    }
    const [first] = missing
    return first === undefined
      ? ok(check, `the folder has all ${names.size} keys that ${metas.length} events looked at name`)
      : failed(
          check,
          `${missing.length} of ${names.size} keys that the log names are gone, such as one in ${first}.`,
          advice,
        )
  } catch (error) {
    return failed(check, `They cannot be compared: ${reasonOf(error)}.`, advice)
  }
}
