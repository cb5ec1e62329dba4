/** What our queue asks of the file of jobs beside what agenda does. Whoever calls opens the transactions. */
import type { JobParameters } from 'agenda'
import type { JobCounts, JobState } from '../../../ports/jobs.ts'
import type { Checkpoint } from '../../../ports/read-store.ts'
import type { Sqlite, SqlValue } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { idOf, type Lock, type Stored } from '../backend.ts'
import { states } from './conditions.ts'
import { openRepository } from './repository.ts'
import { ABOUT, COLUMNS, jobOf, ms, STATE, settingOf, stateValues } from './schema.ts'

/** A lock as it crosses the thread. */
const lockedBy = ({ id, owner, lockedAt }: Lock): readonly SqlValue[] => [String(id), owner, ms(lockedAt)]
const LOCKED_BY = 'id = ? AND owner = ? AND locked = ?'

/** A checkpoint that an older token wrote: the lease was lost. */
export const FENCED = 'fenced'

type CheckpointRow = readonly [string, string, bigint, string, bigint]

export const openQueueFile = (db: Sqlite, newId: () => string, now: () => number) => {
  const { insert, ...agenda } = openRepository(db, newId, now)
  const change = (sql: string, values: readonly SqlValue[]): number => db.prepare(sql).run(...values).changes
  const count = (state: JobState): number =>
    Number(db.prepare(`SELECT count(*) FROM job WHERE ${states[state]}`).get()?.[0] ?? 0)

  return {
    ...agenda,

    addAll: (jobs: readonly JobParameters<Stored>[]): number =>
      jobs.reduce((sum, job) => sum + insert(job, undefined, idOf(job.name, job.data.key)), 0),
    saveLocked: (job: JobParameters, lock: Lock): boolean =>
      change(`UPDATE job SET ${settingOf(STATE)}, next_run = ? WHERE ${LOCKED_BY}`, [
        ...stateValues(job),
        ms(job.nextRunAt),
        ...lockedBy(lock),
      ]) === 1,
    giveBack: (locks: readonly Lock[]): number =>
      locks.reduce(
        (sum, lock) =>
          sum +
          change(`UPDATE job SET locked = NULL, next_run = ? WHERE ${LOCKED_BY}`, [ms(lock.due), ...lockedBy(lock)]),
        0,
      ),
    pick: (options: { readonly state?: JobState; readonly key?: string; readonly limit: number }): JobParameters[] => {
      const { state, key, limit } = options
      const all = [
        ...(key === undefined ? [] : ['key = ?']),
        ...(state === undefined ? (key === undefined ? [`NOT (${states.done})`] : []) : [states[state]]),
      ]
      return db
        .prepare(`SELECT ${COLUMNS} FROM job WHERE ${all.join(' AND ')} ORDER BY next_run, id LIMIT ?`)
        .all(...(key === undefined ? [] : [key]), limit)
        .map(jobOf)
    },
    counts: (): JobCounts => {
      const oldest = db.prepare(`SELECT min(next_run) FROM job WHERE ${states.waiting}`).get()?.[0]
      const counted = { waiting: count('waiting'), running: count('running'), parked: count('parked') }
      return typeof oldest === 'number' ? { ...counted, oldest: new Date(oldest) } : counted
    },
    firstPosition: (name: string): string | undefined => {
      const found = db
        .prepare(`SELECT min(position) FROM job WHERE name = ? AND position IS NOT NULL AND NOT (${states.done})`)
        .get(name)?.[0]
      return typeof found === 'string' ? found : undefined
    },
    retry: (key: string | undefined, due: Date): number =>
      change(
        `UPDATE job SET next_run = ?, failures = 0, reason = NULL, failed = NULL
          WHERE ${
            key === undefined
              ? `${states.parked} AND last_run IS NOT NULL`
              : `((${states.parked}) OR (${states.waiting} AND failures > 0)) AND key = ?`
          }`,
        [ms(due), ...(key === undefined ? [] : [key])],
      ),
    drop: (key: string, at: Date): number =>
      change(
        `UPDATE job SET next_run = NULL, failures = 0, reason = NULL, failed = NULL, finished = ?
          WHERE key = ? AND locked IS NULL AND NOT (${states.done})`,
        [ms(at), key],
      ),
    forget: (before: Date): number =>
      change(`DELETE FROM job WHERE ${states.done} AND finished < ?`, [before.getTime()]),
    forgetAbout: (accountId: string): number => change(`DELETE FROM job WHERE ${ABOUT} = ?`, [accountId]),

    checkpoint: (consumer: string, value: Checkpoint): typeof FENCED | undefined => {
      const stored = change(
        `INSERT INTO checkpoint (consumer, log_id, position, event_id, token) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (consumer) DO UPDATE SET log_id = excluded.log_id, position = excluded.position,
            event_id = excluded.event_id, token = excluded.token WHERE excluded.token >= token`,
        [consumer, value.logId, value.position, value.eventId, value.token],
      )
      return stored === 1 ? undefined : FENCED
    },
    checkpoints: (): readonly (readonly [consumer: string, value: Checkpoint])[] =>
      db
        .prepare<CheckpointRow>('SELECT consumer, log_id, position, event_id, token FROM checkpoint', { bigints: true })
        .all()
        .map(([consumer, logId, position, eventId, token]) => [
          consumer,
          { logId, position, eventId, token: Number(token) },
        ]),
    record: (name: string): string | undefined =>
      db.prepare<readonly [string]>('SELECT value FROM record WHERE name = ?').get(name)?.[0],
    records: (prefix: string): readonly (readonly [name: string, value: string])[] =>
      db
        .prepare<readonly [string, string]>(
          'SELECT name, value FROM record WHERE substr(name, 1, ?) = ? AND name >= ? ORDER BY name',
        )
        .all([...prefix].length, prefix, prefix)
        .map(([name, value]) => [name, value]),
    swap: (name: string, expected: string | undefined, value: string | undefined): boolean => {
      if (expected === undefined && value === undefined)
        return db.prepare('SELECT 1 FROM record WHERE name = ?').get(name) === undefined
      if (expected === undefined)
        return change('INSERT OR IGNORE INTO record (name, value) VALUES (?, ?)', [name, value ?? '']) === 1
      if (value === undefined) return change('DELETE FROM record WHERE name = ? AND value = ?', [name, expected]) === 1
      return change('UPDATE record SET value = ? WHERE name = ? AND value = ?', [value, name, expected]) === 1
    },
  }
}
export type QueueFile = ReturnType<typeof openQueueFile>

/** What stands at the path is another file than the one that was opened: what is asked is asked again of the new one. */
export const replaced = (path: string): SqliteError =>
  new SqliteError(
    'io',
    `${path}: the file was removed or replaced while it was open; the one that is there is taken now`,
  )
