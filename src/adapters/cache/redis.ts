/**
 * The cache in Redis, shared by all nodes: values with their positions, claims, windows of limits. It is never waited for long
 * and never needed: away, slow, full or read-only it is passed over, claims and windows fall back to this node's own, and a
 * value is simply not there. Whether a value is fresh enough is decided by its position, where it is read, so an invalidation
 * that did not arrive costs nothing but memory.
 */
import { hash } from 'node:crypto'
import { defined } from '../../domain/defined.ts'
import type { Cache, Dependency, Look } from '../../ports/cache.ts'
import { openRedisClient, reasonOf, TIMED_OUT } from './redis-client.ts'
import { ADVANCE, CLAIM, HIT, KEEP, PRESENT, RELEASE } from './scripts.ts'

export type RedisCacheStatus = {
  readonly state: 'ready' | 'away'
  /** Why it is passed over, without its address; and how often it was, since the start. */
  readonly reason?: string
  readonly passedOver: number
}
export type RedisCache = Cache & {
  status(): RedisCacheStatus
  /** Asks it. @throws with what it answers. */
  ping(): Promise<void>
}

/** Longer than any value lives. One that ends early costs a load. */
const TAG_MS = 24 * 60 * 60 * 1_000
/** After a failure it is let alone for a moment, so that one slow server does not slow every request. */
const PAUSE_MS = 500
/** Answers too late, one pause apart, before it is called away: one alone may be this process that was held up. */
const LATE_MOST = 2
const digits = (position: bigint): string => position.toString().padStart(20, '0')

const isPresent = (value: unknown): value is string => typeof value === 'string'

/** Times with jitter: what was loaded together does not end together. */
const jittered = (ttl: number, random: () => number): number => Math.max(1, Math.round(ttl * (0.9 + 0.1 * random())))

/** A text in Redis: position, whether its freshness is timed, marks, line end, value. */
const keptIn = (text: string, marks: string, fresh: boolean): Look['found'] => {
  const end = text.indexOf('\n')
  if (end < 0 || text.slice(21, end) !== marks) return undefined
  return { value: text.slice(end + 1), position: BigInt(text.slice(0, 20)), fresh: fresh || text[20] === 'u' }
}

export type RedisCacheOptions = {
  readonly url: string
  /** Names apart what belongs to one log: another log's values are not ours. */
  readonly prefix: string
  readonly random: () => number
  /** What counts while Redis is away: claims and windows of this node alone. */
  readonly fallback: Cache
  readonly monotonic: () => number
  /** How long an answer is waited for, in milliseconds: a quarter of a second where nothing is said. */
  readonly answerMs?: number
  /** Told when it goes and when it is back. */
  readonly onChange?: (status: RedisCacheStatus) => void
}

/** Begins to connect and returns: a service starts without its cache. @throws {TypeError} on an address that is none. */
export const openRedisCache = (options: RedisCacheOptions): RedisCache => {
  const { url, prefix, random, fallback, monotonic, answerMs, onChange } = options
  const client = openRedisClient(url, answerMs === undefined ? {} : { answerMs })
  let reason: string | undefined = 'it has not answered yet'
  let pausedUntil = 0
  let passedOver = 0
  let late = 0
  let closed = false

  const status = (): RedisCacheStatus => ({
    state: reason === undefined ? 'ready' : 'away',
    passedOver,
    ...defined({ reason }),
  })
  /** What was told last: nothing at first, so that one that was never there is told of too. */
  let told: RedisCacheStatus['state'] | undefined
  const change = (to: string | undefined): void => {
    reason = to
    const { state } = status()
    if (state === told || closed) return
    told = state
    onChange?.(status())
  }
  const { events } = client
  events.on('error', (error: Error) => change(reasonOf(error)))
  events.on('end', () => change('the connection has ended'))
  events.on('close', () => change(reason ?? 'the connection was lost'))
  events.on('ready', () => {
    pausedUntil = 0
    change(undefined)
  })
  client.connect().catch(error => change(reasonOf(error)))

  /** What Redis answers, or what stands in for it. */
  const trying = async <T>(ask: () => Promise<T>, instead: () => T | Promise<T>): Promise<T> => {
    if (closed || !client.isReady() || monotonic() < pausedUntil) {
      passedOver += 1
      return instead()
    }
    try {
      const found = await ask()
      late = 0
      if (reason !== undefined) change(undefined)
      return found
    } catch (error) {
      const why = reasonOf(error)
      // Those that were asked together are late together, and count once.
      if (monotonic() >= pausedUntil) late = why === TIMED_OUT ? late + 1 : LATE_MOST
      pausedUntil = monotonic() + PAUSE_MS
      passedOver += 1
      if (late >= LATE_MOST) change(why)
      return instead()
    }
  }

  /** One hash tag for what belongs together; keys may hold anything, also braces. */
  const place = (kind: string, key: string): string =>
    `${prefix}{${hash('sha256', key, 'base64url').slice(0, 22)}}${kind}`

  const known = new Map<string, string>()
  /** By its digest: the text is sent where the server does not know it yet. */
  const run = (script: string, keys: number, ...rest: readonly (string | number)[]): Promise<unknown> => {
    const digest = known.get(script) ?? hash('sha1', script)
    known.set(script, digest)
    return client.run(digest, script, keys, rest)
  }

  const erase = (kinds: string): Promise<void> =>
    trying(
      () => client.unlinkMatching(`${prefix}{*}[${kinds}]`),
      () => undefined,
    )

  const scopeKey = (scope: string): string => place('s', scope)
  const tagKey = (scope: string, tag: string): string => place('t', `${scope} ${tag}`)
  // Marks only have to differ from each other.
  const mark = (): string => Math.floor(random() * 2 ** 52).toString(36)
  const nowhere = digits(0n)

  /** Scopes and tags that nobody has marked yet, marked by whoever is first. */
  const markAll = (keys: readonly string[], scopes: readonly string[]): Promise<void> =>
    client.setMissing(
      keys.map(key => [key, scopes.includes(key) ? nowhere + mark() : mark()]),
      TAG_MS,
    )

  const look = async (key: string, on: readonly Dependency[]): Promise<Look> => {
    const scopes = on.map(({ scope }) => scopeKey(scope))
    const tagged = on.flatMap(({ scope, tags }) => tags.map(tag => tagKey(scope, tag)))
    const standing = [...scopes, ...tagged]
    // Scopes before tags, tags before values, as each is written in the opposite order.
    const groups = [scopes, tagged, [place('v', key), place('n', key)]]
    let found = await client.read(groups)
    if (found.slice(0, standing.length).some(each => each === null)) {
      const missing = standing.filter((_, at) => found[at] === null)
      await markAll(missing, scopes)
      found = await client.read(groups)
    }
    const stood = found.slice(0, standing.length)
    const reached = stood.slice(0, scopes.length).map(each => BigInt(each?.slice(0, 20) ?? 0))
    // Evicted between the two commands: the next look marks them again.
    if (!stood.every(isPresent)) return { reached }
    const marks = stood.map((each, at) => (at < scopes.length ? each.slice(20) : each)).join()
    const [text, fresh] = found.slice(standing.length)
    const value = isPresent(text) ? keptIn(text, marks, isPresent(fresh)) : undefined
    return { reached, marks, ...defined({ found: value }) }
  }

  return {
    status,
    ping: () => client.ping(),
    look: (key, on) =>
      trying(
        () => look(key, on),
        () => ({ reached: on.map(() => 0n) }),
      ),
    keep: (key, marks, { value, position }, { freshMs, staleMs }) =>
      trying(
        async () => {
          const fresh = jittered(freshMs, random)
          const timed = staleMs > 0 ? 't' : 'u'
          const text = `${timed}${marks}\n${value}`
          await run(KEEP, 2, place('v', key), place('n', key), digits(position), text, fresh, fresh + staleMs)
        },
        () => undefined,
      ),
    changed: (scope, tags, from, to) =>
      trying(
        async () => {
          // One after the other: the scope must not be said to have come so far while a tag still stands.
          await client.unlink(tags.map(tag => tagKey(scope, tag)))
          await run(ADVANCE, 1, scopeKey(scope), digits(from), digits(to), mark())
        },
        () => undefined,
      ),
    forget: () => erase('v'),
    claim: (key, owner, ttl) =>
      trying(
        async () => {
          const before = await run(CLAIM, 1, place('c', key), owner, ttl)
          return isPresent(before) ? { claimed: false, owner: before } : { claimed: true, owner }
        },
        () => fallback.claim(key, owner, ttl),
      ),
    release: (key, owner) =>
      trying(
        async () => {
          await run(RELEASE, 1, place('c', key), owner)
        },
        () => fallback.release(key, owner),
      ),
    hit: (key, window) =>
      trying(
        async () => {
          const answer = await run(HIT, 1, place('h', key), window)
          const [count, resetMs] = Array.isArray(answer) ? answer.map(Number) : []
          if (count === undefined || resetMs === undefined)
            throw new TypeError('Redis answered something else than a count')
          return { count, resetMs }
        },
        () => fallback.hit(key, window),
      ),
    present: (group, member, text, ttl) =>
      trying(
        async () => {
          const answer = await run(PRESENT, 1, place('p', group), member, text, ttl)
          const said = Array.isArray(answer) ? answer.map(String) : []
          const pairs = said.flatMap((each, at) => (at % 2 === 0 ? [[each, said[at + 1] ?? ''] as const] : []))
          return { members: new Map(pairs), alone: false }
        },
        () => fallback.present(group, member, text, ttl),
      ),
    leave: (group, member) =>
      trying(
        () => client.dropMember(place('p', group), member),
        () => fallback.leave(group, member),
      ),
    clear: async () => {
      await fallback.clear()
      await erase('vnchp')
    },
    close: async () => {
      closed = true
      await fallback.close()
      client.close()
    },
  }
}

/** Its version, or why it cannot be used; writes one key that ends by itself. For `doctor`. */
export const askRedis = async (url: string): Promise<{ readonly version: string } | { readonly fault: string }> => {
  let why: string | undefined
  let client: ReturnType<typeof openRedisClient> | undefined
  try {
    client = openRedisClient(url, { once: true })
    client.events.on('error', (error: Error) => {
      why = reasonOf(error)
    })
    await client.connect()
    return { version: await client.probe('lexichron:doctor') }
  } catch (error) {
    // That the connection is closed says less than what closed it.
    return { fault: `Redis cannot be used: ${why ?? reasonOf(error)}` }
  } finally {
    client?.close()
  }
}
