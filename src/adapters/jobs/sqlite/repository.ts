/**
 * agenda's JobRepository in one SQLite file, without a thread: src/adapters/jobs/sqlite/worker.ts runs it in one of its own, each
 * call within a transaction.
 */
import {
  computeJobState,
  type DebounceOptions,
  type JobParameters,
  type JobsOverview,
  type JobsQueryOptions,
  type RemoveJobsOptions,
  toJobId,
} from 'agenda'
import { OwnError } from '../../../domain/own-error.ts'
import type { Sqlite, SqlValue } from '../../sqlite/database.ts'
import { AGENDA_STATE, joined, orderOf, query, removal, uniqueConditions, type Where } from './conditions.ts'
import { COLUMNS, jobOf, ms, placesFor, type Row, SAVED, STATE, savedValues, settingOf, stateValues } from './schema.ts'

type Options = { readonly lastModifiedBy?: string } | undefined

const INSERTED = `id, name, ${SAVED}, ${STATE}`

/** What of a job's state whoever saves it has stated: the rest stays, since somebody may be doing it. */
const stated = (job: JobParameters): readonly (readonly [column: string, value: SqlValue])[] => [
  ...(job.lockedAt === undefined ? [] : [['locked', ms(job.lockedAt)] as const]),
  ...(job.lastRunAt === undefined ? [] : [['last_run', ms(job.lastRunAt)] as const]),
  ...(job.lastFinishedAt === undefined ? [] : [['finished', ms(job.lastFinishedAt)] as const]),
  ...(job.failedAt === undefined ? [] : [['failed', ms(job.failedAt)] as const]),
  ...(job.failCount === undefined ? [] : [['failures', job.failCount] as const]),
  ...(job.failReason === undefined ? [] : [['reason', job.failReason] as const]),
  ...(job.progress === undefined ? [] : [['progress', job.progress] as const]),
]

/** `now`: milliseconds since 1970, of whoever asks. */
export const openRepository = (db: Sqlite, newId: () => string, now: () => number) => {
  const byId = (id: string): Row | undefined => db.prepare(`SELECT ${COLUMNS} FROM job WHERE id = ?`).get(id)
  const change = (sql: string, values: readonly SqlValue[]): number => db.prepare(sql).run(...values).changes
  const changeAll = (sql: string, where: Where | undefined): number =>
    where ? change(`${sql} ${where.sql}`, where.values) : 0

  const insert = (job: JobParameters, options: Options, id: string): number =>
    change(`INSERT OR IGNORE INTO job (${INSERTED}) VALUES (${placesFor(INSERTED)})`, [
      id,
      job.name,
      ...savedValues(job, options?.lastModifiedBy),
      ...stateValues(job),
    ])
  const inserted = (job: JobParameters, options: Options): JobParameters => {
    const id = newId()
    insert(job, options, id)
    return { ...job, _id: toJobId(id) }
  }
  const update = (id: string, job: JobParameters, options: Options): JobParameters => {
    const state = stated(job)
    change(`UPDATE job SET ${[SAVED, ...state.map(([column]) => column)].map(settingOf).join(', ')} WHERE id = ?`, [
      ...savedValues(job, options?.lastModifiedBy),
      ...state.map(([, value]) => value),
      id,
    ])
    const row = byId(id)
    return row ? jobOf(row) : job
  }
  const find = (where: Where): ReturnType<typeof jobOf> | undefined => {
    const row = db.prepare(`SELECT ${COLUMNS} FROM job WHERE ${where.sql} LIMIT 1`).get(...where.values)
    return row && jobOf(row)
  }

  /** DebounceOptions: `trailing` runs when nobody has saved it for `delay`, `maxWait` at most; `leading` at its first time. */
  const debounced = (
    job: JobParameters,
    there: JobParameters | undefined,
    { delay, maxWait, strategy = 'trailing' }: DebounceOptions,
  ): JobParameters => {
    const at = now()
    const started = there?.debounceStartedAt ?? new Date(at)
    if (strategy === 'leading')
      return { ...job, nextRunAt: there ? there.nextRunAt : job.nextRunAt, debounceStartedAt: started }
    if (there && maxWait !== undefined && maxWait > 0 && at - started.getTime() >= maxWait) {
      const { debounceStartedAt: _, ...begun } = job
      return { ...begun, nextRunAt: new Date(at) }
    }
    return { ...job, nextRunAt: new Date(at + delay), debounceStartedAt: started }
  }

  const save = (job: JobParameters, options: Options): JobParameters => {
    const { _id, unique, uniqueOpts } = job
    if (_id !== undefined) {
      const there = find({ sql: 'id = ? AND name = ?', values: [String(_id), job.name] })
      return there ? update(String(_id), job, options) : job
    }
    if (job.type === 'single') {
      const there = find({ sql: "name = ? AND json_extract(rest, '$.type') = 'single'", values: [job.name] })
      if (!there) return inserted(job, options)
      const due = ms(job.nextRunAt)
      // One that is due already keeps its time: it is not put off by being declared again.
      return update(
        String(there._id),
        due !== null && due <= now() ? { ...job, nextRunAt: there.nextRunAt } : job,
        options,
      )
    }
    if (!unique) return inserted(job, options)
    const there = find(joined([{ sql: 'name = ?', values: [job.name] }, ...uniqueConditions(unique)]))
    const debounce = uniqueOpts?.debounce
    const wanted = debounce ? debounced(job, there, debounce) : job
    if (!there) return inserted(wanted, options)
    return uniqueOpts?.insertOnly && !debounce ? there : update(String(there._id), wanted, options)
  }

  /** The urgent first: the largest priority that has one due, and of those the one that was due first. */
  const waiting = 'name = ? AND next_run IS NOT NULL AND locked IS NULL'
  const dueFirst = `WITH RECURSIVE level (priority) AS (
      SELECT max(priority) FROM job WHERE ${waiting}
      UNION ALL
      SELECT (SELECT max(priority) FROM job WHERE ${waiting} AND priority < level.priority)
        FROM level WHERE level.priority IS NOT NULL)
    SELECT id FROM (SELECT (SELECT id FROM job WHERE ${waiting} AND priority = level.priority AND next_run <= ?
        AND disabled = 0 ORDER BY next_run LIMIT 1) AS id FROM level) WHERE id IS NOT NULL LIMIT 1`
  const lapsedFirst = `SELECT id FROM job WHERE name = ? AND disabled = 0 AND locked IS NOT NULL AND locked <= ?
    ORDER BY priority DESC, next_run LIMIT 1`

  const agenda = {
    saveJob: save,
    saveJobState: (job: JobParameters, options: Options): void => {
      const changes = change(`UPDATE job SET ${settingOf(STATE)}, next_run = ?, owner = ? WHERE id = ? AND name = ?`, [
        ...stateValues(job),
        ms(job.nextRunAt),
        options?.lastModifiedBy ?? null,
        String(job._id),
        job.name,
      ])
      if (changes !== 1) throw new OwnError(`job ${job._id} (name: ${job.name}) is no longer there`)
    },
    lockJob: (job: JobParameters, options: Options): JobParameters | undefined => {
      const row = db
        .prepare(
          `UPDATE job SET locked = ?, owner = ? WHERE id = ? AND name = ? AND locked IS NULL AND next_run IS ? AND disabled = 0
            RETURNING ${COLUMNS}`,
        )
        .get(now(), options?.lastModifiedBy ?? null, String(job._id), job.name, ms(job.nextRunAt))
      return row && jobOf(row)
    },
    unlockJob: (job: JobParameters): void => {
      change('UPDATE job SET locked = NULL WHERE id = ? AND next_run IS NOT NULL', [String(job._id)])
    },
    unlockJobs: (ids: readonly string[]): void => {
      for (const id of ids) change('UPDATE job SET locked = NULL WHERE id = ?', [id])
    },
    getNextJobToRun: (name: string, until: Date, deadline: Date, at: Date | undefined, options: Options) => {
      // Those of a node that died in the middle of them first: they wait already.
      const [id] =
        db.prepare<readonly [string]>(lapsedFirst).get(name, deadline.getTime()) ??
        db.prepare<readonly [string]>(dueFirst).get(name, name, name, until.getTime()) ??
        []
      if (id === undefined) return undefined
      const row = db
        .prepare(`UPDATE job SET locked = ?, owner = ? WHERE id = ? RETURNING ${COLUMNS}`)
        .get(ms(at) ?? now(), options?.lastModifiedBy ?? null, id)
      return row && jobOf(row)
    },
    getJobById: (id: string): JobParameters | null => {
      const row = byId(id)
      return row ? jobOf(row) : null
    },
    getQueueSize: (): number => Number(db.prepare('SELECT count(*) FROM job WHERE next_run < ?').get(now())?.[0] ?? 0),
    getDistinctJobNames: (): string[] =>
      db
        .prepare('SELECT DISTINCT name FROM job ORDER BY name')
        .all()
        .map(([name]) => String(name)),
    queryJobs: (options: JobsQueryOptions = {}) => {
      const at = now()
      const { sort, skip = 0, limit = 0 } = options
      const { sql, values } = query(options, at)
      const where = sql === '' ? '' : `WHERE ${sql}`
      const rows = db
        .prepare(`SELECT ${COLUMNS} FROM job ${where} ORDER BY ${orderOf(sort)}, id LIMIT ? OFFSET ?`)
        .all(...values, limit > 0 ? limit : -1, skip)
      const total = Number(db.prepare(`SELECT count(*) FROM job ${where}`).get(...values)?.[0] ?? 0)
      return { jobs: rows.map(jobOf).map(job => ({ ...job, state: computeJobState(job, new Date(at)) })), total }
    },
    getJobsOverview: (): JobsOverview[] => {
      const at = now()
      const none = { total: 0, running: 0, scheduled: 0, queued: 0, completed: 0, failed: 0, repeating: 0, paused: 0 }
      const overviews = new Map<string, Record<keyof typeof none, number>>()
      const rows = db
        .prepare<readonly [string, keyof typeof none, number, number]>(
          `SELECT name, ${AGENDA_STATE} AS state, count(*), sum(disabled) FROM job GROUP BY name, state ORDER BY name`,
        )
        .all(at, at)
      for (const [name, state, count, paused] of rows) {
        const overview = overviews.get(name) ?? { ...none }
        overview.total += count
        overview.paused += paused
        overview[state] += count
        overviews.set(name, overview)
      }
      return [...overviews].map(([name, counted]) => ({ ...counted, name }))
    },
    removeJobs: (options: RemoveJobsOptions): number => changeAll('DELETE FROM job WHERE', removal(options)),
    disableJobs: (options: RemoveJobsOptions): number =>
      changeAll('UPDATE job SET disabled = 1 WHERE disabled = 0 AND', removal(options)),
    enableJobs: (options: RemoveJobsOptions): number =>
      changeAll('UPDATE job SET disabled = 0 WHERE disabled = 1 AND', removal(options)),
    purgeAllJobs: (): number => change('DELETE FROM job', []),
  }
  return { ...agenda, insert }
}
export type Repository = ReturnType<typeof openRepository>
