/** A file of the embedded log with one bit flipped: where its trees are, and what reading it comes to. */
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { openEventFile } from '../../src/adapters/eventstore/sqlite/schema.ts'
import type { Sqlite } from '../../src/adapters/sqlite/database.ts'
import { SqliteError } from '../../src/adapters/sqlite/errors.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'

const PAGE_BYTES = 4_096

export const openLogFile = (path: string): Sqlite =>
  openEventFile(
    path,
    { logId: 'log', createdAt: '2026-01-01T00:00:00Z' },
    { busyTimeoutMs: 0, pragmas: { synchronous: 'OFF' } },
  )

/** Where the bytes of a tree of one page are that mean something: its head, where its cells are, and the cells. */
export const bytesOf = (path: string, tree: string): readonly number[] => {
  const db = new DatabaseSync(path, { readOnly: true })
  const root = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(tree)?.['rootpage'])
  db.close()
  const first = (root - 1) * PAGE_BYTES
  const page = readFileSync(path).subarray(first, first + PAGE_BYTES)
  const cells = page.readUInt16BE(3)
  const head = Array.from({ length: 8 + cells * 2 }, (_, at) => first + at)
  const content = page.readUInt16BE(5)
  return [...head, ...Array.from({ length: PAGE_BYTES - content }, (_, at) => first + content + at)]
}

/** Writes the file's bytes with one bit flipped, and no journal beside it. */
export const writeFlipped = (
  path: string,
  sound: Buffer,
  { at, bit }: Readonly<Record<'at' | 'bit', number>>,
): void => {
  const bytes = Buffer.from(sound)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
  for (const suffix of ['-wal', '-shm']) writeFileSync(path + suffix, '')
  writeFileSync(path, bytes)
}

/** What the work gives, or that it was told of damage; any other error is thrown. */
export const orDamage = <T>(work: () => T): T | 'told' => {
  try {
    return work()
  } catch (error) {
    if (error instanceof EventStoreError && error.code === 'damaged') return 'told'
    if (error instanceof SqliteError && error.kind === 'corrupt') return 'told'
    throw error
  }
}

/** JSON of what holds bigints. */
export const shown = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))
