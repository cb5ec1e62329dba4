/** Statements that answer with rows of the events' table. */
import type { Sqlite } from '../../sqlite/database.ts'
import type { EventRow } from './row.ts'

export type Rows = {
  all(...values: readonly number[]): readonly EventRow[]
  /** As long as `take` says so. */
  each(take: (row: EventRow) => boolean, ...values: readonly number[]): void
}

/** A damaged row may hold a number that is too large to come as one. It comes inexact then, and fits no checksum. */
export const rowsOf = (db: Sqlite, sql: string): Rows => {
  const statement = db.prepare<EventRow>(sql)
  const inexact = (values: readonly number[]): readonly EventRow[] => {
    const rows: unknown = db
      .prepare(sql, { bigints: true })
      .all(...values)
      .map(row => row.map(value => (typeof value === 'bigint' ? Number(value) : value)))
    return rows as readonly EventRow[]
  }
  return {
    all: (...values) => {
      try {
        return statement.all(...values)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return inexact(values)
      }
    },
    each: (take, ...values) => {
      let taken = 0
      try {
        for (const row of statement.iterate(...values)) {
          if (!take(row)) return
          taken += 1
        }
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        for (const row of inexact(values).slice(taken)) if (!take(row)) return
      }
    },
  }
}
