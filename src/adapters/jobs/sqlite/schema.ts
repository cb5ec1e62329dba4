/**
 * The file of jobs: what agenda looks for by is a column, the rest of a job is JSON beside it. Dates are milliseconds since
 * 1970. Checkpoints and records of consumers stand beside the jobs that they added, and are lost with them.
 */
import { type JobId, type JobParameters, toJobId } from 'agenda'
import type { Sqlite, SqlValue } from '../../sqlite/database.ts'
import { isStored } from '../backend.ts'

export const migrate = (db: Sqlite): void => {
  db.exec(`
    CREATE TABLE job (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT, priority INTEGER NOT NULL, next_run INTEGER, locked INTEGER,
      last_run INTEGER, finished INTEGER, failed INTEGER, failures INTEGER NOT NULL, reason TEXT, disabled INTEGER NOT NULL,
      owner TEXT, progress REAL, position TEXT, data TEXT NOT NULL, rest TEXT NOT NULL);
    CREATE INDEX job_due ON job (name, priority, next_run) WHERE next_run IS NOT NULL AND locked IS NULL;
    CREATE INDEX job_locked ON job (locked) WHERE locked IS NOT NULL;
    CREATE INDEX job_waiting ON job (next_run) WHERE next_run IS NOT NULL;
    CREATE INDEX job_parked ON job (failed) WHERE failures > 0 AND next_run IS NULL AND locked IS NULL;
    CREATE INDEX job_done ON job (finished) WHERE failures = 0 AND next_run IS NULL AND locked IS NULL;
    CREATE INDEX job_owed ON job (name, position)
      WHERE position IS NOT NULL AND NOT (failures = 0 AND next_run IS NULL AND locked IS NULL);
    CREATE INDEX job_key ON job (key) WHERE key IS NOT NULL;
    CREATE TABLE checkpoint (
      consumer TEXT PRIMARY KEY, log_id TEXT NOT NULL, position INTEGER NOT NULL, event_id TEXT NOT NULL,
      token INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE record (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `)
}

/** The account that a job is about; a condition on it is worded so, or it reads all jobs. */
export const ABOUT = "json_extract(data, '$.about')"

/** What a file of before has not got; it takes its time once. */
export const mendIndexes = (db: Sqlite): void => {
  try {
    db.exec(`CREATE INDEX IF NOT EXISTS job_about ON job (${ABOUT}) WHERE ${ABOUT} IS NOT NULL`)
  } catch {
    // Locked or full: the next start does it, and until then all jobs are read.
  }
}

export const COLUMNS =
  'id, name, priority, next_run, locked, last_run, finished, failed, failures, reason, disabled, owner, progress, data, rest'

export type Row = readonly SqlValue[]

const date = (value: SqlValue | undefined): Date | undefined =>
  typeof value === 'number' ? new Date(value) : undefined
export const ms = (value: Date | string | null | undefined): number | null =>
  value === null || value === undefined ? null : new Date(value).getTime()
const text = (value: SqlValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

const DATES: ReadonlySet<string> = new Set(['startDate', 'endDate', 'debounceStartedAt'])
/** Of the rest, dates come back as dates. */
const restored = (json: string): Partial<JobParameters> =>
  JSON.parse(json, (name, value) => (DATES.has(name) && typeof value === 'string' ? new Date(value) : value))

export type Kept = JobParameters & { readonly _id: JobId }

export const jobOf = (row: Row): Kept => {
  const [id, name, priority, next, locked, last, finished, failed, failures, reason, disabled, owner, progress] = row
  const optional = {
    lockedAt: date(locked),
    lastRunAt: date(last),
    lastFinishedAt: date(finished),
    failedAt: date(failed),
    failReason: text(reason),
    lastModifiedBy: text(owner),
    progress: typeof progress === 'number' ? progress : undefined,
  }
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  return {
    type: 'normal',
    ...restored(String(row[14])),
    ...given,
    _id: toJobId(String(id)),
    name: String(name),
    priority: Number(priority),
    nextRunAt: date(next) ?? null,
    failCount: Number(failures),
    disabled: disabled === 1,
    data: JSON.parse(String(row[13])),
  }
}

/** What has no column of its own. */
const restOf = (job: JobParameters): string => {
  const { type, repeatTimezone, repeatInterval, repeatAt, fork, startDate, endDate, skipDays, debounceStartedAt } = job
  return JSON.stringify({
    type,
    repeatTimezone,
    repeatInterval,
    repeatAt,
    fork,
    startDate,
    endDate,
    skipDays,
    debounceStartedAt,
  })
}

/** The columns that whoever saves a job sets, in the order of `savedValues`. */
export const SAVED = 'priority, next_run, disabled, owner, key, position, data, rest'
export const savedValues = (job: JobParameters, owner: string | undefined): readonly SqlValue[] => {
  const { key, position } = isStored(job.data) ? job.data : {}
  return [
    job.priority,
    ms(job.nextRunAt),
    job.disabled ? 1 : 0,
    owner ?? null,
    key ?? null,
    position ?? null,
    JSON.stringify(job.data ?? null),
    restOf(job),
  ]
}

/** The columns of what becomes of a job while it is done, in the order of `stateValues`. */
export const STATE = 'locked, last_run, progress, reason, failures, failed, finished'
export const stateValues = (job: JobParameters): readonly SqlValue[] => [
  ms(job.lockedAt),
  ms(job.lastRunAt),
  job.progress ?? null,
  job.failReason ?? null,
  job.failCount ?? 0,
  ms(job.failedAt),
  ms(job.lastFinishedAt),
]

/** `a, b` as `a = ?, b = ?`. */
export const settingOf = (columns: string): string =>
  columns
    .split(', ')
    .map(column => `${column} = ?`)
    .join(', ')
export const placesFor = (columns: string): string =>
  columns
    .split(', ')
    .map(() => '?')
    .join(', ')
