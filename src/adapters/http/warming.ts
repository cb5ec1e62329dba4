/**
 * Loads the answers that are asked for most before somebody asks: after a start, and when a rebuilt read model has taken the
 * place of the old one and all that was kept of it is useless. In the background, one after the other, so that it delays
 * nobody. What people typed stays in this process's memory; only addresses without free text are kept for the next start.
 */
import type { Logger } from 'pino'
import { isObject } from '../../domain/json.ts'
import type { Permission } from '../../domain/roles.ts'
import { type Clock, waitAtMost } from '../../ports/clock.ts'
import type { Asked } from './asked.ts'
import type { HotKeys } from './hot-keys.ts'
import type { EdgeRequest, Route } from './route.ts'
import type { Freshness } from './route-query.ts'

/** The list across starts; src/app/warming.ts keeps it. */
export type HotRecords = {
  load(): Promise<readonly string[]>
  save(keys: readonly string[]): Promise<void>
  /** Does the cache know of all of these scopes up to where they have changed? */
  heard(scopes: readonly string[]): Promise<boolean>
}

export type Warming = { asked(asked: Asked): void; start(): void; close(): Promise<void> }

/** Answers loaded at once, and those kept for the next start. */
const MOST = 200
const LOOK_MS = 1_000
const SAVE_MS = 5 * 60_000
/**
 * So long it is waited for that the cache has heard where changes go on from: what was kept before that is forgotten then. Where
 * another node folds and each has a cache of its own, that is never.
 */
const HEARD_MS = 12_000
const HEARD_LOOK_MS = 100
/** Between two loads, so that requests come first. */
const BREATH_MS = 2
/** So long the end of a service waits for what is being loaded, and for the list to be kept. */
const LEAVE_MS = 2_000
/** Longer keys are few, and not worth their memory. */
const LONGEST_KEY = 300
const TYPED = 't'
const PLAIN = 'p'

const keyOf = ({ path, query, typed }: Asked): string => `${typed ? TYPED : PLAIN}${JSON.stringify([path, query])}`
/** Undefined for what an other release has kept. */
const askedOf = (key: string): Pick<Asked, 'path' | 'query'> | undefined => {
  try {
    const parts: unknown = JSON.parse(key.slice(1))
    if (!Array.isArray(parts) || parts.length !== 2) return undefined
    const [path, query]: readonly unknown[] = parts
    return typeof path === 'string' && isObject(query) ? { path, query } : undefined
  } catch {
    return undefined
  }
}

/** The route of a path, with its parameters: a path of its own before one that has some. */
const openFinder = (routes: readonly Route[]) => {
  const known = routes
    .filter(({ method }) => method === 'GET')
    .map(route => ({ route, parts: route.path.split('/') }))
    .toSorted((a, b) => a.route.path.split(':').length - b.route.path.split(':').length)
  return (path: string): { readonly route: Route; readonly params: Record<string, string> } | undefined => {
    const given = path.split('/')
    const found = known.find(
      ({ parts }) =>
        parts.length === given.length && parts.every((part, at) => part.startsWith(':') || part === given[at]),
    )
    if (!found) return undefined
    const named = found.parts.flatMap((part, at) =>
      part.startsWith(':') ? [[part.slice(1), given[at] ?? ''] as const] : [],
    )
    return { route: found.route, params: Object.fromEntries(named) }
  }
}

export const openWarming = (deps: {
  readonly hot: HotKeys
  readonly records: HotRecords
  readonly routes: () => readonly Route[]
  /** Of the read models that what is warmed is made of. */
  readonly scopes: () => ReturnType<Freshness['scopes']>
  readonly strangers: ReadonlySet<Permission>
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly newId: () => string
  readonly logger: Logger
}): Warming => {
  const { hot, records, clock, logger } = deps
  const ending = new AbortController()
  const { signal } = ending
  let running: Promise<void> | undefined

  const requestOf = (asked: Pick<Asked, 'path' | 'query'>, params: Record<string, string>): EdgeRequest => ({
    id: deps.newId(),
    address: () => '',
    method: 'GET',
    ...asked,
    params,
    body: undefined,
    headers: {},
    requester: { permissions: deps.strangers, warming: true },
    counted: '',
    after: undefined,
  })
  const warm = async (keys: readonly string[]): Promise<void> => {
    const began = clock.monotonic()
    const find = openFinder(deps.routes())
    let answers = 0
    for (const key of keys.slice(0, MOST)) {
      if (signal.aborted) return
      const asked = askedOf(key)
      const found = asked && find(asked.path)
      if (!asked || !found) continue
      // What is gone, or asked otherwise by now, is none to keep.
      const done = await Promise.resolve(found.route.handle(requestOf(asked, found.params))).catch(() => undefined)
      if (done) answers += 1
      await clock.sleep(BREATH_MS, signal)
    }
    if (answers > 0)
      logger.info({ part: 'cache', answers, ms: Math.round(clock.monotonic() - began) }, 'answers were warmed')
  }
  const heard = async (scopes: readonly string[]): Promise<void> => {
    const until = clock.monotonic() + HEARD_MS
    while (!signal.aborted && clock.monotonic() < until && !(await records.heard(scopes)))
      await clock.sleep(HEARD_LOOK_MS, signal)
  }
  const save = () => records.save(hot.top(MOST).filter(key => key.startsWith(PLAIN)))
  const complain = (err: unknown): void => logger.warn({ part: 'cache', err }, 'answers were not warmed')

  const run = async (): Promise<void> => {
    let names: string | undefined
    let savedAt = clock.monotonic()
    while (!signal.aborted) {
      try {
        const scopes = await deps.scopes()
        const found = scopes?.map(({ name }) => name).join()
        if (scopes && found !== names) {
          const first = names === undefined
          names = found
          await heard(scopes.map(({ name }) => name))
          await warm(first ? await records.load() : hot.top(MOST))
        }
        if (clock.monotonic() - savedAt >= SAVE_MS) {
          savedAt = clock.monotonic()
          await save()
          hot.age()
        }
      } catch (error) {
        complain(error)
      }
      await clock.sleep(LOOK_MS, signal)
    }
  }

  return {
    asked: asked => {
      if (isObject(asked.query) && 'cursor' in asked.query) return
      const key = keyOf(asked)
      if (key.length <= LONGEST_KEY) hot.hit(key)
    },
    start: () => {
      running ??= run()
    },
    close: async () => {
      if (signal.aborted) return
      ending.abort()
      if (!running) return
      await waitAtMost(clock, LEAVE_MS, running.then(save).catch(complain))
    },
  }
}
