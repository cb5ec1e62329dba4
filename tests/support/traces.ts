/** What of somebody's words is left in the files of a data folder, in any of the forms in which something may keep them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTime, type TestApp } from './app.ts'
import { elapse } from './clocks.ts'

/** Words of letters that stand together in no other text, one after another from the seed on. */
export const rareWords = (count: number, seed: number): readonly string[] => {
  let state = seed
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * below)
  }
  const consonants = 'qxzvkwjbgm'
  return Array.from({ length: count }, () => Array.from({ length: 12 }, () => consonants[next(10)]).join(''))
}

/** Of so many letters a word is recognised in read models; the log's ciphertext may have that many by chance. */
const PIECE = 6
const LOG_PIECE = 11

const folded = (word: string): string => word.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
const reversed = (word: string): string => [...word].toReversed().join('')
/** As the fuzzy index keeps a word: its beginning without one of its letters. */
const shortened = (word: string): readonly string[] =>
  Array.from({ length: 7 }, (_, at) => [...word.slice(0, 7)].toSpliced(at, 1).join(''))

const piecesOf = (bytes: Buffer, size: number): readonly string[] => {
  const text = bytes.toString('latin1')
  return Array.from({ length: Math.max(0, text.length - size + 1) }, (_, at) => text.slice(at, at + size))
}

/** By their size in bytes, all pieces of all forms of the words, each with its word. */
const piecesIn = (words: readonly string[], size: number): ReadonlyMap<number, ReadonlyMap<string, string>> => {
  const found = new Map<number, Map<string, string>>([
    [size, new Map()],
    [size * 2, new Map()],
  ])
  const add = (of: string, bytes: Buffer, length: number): void => {
    for (const piece of piecesOf(bytes, length)) found.get(length)?.set(piece, of)
  }
  for (const word of words) {
    const forms = new Set([word, word.normalize('NFD'), word.toLowerCase(), folded(word)])
    for (const form of [...forms].flatMap(known => [known, reversed(known)])) {
      const wide = Buffer.from(form, 'utf16le')
      add(word, Buffer.from(form), size)
      add(word, wide, size * 2)
      add(word, Buffer.from(wide).swap16(), size * 2)
    }
    if (size === PIECE) for (const key of shortened(folded(word))) add(word, Buffer.from(key), size)
  }
  return found
}

/** The words of which the bytes have a piece. */
const foundIn = (bytes: Buffer, size: number, pieces: ReadonlyMap<string, string>): ReadonlySet<string> => {
  const found = new Set<string>()
  // Whether any piece begins with these two bytes: hardly a place of a file has to be looked at closer.
  const begins = new Uint8Array(0x10000)
  for (const piece of pieces.keys()) begins[(piece.charCodeAt(0) << 8) | piece.charCodeAt(1)] = 1
  for (let at = 0; at + size <= bytes.length; at += 1) {
    if (begins[((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)] === 0) continue
    const word = pieces.get(bytes.toString('latin1', at, at + size))
    if (word !== undefined) found.add(word)
  }
  return found
}

const isLog = (name: string): boolean => name.startsWith('events.db')

/** `clear`: words that the log has in the clear, and may keep. */
export const tracesIn = (
  folder: string,
  words: readonly string[],
  { clear = [] }: { readonly clear?: readonly string[] } = {},
): readonly string[] => {
  // Copied by another process: closing a file that is open here too drops the locks that SQLite has on it.
  const copy = mkdtempSync(join(tmpdir(), 'lexichron-copy-'))
  try {
    spawnSync('cp', ['-r', `${folder}/.`, copy])
    const inLog = piecesIn(words, LOG_PIECE)
    const elsewhere = piecesIn([...words, ...clear], PIECE)
    const found = new Set<string>()
    for (const entry of readdirSync(copy, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue
      const bytes = readFileSync(join(entry.parentPath, entry.name))
      for (const [size, pieces] of isLog(entry.name) ? inLog : elsewhere)
        for (const word of foundIn(bytes, size, pieces)) found.add(`${entry.name}: ${word}`)
    }
    return [...found].toSorted()
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Between two looks, each of which keeps the process busy, so many steps of time go by, with room for what they wake. */
const STEPS = 20
const STEP_MS = 500
const ROOM_MS = 10

/** Moves the time of an app until no file of its folder has any of the words. */
export const untilGone = (
  app: Pick<TestApp, 'clock'>,
  folder: string,
  words: readonly string[],
  options: { readonly clear?: readonly string[] } = {},
): Promise<boolean> =>
  inTime(app, 'no file to have any of it', async saw => {
    for (let step = 0; step < STEPS; step += 1) {
      await app.clock.advance(STEP_MS)
      await elapse(ROOM_MS)
    }
    const left = tracesIn(folder, words, options)
    saw(left)
    return left.length === 0
  })
