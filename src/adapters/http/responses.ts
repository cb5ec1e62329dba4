/**
 * Answers of queries that are kept and given again, as each query's `caching` allows. What is kept is the bytes, with entity tag
 * and Link; who asks is part of nothing that is shared. However many ask at once for what is not there, it is loaded once:
 * by this node, and with a claim by one node.
 */

import { hash } from 'node:crypto'
import { later } from '../../core/log/positions.ts'
import type { Caching, Query } from '../../core/query/define.ts'
import { defined } from '../../domain/defined.ts'
import type { Permission } from '../../domain/roles.ts'
import type { Cache, CachedValue, Dependency, Life } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Asked, isClosed } from './asked.ts'
import { anyMatch, noneMatch } from './etags.ts'
import { fillingHeaders } from './filling.ts'
import { type Names, withNames } from './names.ts'
import { ProblemError } from './problems.ts'
import { type Answer, type EdgeRequest, header } from './route.ts'

/** A collection that a query reads: what reads of it reflect at least, as far as this node knows. */
export type Scope = { readonly name: string; readonly position: bigint }

/** What a query's answer is made of. `shared`: everybody would be answered so. */
export type Made = {
  readonly body: string
  /** Of the body in UTF-8, of one that is kept. */
  readonly bytes?: number
  readonly position: bigint
  readonly shared: boolean
  /** Of a dictionary that is being filled, in percent: another answer a moment later, which is kept by nobody. */
  readonly filling?: number
  readonly etag?: string
  readonly link?: string
  readonly note?: string
  /** The actors that it names by their ids. */
  readonly people?: readonly string[]
}

type Declared = Pick<Query<never, unknown>, 'name' | 'reads' | 'repeated' | 'closed'>

export type Responses = {
  /** From what is kept, or else from `make`. @throws what `make` throws. */
  answer<Input>(
    query: Declared & { readonly caching?: (input: Input) => Caching },
    input: Input,
    request: EdgeRequest,
    make: () => Promise<Made>,
  ): Promise<Answer>
}

/** Nothing that is never said to have changed lies longer; memory is given back. */
const UNCHANGED_MS = 10 * 60_000
/** Who has claimed a load has so long for it. */
const LOAD_MS = 2_000
/** How long another node's load is waited for, and how often it is looked for. */
const PATIENCE_MS = 150
const LOOK_MS = 10
/** Larger answers are few, and would push out many. */
const LARGEST = 256 * 1024

/** Stands in no header and in no id, and JSON escapes it. */
const SEPARATOR = '\u001f'

/**
 * First line: tag, Link, note (JSON, as people typed it) and the bytes of the body, then those who are named. The rest is the body as it is sent, but
 * for their names. Read for every answer that is given again, so that only what somebody typed is parsed.
 */
const textOf = ({ etag = '', link = '', note, people = [], body }: Made): string =>
  `${[etag, link, note === undefined ? '' : JSON.stringify(note), Buffer.byteLength(body), ...people].join(SEPARATOR)}\n${body}`

/** Undefined for what an other release has kept. */
const madeOf = ({ value, position }: CachedValue): Made | undefined => {
  const end = value.indexOf('\n')
  const [etag, link, note, length = '', ...people] = end < 0 ? [] : value.slice(0, end).split(SEPARATOR)
  const bytes = Number(length)
  if (note === undefined || length === '' || !Number.isInteger(bytes)) return undefined
  return {
    body: value.slice(end + 1),
    bytes,
    position,
    shared: true,
    ...defined({ etag: etag ? etag : undefined }),
    ...defined({ link: link ? link : undefined }),
    ...defined({ note: note !== '' ? String(JSON.parse(note)) : undefined }),
    ...defined({ people: people.length > 0 ? people : undefined }),
  }
}

const least = (positions: readonly bigint[]): bigint =>
  positions.reduce((low, each) => (each < low ? each : low), positions[0] ?? 0n)

const lifeOf = (caching: Exclude<Caching, { strategy: 'none' }>): Life =>
  caching.strategy === 'until-changed'
    ? { freshMs: UNCHANGED_MS, staleMs: 0 }
    : { freshMs: caching.seconds * 1_000, staleMs: caching.strategy === 'public' ? caching.staleSeconds * 1_000 : 0 }

const ownerOf = ({
  requester: { actor, permissions, inLanguages = new Map<string, ReadonlySet<Permission>>() },
}: EdgeRequest): readonly unknown[] => [
  actor?.kind ?? null,
  actor?.id ?? null,
  [...permissions].toSorted(),
  [...inLanguages].map(([range, more]) => [range, [...more].toSorted()]).toSorted(),
]

/** A strong tag by content, where no revision identifies the answer (RFC 9110, 8.8.3). */
const contentTag = (body: string): string => `"c.${hash('sha256', body, 'base64url').slice(0, 22)}"`

const isKept = ({ shared, filling }: Made): boolean => shared && filling === undefined

const tagged = (made: Made): Made =>
  made.etag === undefined && isKept(made) ? { ...made, etag: contentTag(made.body) } : made

/** Nothing in `names` can hold the separator: they are words of ours, and an address. What else it takes is JSON, and mostly empty. */
const keyOf = (names: readonly string[], [query, also, owner]: readonly unknown[]): string => {
  const plain = also === null && owner === null && Object.keys(Object(query)).length === 0
  return `${names.join(SEPARATOR)}${SEPARATOR}${plain ? '' : JSON.stringify([query, also, owner])}`
}

const answerOf = (made: Made, request: EdgeRequest, names: Names | undefined): Answer => {
  const { link, people, filling } = made
  const { body, etag } = withNames(made, names, request.requester)
  // It says nothing of names beyond where they are known.
  const position = people && names ? least([made.position, names.position()]) : made.position
  const headers = {
    headers: { ...defined({ link }), ...fillingHeaders(filling) },
    ...defined({ cache: filling === undefined ? undefined : 'private, no-store' }),
  }
  const whole = { status: 200, body, position, ...defined({ bytes: body === made.body ? made.bytes : undefined }) }
  if (etag === undefined) return { ...whole, ...headers }
  if (!anyMatch(header(request, 'if-match'), etag))
    throw new ProblemError('revision-stale', 'If-Match names none of what is there now: read again.')
  if (noneMatch(header(request, 'if-none-match'), etag)) return { status: 304, etag, position, ...headers }
  return { ...whole, etag, ...headers }
}

export const openResponses = (deps: {
  readonly cache: Pick<Cache, 'look' | 'keep' | 'claim' | 'release'>
  readonly clock: Pick<Clock, 'sleep'>
  readonly newId: () => string
  /** Absent where nobody has a name. */
  readonly names?: Names
  /** Of this release: another one may answer the same otherwise. */
  readonly version: string
  /** The collections of these read models; undefined while one has none, and for ever where nothing is to be kept. */
  readonly scopes: (reads: Declared['reads']) => Promise<readonly Scope[] | undefined>
  /** Told of each question whose answer everybody may get. */
  readonly onAsked?: (asked: Asked) => void
  /** Told what a load failed with that nobody waited for. */
  readonly onError?: (error: unknown) => void
}): Responses => {
  const { cache, clock, newId, version } = deps
  const flights = new Map<string, Promise<Made>>()

  type Plan = {
    readonly key: string
    readonly on: readonly Dependency[]
    readonly scopes: readonly Scope[]
    readonly caching: Exclude<Caching, { strategy: 'none' }>
    readonly after: bigint | undefined
    readonly make: () => Promise<Made>
  }

  /** Does the answer reflect all that an answer made now would, as far as its query cares? */
  const holds = ({ caching, scopes, after }: Plan, position: bigint, reached: readonly bigint[]): boolean =>
    caching.strategy === 'until-changed'
      ? scopes.every((scope, at) => later(position, reached[at] ?? 0n) >= scope.position)
      : after === undefined || position >= after

  const find = async (plan: Plan) => {
    const { found, reached, marks } = await cache.look(plan.key, plan.on)
    if (!found || !holds(plan, found.position, reached)) return { marks, made: undefined, fresh: false }
    const kept = madeOf(found)
    // Nothing it depends on has changed since, so it reflects that much too.
    const position = plan.caching.strategy === 'until-changed' ? later(found.position, least(reached)) : found.position
    return { marks, made: kept && { ...kept, position }, fresh: found.fresh }
  }

  const load = async (plan: Plan, marks: string | undefined): Promise<Made> => {
    const made = await plan.make()
    const keeps = made.filling === undefined && (plan.caching.strategy === 'private' || made.shared)
    if (marks !== undefined && keeps && made.body.length <= LARGEST)
      await cache.keep(plan.key, marks, { value: textOf(made), position: made.position }, lifeOf(plan.caching))
    return made
  }

  /** By one node, the others wait a moment for what it finds. */
  const loadOnce = async (plan: Plan, marks: string | undefined): Promise<Made> => {
    const { caching, key } = plan
    if (marks === undefined || caching.strategy === 'private') return load(plan, marks)
    if (caching.strategy === 'until-changed' && caching.cheap) return load(plan, marks)
    const owner = newId()
    if ((await cache.claim(`load ${key}`, owner, LOAD_MS)).claimed)
      try {
        return await load(plan, marks)
      } finally {
        void cache.release(`load ${key}`, owner)
      }
    for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
      await clock.sleep(LOOK_MS)
      const { made, fresh } = await find(plan)
      if (made && fresh) return made
    }
    return load(plan, marks)
  }

  const fly = (plan: Plan, marks: string | undefined): Promise<Made> => {
    const flight = loadOnce(plan, marks).finally(() => {
      if (flights.get(plan.key) === flight) flights.delete(plan.key)
    })
    flights.set(plan.key, flight)
    return flight
  }

  const get = async (plan: Plan, repeated: (made: Made) => Made): Promise<Made> => {
    const { made, fresh, marks } = await find(plan)
    if (made && fresh) return repeated(made)
    const flying = flights.get(plan.key)
    if (made) {
      // Late is better than waiting: whoever asks next has the new one.
      if (!flying) fly(plan, marks).catch(error => deps.onError?.(error))
      return repeated(made)
    }
    if (!flying) return fly(plan, marks)
    // What fails for another, or is only for them, says nothing about this one.
    const joined = await flying.catch(() => undefined)
    if (joined && isKept(joined) && holds(plan, joined.position, [])) return repeated(joined)
    return load(plan, marks)
  }

  return {
    answer: async (query, input, request, plain) => {
      const caching = query.caching?.(input) ?? { strategy: 'none' }
      const make = caching.strategy === 'none' ? plain : async () => tagged(await plain())
      const scopes = caching.strategy === 'none' ? undefined : await deps.scopes(query.reads)
      if (!scopes || caching.strategy === 'none') return answerOf(await make(), request, deps.names)
      const { path, after } = request
      const also = caching.strategy === 'until-changed' ? (caching.also ?? null) : null
      const owner = caching.strategy === 'private' ? ownerOf(request) : null
      const collections = scopes.map(({ name }) => name)
      const key = keyOf([query.name, version, ...collections, path], [request.query, also, owner])
      const on = collections.map(scope => ({ scope, tags: caching.tags }))
      const made = await get({ key, on, scopes, caching, after, make }, kept => {
        if (kept.note !== undefined && !request.requester.warming) query.repeated?.(kept.note)
        return kept
      })
      if (isKept(made) && caching.strategy !== 'private' && !request.requester.warming)
        deps.onAsked?.({ path, query: request.query, typed: !isClosed(query.closed, request.query) })
      return answerOf(made, request, deps.names)
    },
  }
}
