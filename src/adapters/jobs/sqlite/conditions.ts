/** What agenda looks for jobs by, as conditions of SQL. */
import type { JobsQueryOptions, RemoveJobsOptions } from 'agenda'
import { defined } from '../../../domain/defined.ts'
import type { JobState } from '../../../ports/jobs.ts'
import type { SqlValue } from '../../sqlite/database.ts'

export type Where = { readonly sql: string; readonly values: readonly SqlValue[] }

const scalar = (value: unknown): SqlValue => {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  throw new TypeError('jobs are looked for by texts, numbers, truths and null in their data')
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** A condition on what stands at the path; of an object on each of its members, of anything else that it is the same. */
const at = (path: string, value: unknown): readonly Where[] => {
  if (isPlain(value))
    return Object.entries(value).flatMap(([name, inner]) => at(`${path}.${JSON.stringify(name)}`, inner))
  if (value === null) return [{ sql: 'json_extract(data, ?) IS NULL', values: [path] }]
  if (Array.isArray(value) || value instanceof Date)
    return [
      {
        sql: 'json_extract(data, ?) = json_extract(?, ?)',
        values: [path, JSON.stringify({ value }), '$.value'],
      },
    ]
  return [{ sql: 'json_extract(data, ?) = ?', values: [path, scalar(value)] }]
}

/** Columns that `unique` may name beside members of the data. */
const uniqueColumns: ReadonlyMap<string, string> = new Map([
  ['priority', 'priority'],
  ['nextRunAt', 'next_run'],
  ['lastModifiedBy', 'owner'],
])

/** Keys are field paths such as `data.userId`, as `JobParameters.unique` has them. */
export const uniqueConditions = (unique: Readonly<Record<string, unknown>>): readonly Where[] =>
  Object.entries(unique).flatMap(([field, value]): readonly Where[] => {
    if (field === 'name') return []
    const [first, ...rest] = field.split('.')
    if (first === 'data') return at(['$', ...rest.map(name => JSON.stringify(name))].join('.'), value)
    const column = rest.length === 0 ? uniqueColumns.get(field) : undefined
    if (column === undefined) throw new TypeError(`unique by ${field}: members of data, priority or nextRunAt can be`)
    const found = value instanceof Date ? value.getTime() : value === null ? null : scalar(value)
    return [{ sql: `${column} IS ?`, values: [found] }]
  })

const among = (column: string, values: readonly string[]): Where => ({
  sql: `${column} IN (${values.map(() => '?').join(', ')})`,
  values,
})
const not = ({ sql, values }: Where): Where => ({ sql: `NOT (${sql})`, values })
const given = (all: readonly unknown[] | undefined): boolean => all !== undefined && all.length > 0

/** Of several names for one thing the first counts, as with MongoDB's. */
const named = ({ name, names, notNames }: RemoveJobsOptions): readonly Where[] => {
  if (name !== undefined) return [{ sql: 'name = ?', values: [name] }]
  if (names && given(names)) return [among('name', names)]
  return notNames && given(notNames) ? [not(among('name', notNames))] : []
}
const identified = ({ id, ids }: RemoveJobsOptions): readonly Where[] => {
  if (id !== undefined) return [{ sql: 'id = ?', values: [String(id)] }]
  return ids && given(ids) ? [among('id', ids.map(String))] : []
}

export const joined = (all: readonly Where[]): Where => ({
  sql: all.map(({ sql }) => sql).join(' AND '),
  values: all.flatMap(({ values }) => values),
})

/** Undefined where no condition is stated: then nothing is meant, rather than everything. */
export const removal = (options: RemoveJobsOptions): Where | undefined => {
  const all = [...identified(options), ...named(options), ...(options.data === undefined ? [] : at('$', options.data))]
  return all.length === 0 ? undefined : joined(all)
}

/** As agenda's computeJobState says it; it is given the time twice. */
export const AGENDA_STATE = `CASE WHEN locked IS NOT NULL THEN 'running'
  WHEN failed IS NOT NULL AND (finished IS NULL OR failed >= finished) THEN 'failed'
  WHEN json_extract(rest, '$.repeatInterval') IS NOT NULL THEN 'repeating'
  WHEN next_run > ? THEN 'scheduled' WHEN next_run <= ? THEN 'queued' ELSE 'completed' END`

const inState = (state: NonNullable<JobsQueryOptions['state']>, now: number): Where =>
  state === 'paused' ? { sql: 'disabled = 1', values: [] } : { sql: `${AGENDA_STATE} = ?`, values: [now, now, state] }

export const query = (options: JobsQueryOptions, now: number): Where => {
  const { name, names, id, ids, search, data, state, includeDisabled = true } = options
  return joined([
    ...identified(defined({ id, ids: ids ?? undefined })),
    ...named(defined({ name, names: names ?? undefined })),
    ...(data === undefined ? [] : at('$', data)),
    ...(search ? [{ sql: 'instr(lower(name), lower(?)) > 0', values: [search] }] : []),
    ...(includeDisabled ? [] : [{ sql: 'disabled = 0', values: [] }]),
    ...(state === undefined ? [] : [inState(state, now)]),
  ])
}

const sortable: ReadonlyMap<string, string> = new Map([
  ['nextRunAt', 'next_run'],
  ['lastRunAt', 'last_run'],
  ['lastFinishedAt', 'finished'],
  ['priority', 'priority'],
  ['name', 'name'],
  ['data', 'data'],
])

/** In the order in which agenda's own backend takes the members, whatever the order they are stated in. */
export const orderOf = (sort: JobsQueryOptions['sort']): string => {
  const stated = new Map(Object.entries(sort ?? {}))
  const order = [...sortable].flatMap(([member, column]) => {
    const direction = stated.get(member)
    if (direction === undefined) return []
    return [`${column} ${direction === -1 || direction === 'desc' ? 'DESC' : 'ASC'}`]
  })
  return order.length > 0 ? order.join(', ') : 'next_run DESC, last_run DESC'
}

/** The states of our port, which are fewer; each has an index of its own. */
export const states: Readonly<Record<JobState, string>> = {
  running: 'locked IS NOT NULL',
  waiting: 'locked IS NULL AND next_run IS NOT NULL',
  parked: 'failures > 0 AND next_run IS NULL AND locked IS NULL',
  done: 'failures = 0 AND next_run IS NULL AND locked IS NULL',
}
