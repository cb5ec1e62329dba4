/** The HTTP edge over stores in memory, with every fault of what lies behind it to be had at will. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import Type from 'typebox'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import type { HttpDeps, HttpSettings } from '../../src/adapters/http/deps.ts'
import { defaultLimits } from '../../src/adapters/http/limits.ts'
import type { Requester } from '../../src/adapters/http/route.ts'
import { analyticsRoutes } from '../../src/adapters/http/routes/analytics.ts'
import { type EntryQueries, entryRoutes } from '../../src/adapters/http/routes/entries.ts'
import { type HistoryEdge, historyRoutes } from '../../src/adapters/http/routes/history.ts'
import { type OperationPort, operationRoutes } from '../../src/adapters/http/routes/operations.ts'
import { securityTextRoute } from '../../src/adapters/http/routes/security-text.ts'
import { type HttpServer, openHttpServer } from '../../src/adapters/http/server.ts'
import { openMetrics } from '../../src/adapters/metrics/metrics.ts'
import { problemsOf } from '../../src/app/area.ts'
import { areas } from '../../src/app/areas.ts'
import { roleRightsOf } from '../../src/app/declared.ts'
import type { Log } from '../../src/core/log/log.ts'
import { openLog } from '../../src/core/log/open.ts'
import { ProjectionError } from '../../src/core/project/errors.ts'
import type { View, ViewDocument } from '../../src/core/project/view.ts'
import { openExecutor } from '../../src/core/write/execute.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { defined } from '../../src/domain/defined.ts'
import { dayEvents } from '../../src/domain/entry/day.ts'
import { entryIdOf } from '../../src/domain/entry/entry.ts'
import { entryEvents } from '../../src/domain/entry/events.ts'
import { entryAggregate } from '../../src/domain/entry/state.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import { refuse } from '../../src/domain/refusal.ts'
import type { Role } from '../../src/domain/roles.ts'
import { parseQuery } from '../../src/domain/search/query.ts'
import { openTurns } from '../../src/domain/turns.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { compareKeysets, keysetOf, matches } from '../../src/ports/conditions.ts'
import type { AppendResult } from '../../src/ports/event-store.ts'
import type { AnalyticsDocument } from '../../src/projections/analytics.ts'
import { type EntryDocument, entriesProjection } from '../../src/projections/entries.ts'
import { searchProjection } from '../../src/projections/search.ts'
import { analytics } from '../../src/queries/analytics.ts'
import { wordOfTheDay } from '../../src/queries/days.ts'
import { type EntryPasts, entryHistory, FOLDS_AT_ONCE, FOLDS_OF_ONE, getEntry } from '../../src/queries/entries.ts'
import { randomEntry } from '../../src/queries/entry-draw.ts'
import { exportEntries } from '../../src/queries/entry-export.ts'
import { listEntries } from '../../src/queries/entry-lists.ts'
import { entryView } from '../../src/queries/entry-view.ts'
import { SearchItemSchema } from '../../src/queries/search-entries.ts'
import { patientClock } from './clocks.ts'
import { noHistory } from './history.ts'
import { openMemoryEventStore } from './memory-event-store.ts'
import { openMemoryKeys } from './memory-keys.ts'
import { anonymousPermissions, permissionsOf, roleRights } from './roles.ts'

type Teardown = { teardown(fn: () => unknown): unknown }

/** What is wrong at the moment; a test sets and clears it. */
export type Faults = {
  append?: () => AppendResult | Promise<AppendResult>
  read?: Error
  behind?: boolean
  deafMs?: number
  unready?: boolean
  /** Are answers kept? They are not where nobody knows which read model they are of. */
  keeps?: boolean
  generation?: string
  /** How much of the dictionary is there, in percent. */
  filling?: number
  revoked?: Set<string>
}

export type Edge = {
  readonly url: string
  readonly server: HttpServer
  readonly deps: HttpDeps
  readonly queries: EntryQueries
  readonly faults: Faults
  /** The log lines written so far. */
  readonly lines: string[]
  /** An access token of the role. */
  token(role: Role, name?: string): string
}

/** The entries read model as a fold on every look: slow and always right. */
const openMemoryView = (log: Log, faults: Faults) => {
  let position = 0n
  const documents = async (): Promise<ViewDocument<EntryDocument>[]> => {
    if (faults.read) throw faults.read
    const found = new Map<string, ViewDocument<EntryDocument>>()
    for await (const batch of log.readAll(0n, { categories: ['entry'] })) {
      for (const event of batch.events) {
        const id = entryIdOf(event)
        const body = entriesProjection.evolve(found.get(id)?.body, event, id)
        if (body) found.set(id, { id, body, position: event.position })
        else found.delete(id)
      }
      position = batch.position > position ? batch.position : position
    }
    return [...found.values()]
  }
  const generation = () => faults.generation ?? '1.1'
  const view: View<EntryDocument> = {
    name: 'entries',
    get: async ids => new Map((await documents()).filter(({ id }) => ids.includes(id)).map(each => [each.id, each])),
    find: async ({ where, order, after, limit }, asked) => {
      if (asked !== undefined && asked !== generation()) throw new ProjectionError('cursor-expired', 'gone')
      const sorted = (await documents())
        .filter(({ body }) => where.every(condition => matches(body, condition)))
        .map(document => ({ document, keyset: keysetOf(order, document.id, document.body) }))
        .toSorted((a, b) => compareKeysets(order, a.keyset, b.keyset))
        .filter(({ keyset }) => after === undefined || compareKeysets(order, keyset, after) > 0)
      const page = sorted.slice(0, limit)
      const next = sorted.length > limit ? (page.at(-1)?.keyset ?? null) : null
      const found = page.map(({ document }) => document)
      return { documents: found, next, examined: sorted.length, generation: generation(), position }
    },
    select: async (query, members, asked) => {
      const page = await view.find(query, asked)
      const rows = page.documents.map(({ id, body }) => {
        const document: JsonObject = body
        return { id, members: members.map(member => document[member] ?? null) }
      })
      return { ...page, documents: rows }
    },
    count: async ({ where }) =>
      (await documents()).filter(({ body }) => where.every(condition => matches(body, condition))).length,
    generation,
    position: () => position,
    waitFor: async () => undefined,
    ready: async () => true,
  }
  return view
}

const SearchPageSchema = Type.Object({
  items: Type.Array(SearchItemSchema),
  next: Type.Union([Type.String(), Type.Null()]),
})

/** Finds every published entry, whatever is asked for: what search finds is not the edge's business. */
const search = (view: View<EntryDocument>): EntryQueries['searchEntries'] => ({
  name: 'search-entries',
  ofAll: true,
  permission: 'entries:read',
  output: SearchPageSchema,
  reads: [searchProjection],
  run: async ({ q, limit, after }) => {
    const query = parseQuery(q, { language: undefined, fuzzy: 0 })
    if ('fault' in query) return refuse(query.fault, query.detail)
    const where = [{ member: 'status', op: 'eq' as const, value: 'published' }]
    const key = Array.isArray(after?.key) ? { after: after.key } : {}
    const found = await view.find({ where, order: ['sortKey'], limit, ...key }, after?.generation)
    const items = found.documents.map(({ id, body }) => ({
      entry: entryView(id, body, body.revision),
      matched: 'exact',
      highlights: [],
    }))
    const next = found.next ? { generation: view.generation(), key: found.next } : null
    return { value: { items, next }, position: view.position() }
  },
})

/** A day's figures of a service in which nothing was ever counted. */
const nothingCounted: View<AnalyticsDocument> = {
  name: 'analytics',
  get: async () => new Map(),
  count: async () => 0,
  find: async () => ({ documents: [], next: null, examined: 0, generation: '1.1', position: 0n }),
  select: async () => {
    throw new Error('Nothing selects figures.')
  },
  generation: () => '1.1',
  position: () => 0n,
  waitFor: async () => undefined,
  ready: async () => true,
}

export type EdgeOptions = {
  readonly settings?: Partial<HttpSettings>
  readonly keys?: ReturnType<typeof openMemoryKeys>
  readonly logId?: string
  readonly deps?: Partial<HttpDeps>
  readonly queries?: Partial<EntryQueries>
  readonly history?: HistoryEdge
}

const openDeps = (
  options: EdgeOptions,
  faults: Faults,
  lines: string[],
  people: Map<string, Requester>,
): HttpDeps & { readonly queries: EntryQueries } => {
  const clock: Clock = { ...patientClock(), now: () => new Date() }
  const keys = options.keys ?? openMemoryKeys()
  const store = openMemoryEventStore({ now: () => new Date(), logId: options.logId ?? randomUUID() })
  const plain = openLog({ store, keys, types: [...entryEvents, ...dayEvents] })
  const log: Log = { ...plain, append: async append => (faults.append ? faults.append() : plain.append(append)) }
  const entries = openTransactor({ aggregate: entryAggregate, log, clock, random: Math.random, cachedStreams: 1000 })
  const cache = openMemoryCache({ clock, max: 10_000 })
  const view = openMemoryView(log, faults)
  const reads: EntryPasts = { entries: view, log, streams: entries, folds: openTurns(FOLDS_AT_ONCE, FOLDS_OF_ONE) }
  const pointOf = (seed: string | undefined): string => (seed === undefined ? randomUUID() : '')
  const queries: EntryQueries = {
    getEntry: getEntry(reads),
    listEntries: listEntries(reads),
    entryHistory: entryHistory(reads),
    randomEntry: randomEntry(reads, pointOf),
    wordOfTheDay: wordOfTheDay({
      reads,
      clock,
      pointOf,
      chosen: async () => undefined,
      choose: async (language, _date, entryId) => {
        const result = await faults.append?.()
        return result?.outcome === 'unknown' ? undefined : { language, entryId }
      },
    }),
    exportEntries: exportEntries(reads),
    searchEntries: search(view),
    suggestEntries: {
      name: 'suggest-entries',
      ofAll: true,
      permission: 'entries:read',
      output: Type.Object({ items: Type.Array(Type.Unknown()) }),
      reads: [searchProjection],
      run: async () => ({ value: { items: [] }, position: view.position() }),
    },
    ...options.queries,
  }
  const metrics = openMetrics({ version: '0.0.0', runtime: 'test', snapshot: async () => ({ ready: true }) })
  const operation: OperationPort = {
    roles: roleRightsOf(areas),
    version: '0.0.0',
    metrics,
    jwks: async () => ({ keys: [] }),
    health: async () => ({
      state: faults.unready ? 'failed' : 'ok',
      ready: !faults.unready,
      ...defined({ filling: faults.filling }),
      parts: { eventStore: { state: 'ok', ageMs: 3, lag: '0', detail: { path: 'memory' } } },
    }),
  }
  const routes: HttpDeps['routes'] = [
    entryRoutes({ transactor: entries, queries }),
    edge => analyticsRoutes(analytics({ analytics: nothingCounted }), edge),
    edge => historyRoutes({ ...edge, ...(options.history ?? noHistory) }),
    edge => [...operationRoutes(operation, edge), securityTextRoute(edge)],
  ]
  return {
    settings: {
      allowedOrigins: [],
      securityContact: 'mailto:security@dictionary.example',
      trustedProxies: [],
      limits: defaultLimits,
      connections: 0,
      ...options.settings,
    },
    version: '0.0.0',
    execute: openExecutor({ cache, clock, newId: randomUUID }),
    queries,
    routes,
    problems: problemsOf(areas),
    freshness: {
      scopes: async () => (faults.keeps ? [{ name: 'entries@1#1', position: view.position() }] : undefined),
      position: () => view.position(),
      waitFor: async () => {
        if (faults.behind) throw new ProjectionError('projection-behind', 'entries has not reached the position')
      },
    },
    log,
    keys,
    authority: {
      authenticate: token => (faults.revoked?.has(token) ? undefined : people.get(token)),
      current: () => undefined,
      strangers: anonymousPermissions,
      deafFor: () => faults.deafMs ?? 0,
      reached: async () => true,
    },
    filling: () => faults.filling,
    cache,
    clock,
    newId: randomUUID,
    metrics,
    logger: pino({ base: null }, { write: line => void lines.push(line) }),
    ...options.deps,
  }
}

/** Opens the edge on a free port; it closes with the test. */
export const openEdge = async (t: Teardown, options: EdgeOptions = {}): Promise<Edge> => {
  const faults: Faults = {}
  const lines: string[] = []
  const people = new Map<string, Requester>()
  const { queries, ...deps } = openDeps(options, faults, lines, people)
  const server = await openHttpServer(deps)
  t.teardown(() => server.close())
  const { address } = await server.listen('127.0.0.1', 0)
  const token = (role: Role, name = 'somebody'): string => {
    const text = `token-of.${role}.${name}`
    people.set(text, { actor: { kind: 'service', id: `${role}-${name}` }, ...roleRights.rights(permissionsOf(role)) })
    return text
  }
  return { url: address, server, deps, queries, faults, lines, token }
}
