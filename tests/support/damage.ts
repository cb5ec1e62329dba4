/** Damage as a disk does it, behind the back of whoever has the file open: SQL on another connection, past the triggers. */
import { DatabaseSync } from 'node:sqlite'

/** Runs the statement; how many rows it changed. */
export const damage = (path: string, sql: string, ...values: readonly (string | number | bigint)[]): number => {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    const triggers = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all()
    db.exec('BEGIN IMMEDIATE')
    for (const { name } of triggers) db.exec(`DROP TRIGGER ${String(name)}`)
    const changes = Number(db.prepare(sql).run(...values).changes)
    for (const trigger of triggers) db.exec(String(trigger['sql']))
    db.exec('COMMIT')
    return changes
  } finally {
    db.close()
  }
}

/** The lowest bit of a number the other way round, as SQL: XOR is a | b minus a & b, since SQLite has no operator for it. */
export const turnedBit = (column: string): string => `((${column} | 1) - (${column} & 1))`

/** The same of one ASCII character of a text. */
export const turned = (column: string, at: number): string =>
  `substr(${column}, 1, ${at}) || char(${turnedBit(`unicode(substr(${column}, ${at + 1}, 1))`)}) || substr(${column}, ${at + 2})`

/** The table of a read model in `read.db`: the newest there is of that name. */
export const tableOf = (path: string, projection: string): string => {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
  try {
    const sql = 'SELECT number FROM collection WHERE name LIKE ? ORDER BY number DESC LIMIT 1'
    return `c${String(db.prepare(sql).get(`${projection}@%`)?.['number'])}`
  } finally {
    db.close()
  }
}

/** The tables of the index on terms of a read model's table. */
export const termTablesOf = (path: string, table: string): readonly string[] => {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
  try {
    const found = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB ?")
      .all(`${table}_t[0-9]*`)
    return found.map(({ name }) => String(name))
  } finally {
    db.close()
  }
}

/** What schema 3 had in the place of `names` and `streams`: a row for each name, and an index of first events. */
const SCHEMA_3 = `DROP TABLE names; DROP TABLE streams;
  CREATE TABLE streams (name TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO streams SELECT name, stream FROM events WHERE revision = 0;
  CREATE TRIGGER streams_update BEFORE UPDATE ON streams BEGIN SELECT raise(ABORT, 'never'); END;
  CREATE TRIGGER streams_delete BEFORE DELETE ON streams BEGIN SELECT raise(ABORT, 'never'); END;
  CREATE INDEX events_first ON events (name) WHERE revision = 0; PRAGMA user_version = 3`

/** Makes a file of the embedded log one of schema 3. */
export const asSchema3 = (path: string): void => {
  const db = new DatabaseSync(path)
  db.exec(SCHEMA_3)
  db.close()
}
