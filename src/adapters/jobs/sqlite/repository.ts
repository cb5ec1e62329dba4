/**
 * agenda's JobRepository in one SQLite file, without a thread: src/adapters/jobs/sqlite/worker.ts runs it in one of its own.
 * What agenda looks for by is a column; the rest of a job is JSON beside it. Dates are milliseconds since 1970.
 */
import {
  computeJobState,
  type JobId,
  type JobParameters,
  type JobsQueryOptions,
  type RemoveJobsOptions,
  toJobId,
} from 'agenda'
import type { JobCounts, JobState } from '../../../ports/jobs.ts'
import type { Sqlite, SqlValue } from '../../sqlite.ts'

/** 'LxJb': tells the file of jobs from others. */
export const APPLICATION_ID = 0x4c784a62
export const SCHEMA_VERSION = 1

export const migrate = (db: Sqlite): void => {
  db.exec(`
    CREATE TABLE job (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT, priority INTEGER NOT NULL, next_run INTEGER, locked INTEGER,
      last_run INTEGER, finished INTEGER, failed INTEGER, failures INTEGER NOT NULL, reason TEXT, disabled INTEGER NOT NULL,
      owner TEXT, progress REAL, data TEXT NOT NULL, rest TEXT NOT NULL);
    CREATE INDEX job_due ON job (name, next_run, priority DESC);
    CREATE INDEX job_locked ON job (locked) WHERE locked IS NOT NULL;
    CREATE INDEX job_waiting ON job (next_run) WHERE next_run IS NOT NULL;
    CREATE INDEX job_parked ON job (failed) WHERE failures > 0 AND next_run IS NULL AND locked IS NULL;
    CREATE INDEX job_done ON job (finished) WHERE failures = 0 AND next_run IS NULL AND locked IS NULL;
    CREATE UNIQUE INDEX job_key ON job (name, key) WHERE key IS NOT NULL;
  `)
}

const COLUMNS =
  'id, name, priority, next_run, locked, last_run, finished, failed, failures, reason, disabled, owner, progress, data, rest'

type Row = readonly SqlValue[]
type Options = { readonly lastModifiedBy?: string } | undefined

const date = (value: SqlValue | undefined): Date | undefined =>
  typeof value === 'number' ? new Date(value) : undefined
const ms = (value: Date | string | null | undefined): number | null =>
  value === null || value === undefined ? null : new Date(value).getTime()
const text = (value: SqlValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

/** Of the rest, dates come back as dates. */
const restored = (json: string): Partial<JobParameters> =>
  JSON.parse(json, (name, value) =>
    ['startDate', 'endDate', 'debounceStartedAt'].includes(name) && typeof value === 'string' ? new Date(value) : value,
  )

type Kept = JobParameters & { readonly _id: JobId }

const jobOf = (row: Row): Kept => {
  const [id, name, priority, next, locked, last, finished, failed, failures, reason, disabled, owner, progress] = row
  const optional = {
    ...{ lockedAt: date(locked), lastRunAt: date(last), lastFinishedAt: date(finished), failedAt: date(failed) },
    ...{ failReason: text(reason), lastModifiedBy: text(owner) },
    progress: typeof progress === 'number' ? progress : undefined,
  }
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  return {
    type: 'normal',
    ...restored(String(row[14])),
    ...given,
    ...{ _id: toJobId(String(id)), name: String(name), priority: Number(priority), nextRunAt: date(next) ?? null },
    ...{ failCount: Number(failures), disabled: disabled === 1, data: JSON.parse(String(row[13])) },
  }
}

const keyOf = (data: unknown): string | null =>
  typeof data === 'object' && data !== null && 'key' in data && typeof data.key === 'string' ? data.key : null

/** What has no column of its own. */
const restOf = (job: JobParameters): string => {
  const { type, repeatTimezone, repeatInterval, repeatAt, fork, startDate, endDate, skipDays, debounceStartedAt } = job
  return JSON.stringify({
    ...{ type, repeatTimezone, repeatInterval, repeatAt, fork, startDate, endDate, skipDays, debounceStartedAt },
  })
}

type Where = { readonly sql: string; readonly values: readonly SqlValue[] }

const scalar = (value: unknown): SqlValue => {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  throw new TypeError('jobs are looked for by texts, numbers and truths in their data')
}

/** Conditions on members of the data, nested ones by path. */
const dataConditions = (data: unknown, path = '$'): readonly Where[] => {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return [{ sql: `json_extract(data, ?) = ?`, values: [path, scalar(data)] }]
  return Object.entries(data).flatMap(([name, value]) => dataConditions(value, `${path}.${JSON.stringify(name)}`))
}

const among = (column: string, values: readonly string[]): Where => ({
  sql: `${column} IN (${values.map(() => '?').join(', ')})`,
  values,
})

const removal = (options: RemoveJobsOptions): Where | undefined => {
  const { id, ids, name, names, notNames, data } = options
  const all: Where[] = [
    ...(id === undefined ? [] : [{ sql: 'id = ?', values: [String(id)] }]),
    ...(ids && ids.length > 0 ? [among('id', ids.map(String))] : []),
    ...(name === undefined ? [] : [{ sql: 'name = ?', values: [name] }]),
    ...(names && names.length > 0 ? [among('name', names)] : []),
    ...(notNames && notNames.length > 0 ? [{ ...among('name', notNames), not: true }] : []).map(({ sql, values }) => ({
      sql: `NOT (${sql})`,
      values,
    })),
    ...(data === undefined ? [] : dataConditions(data)),
  ]
  return all.length === 0
    ? undefined
    : { sql: all.map(each => each.sql).join(' AND '), values: all.flatMap(each => each.values) }
}

/** As agenda's computeJobState says it. */
const STATE = `CASE WHEN locked IS NOT NULL THEN 'running'
  WHEN failed IS NOT NULL AND (finished IS NULL OR failed >= finished) THEN 'failed'
  WHEN json_extract(rest, '$.repeatInterval') IS NOT NULL THEN 'repeating'
  WHEN next_run > ? THEN 'scheduled' WHEN next_run <= ? THEN 'queued' ELSE 'completed' END`

/** The states of our port, which are fewer; each has an index of its own. */
const states: Readonly<Record<JobState, string>> = {
  running: 'locked IS NOT NULL',
  waiting: 'locked IS NULL AND next_run IS NOT NULL',
  parked: 'failures > 0 AND next_run IS NULL AND locked IS NULL',
  done: 'failures = 0 AND next_run IS NULL AND locked IS NULL',
}

export const openRepository = (db: Sqlite, newId: () => string) => {
  const byId = (id: string): Row | undefined => db.prepare(`SELECT ${COLUMNS} FROM job WHERE id = ?`).get(id)
  const change = (sql: string, values: readonly SqlValue[]): number => db.prepare(sql).run(...values).changes

  const insert = (job: JobParameters, options: Options): JobParameters => {
    const id = newId()
    change(`INSERT INTO job (${COLUMNS}, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
      ...[id, job.name, job.priority, ms(job.nextRunAt), ms(job.lockedAt), ms(job.lastRunAt), ms(job.lastFinishedAt)],
      ...[ms(job.failedAt), job.failCount ?? 0, job.failReason ?? null, job.disabled ? 1 : 0],
      ...[options?.lastModifiedBy ?? null, job.progress ?? null, JSON.stringify(job.data ?? null), restOf(job)],
      keyOf(job.data),
    ])
    return { ...job, _id: toJobId(id) }
  }
  /** What callers set; what the processor keeps (lock, failures, progress) stays. */
  const update = (id: string, job: JobParameters, options: Options, keepsDue = false): JobParameters => {
    change(
      `UPDATE job SET priority = ?, ${keepsDue ? '' : 'next_run = ?,'} disabled = ?, owner = ?, data = ?, rest = ?, key = ? WHERE id = ?`,
      [
        ...[job.priority, ...(keepsDue ? [] : [ms(job.nextRunAt)]), job.disabled ? 1 : 0],
        ...[options?.lastModifiedBy ?? null, JSON.stringify(job.data ?? null), restOf(job), keyOf(job.data), id],
      ],
    )
    const row = byId(id)
    return row ? jobOf(row) : job
  }
  const findUnique = (name: string, unique: Readonly<Record<string, unknown>>): Row | undefined => {
    const { name: _, ...rest } = unique
    const conditions = Object.entries(rest).flatMap(([path, value]) => {
      if (!/^data(\.\w+)+$/.test(path)) throw new TypeError(`unique by ${path}: only members of data can be`)
      // The index knows keys; anything else is looked for among the jobs of the name.
      if (path === 'data.key' && typeof value === 'string') return [{ sql: 'key = ?', values: [value] }]
      return dataConditions(value, `$${path.slice('data'.length)}`)
    })
    const sql = ['name = ?', ...conditions.map(each => each.sql)].join(' AND ')
    return db
      .prepare(`SELECT ${COLUMNS} FROM job WHERE ${sql} LIMIT 1`)
      .get(name, ...conditions.flatMap(each => each.values))
  }
  const save = (job: JobParameters, options: Options, now: number): JobParameters => {
    const { _id, unique, uniqueOpts } = job
    if (uniqueOpts?.debounce) throw new TypeError('jobs on SQLite cannot be debounced')
    if (_id !== undefined) return byId(_id) ? update(_id, job, options) : job
    if (job.type === 'single') {
      const there = db
        .prepare(`SELECT ${COLUMNS} FROM job WHERE name = ? AND json_extract(rest, '$.type') = 'single'`)
        .get(job.name)
      const due = ms(job.nextRunAt)
      return there ? update(String(there[0]), job, options, due !== null && due <= now) : insert(job, options)
    }
    if (!unique) return insert(job, options)
    const there = findUnique(job.name, unique)
    if (!there) return insert(job, options)
    return uniqueOpts?.insertOnly ? jobOf(there) : update(String(there[0]), job, options)
  }

  return {
    saveJob: (job: JobParameters, options: Options) => db.transaction(() => save(job, options, Date.now())),
    saveJobState: (job: JobParameters, options: Options): void => {
      const changes = change(
        `UPDATE job SET locked = ?, next_run = ?, last_run = ?, progress = ?, reason = ?, failures = ?, failed = ?,
          finished = ?, owner = ? WHERE id = ? AND name = ?`,
        [
          ...[ms(job.lockedAt), ms(job.nextRunAt), ms(job.lastRunAt), job.progress ?? null, job.failReason ?? null],
          ...[job.failCount ?? 0, ms(job.failedAt), ms(job.lastFinishedAt), options?.lastModifiedBy ?? null],
          ...[String(job._id), job.name],
        ],
      )
      if (changes !== 1) throw new Error(`job ${job._id} (name: ${job.name}) is no longer there`)
    },
    lockJob: (job: JobParameters, options: Options): JobParameters | undefined => {
      const row = db
        .prepare(
          `UPDATE job SET locked = ?, owner = ? WHERE id = ? AND name = ? AND locked IS NULL AND next_run IS ? AND disabled = 0
            RETURNING ${COLUMNS}`,
        )
        .get(Date.now(), options?.lastModifiedBy ?? null, String(job._id), job.name, ms(job.nextRunAt))
      return row && jobOf(row)
    },
    unlockJob: (job: JobParameters): void => {
      change('UPDATE job SET locked = NULL WHERE id = ? AND next_run IS NOT NULL', [String(job._id)])
    },
    unlockJobs: (ids: readonly string[]): void => {
      for (const id of ids) change('UPDATE job SET locked = NULL WHERE id = ?', [id])
    },
    getNextJobToRun: (name: string, until: Date, deadline: Date, now: Date | undefined, options: Options) => {
      const lock = (where: string, limit: number): Row | undefined =>
        db
          .prepare(
            `UPDATE job SET locked = ?, owner = ? WHERE id = (SELECT id FROM job WHERE name = ? AND disabled = 0 AND ${where}
              ORDER BY next_run, priority DESC LIMIT 1) RETURNING ${COLUMNS}`,
          )
          .get(ms(now) ?? Date.now(), options?.lastModifiedBy ?? null, name, limit)
      // Those of a node that died in the middle of them first: they wait already.
      const row = lock('locked <= ?', deadline.getTime()) ?? lock('locked IS NULL AND next_run <= ?', until.getTime())
      return row && jobOf(row)
    },
    getJobById: (id: string): JobParameters | null => {
      const row = byId(id)
      return row ? jobOf(row) : null
    },
    getQueueSize: (): number =>
      Number(db.prepare('SELECT count(*) FROM job WHERE next_run < ?').get(Date.now())?.[0] ?? 0),
    getDistinctJobNames: (): string[] =>
      db
        .prepare('SELECT DISTINCT name FROM job ORDER BY name')
        .all()
        .map(([name]) => String(name)),
    queryJobs: (options: JobsQueryOptions = {}) => {
      const {
        name,
        names,
        id,
        ids,
        search,
        data,
        state,
        includeDisabled = true,
        sort = {},
        skip = 0,
        limit = 0,
      } = options
      const now = Date.now()
      const found = removal({
        ...(name !== undefined && { name }),
        ...(name === undefined && names && { names }),
        ...(id !== undefined && { id }),
        ...(ids && { ids }),
        ...(data !== undefined && { data }),
      })
      const all: readonly Where[] = [
        ...(found ? [found] : []),
        ...(search ? [{ sql: 'instr(lower(name), lower(?)) > 0', values: [search] }] : []),
        ...(includeDisabled ? [] : [{ sql: 'disabled = 0', values: [] }]),
        ...(state === 'paused' ? [{ sql: 'disabled = 1', values: [] }] : []),
        ...(state !== undefined && state !== 'paused' ? [{ sql: `${STATE} = ?`, values: [now, now, state] }] : []),
      ]
      const where = all.length === 0 ? '' : `WHERE ${all.map(each => each.sql).join(' AND ')}`
      const values = all.flatMap(each => each.values)
      const columns = { nextRunAt: 'next_run', lastRunAt: 'last_run', lastFinishedAt: 'finished', priority: 'priority' }
      const order = Object.entries({ ...columns, name: 'name', data: 'data' }).flatMap(([member, column]) => {
        const direction = Object.entries(sort).find(([each]) => each === member)?.[1]
        return direction === undefined ? [] : [`${column} ${direction === -1 || direction === 'desc' ? 'DESC' : 'ASC'}`]
      })
      const ordered = order.length > 0 ? order.join(', ') : 'next_run DESC, last_run DESC'
      const rows = db
        .prepare(`SELECT ${COLUMNS} FROM job ${where} ORDER BY ${ordered}, id LIMIT ? OFFSET ?`)
        .all(...values, limit > 0 ? limit : -1, skip)
      const total = Number(db.prepare(`SELECT count(*) FROM job ${where}`).get(...values)?.[0] ?? 0)
      return { jobs: rows.map(jobOf).map(job => ({ ...job, state: computeJobState(job, new Date(now)) })), total }
    },
    getJobsOverview: () => {
      const now = Date.now()
      const none = { total: 0, running: 0, scheduled: 0, queued: 0, completed: 0, failed: 0, repeating: 0, paused: 0 }
      const overviews = new Map<string, Record<string, number>>()
      const rows = db
        .prepare(`SELECT name, ${STATE} AS state, count(*), sum(disabled) FROM job GROUP BY name, state ORDER BY name`)
        .all(now, now)
      for (const [name, state, count, paused] of rows) {
        const overview = overviews.get(String(name)) ?? { ...none }
        overview['total'] = (overview['total'] ?? 0) + Number(count)
        overview['paused'] = (overview['paused'] ?? 0) + Number(paused)
        overview[String(state)] = (overview[String(state)] ?? 0) + Number(count)
        overviews.set(String(name), overview)
      }
      return [...overviews].map(([name, counted]) => ({ ...none, ...counted, name }))
    },
    removeJobs: (options: RemoveJobsOptions): number => {
      const where = removal(options)
      return where ? change(`DELETE FROM job WHERE ${where.sql}`, where.values) : 0
    },
    disableJobs: (options: RemoveJobsOptions): number => {
      const where = removal(options)
      return where ? change(`UPDATE job SET disabled = 1 WHERE disabled = 0 AND ${where.sql}`, where.values) : 0
    },
    enableJobs: (options: RemoveJobsOptions): number => {
      const where = removal(options)
      return where ? change(`UPDATE job SET disabled = 0 WHERE disabled = 1 AND ${where.sql}`, where.values) : 0
    },
    purgeAllJobs: (): number => change('DELETE FROM job', []),

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
      const of = (state: JobState): number =>
        Number(db.prepare(`SELECT count(*) FROM job WHERE ${states[state]}`).get()?.[0] ?? 0)
      const oldest = db.prepare(`SELECT min(next_run) FROM job WHERE ${states.waiting}`).get()?.[0]
      const counted = { waiting: of('waiting'), running: of('running'), parked: of('parked') }
      return typeof oldest === 'number' ? { ...counted, oldest: new Date(oldest) } : counted
    },
    forget: (before: Date): number =>
      change(`DELETE FROM job WHERE ${states.done} AND finished < ?`, [before.getTime()]),
  }
}
export type Repository = ReturnType<typeof openRepository>
