/** Looks into the files of the embedded engines as they lie there, beside a running service or without one. */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/** A row by its columns' names. */
export type Row = Readonly<Record<string, unknown>>
export type Look = {
  all(sql: string, ...values: readonly (string | number)[]): readonly Row[]
  close(): void
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

/**
 * Opens the file for reading and leaves no trace: without a journal nobody has it open and it is read as it is
 * (`immutable`), for SQLite would otherwise make a journal even to read; with one it is read through it.
 * `undefined` when there is no such file. @throws what SQLite says.
 */
export const look = (path: string): Look | undefined => {
  if (!isThere(path)) return undefined
  const url = pathToFileURL(path)
  url.search = isThere(`${path}-wal`) ? '?mode=ro' : '?mode=ro&immutable=1'
  const db = new DatabaseSync(url, { readOnly: true })
  try {
    db.exec('PRAGMA busy_timeout = 2000')
  } catch (error) {
    db.close()
    throw error
  }
  return {
    all: (sql, ...values) => db.prepare(sql).all(...values),
    close: () => db.close(),
  }
}

export const textOf = (row: Row | undefined, column: string): string => {
  const value = row?.[column]
  return typeof value === 'string' ? value : ''
}

export const numberOf = (row: Row | undefined, column: string): number => {
  const value = row?.[column]
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0
}
