/**
 * The cache in Redis, shared by all nodes: values with their positions, claims, windows of limits. It is never waited for long
 * and never needed: away, slow, full or read-only it is passed over, claims and windows fall back to this node's own, and a
 * value is simply not there. Whether a value is fresh enough is decided by its position, where it is read, so an invalidation
 * that did not arrive costs nothing but memory.
 */
import { hash } from 'node:crypto'
import { Redis, type RedisOptions } from 'ioredis'
import type { Cache, CachedValue } from '../../ports/cache.ts'
import { CLAIM, HIT, INVALIDATE, RELEASE, SET } from './scripts.ts'

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

/** A call that takes longer costs more than what it saves. */
const COMMAND_MS = 250
const CONNECT_MS = 2_000
const LONGEST_RETRY_MS = 2_000
/** Loads take seconds at most: an older one than this is no longer on its way. */
const FLOOR_MS = 10 * 60 * 1_000
/** After a failure it is let alone for a moment, so that one slow server does not slow every request. */
const PAUSE_MS = 500

const digits = (position: bigint): string => position.toString().padStart(20, '0')

const isPresent = (value: unknown): value is string => typeof value === 'string'

/** Times with jitter: what was loaded together does not end together. */
const jittered = (ttl: number, random: () => number): number => Math.max(1, Math.round(ttl * (0.9 + 0.1 * random())))

const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  if (/^OOM/.test(text))
    return 'it is full and evicts nothing (OOM): set maxmemory-policy to allkeys-lru, or give it more'
  if (/^READONLY/.test(text)) return 'it is a replica and takes no writes (READONLY): name the primary'
  if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(text)) return `it refuses the user or the password (${text.split(' ')[0]})`
  if (/unknown command|ERR syntax/i.test(text))
    return `it does not know a command: Redis 5 is the oldest that is supported (${text.slice(0, 80)})`
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code !== '' ? code : text.slice(0, 120)
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

const clientOptions = {
  ...{ lazyConnect: true, connectTimeout: CONNECT_MS, commandTimeout: COMMAND_MS, enableOfflineQueue: false },
  ...{ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, enableReadyCheck: true },
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), LONGEST_RETRY_MS),
  // A failover leaves the old primary as a replica: the address is asked anew who is primary.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions

/** Begins to connect and returns: a service starts without its cache. @throws {TypeError} on an address that is none. */
export const openRedisCache = (options: RedisCacheOptions): RedisCache => {
  const { url, prefix, random, fallback, monotonic, answerMs = COMMAND_MS, onChange } = options
  const client = new Redis(url, { ...clientOptions, commandTimeout: answerMs })
  let reason: string | undefined = 'it has not answered yet'
  let pausedUntil = 0
  let passedOver = 0
  let closed = false

  const status = (): RedisCacheStatus => ({
    ...{ state: reason === undefined ? 'ready' : 'away', passedOver },
    ...(reason !== undefined && { reason }),
  })
  const change = (to: string | undefined): void => {
    const turned = (reason === undefined) !== (to === undefined)
    reason = to
    if (turned) onChange?.(status())
  }
  client.on('error', error => change(reasonOf(error)))
  client.on('end', () => change('the connection has ended'))
  client.on('close', () => change(reason ?? 'the connection was lost'))
  client.on('ready', () => {
    pausedUntil = 0
    change(undefined)
  })
  client.connect().catch(error => change(reasonOf(error)))

  /** What Redis answers, or what stands in for it. */
  const trying = async <T>(ask: () => Promise<T>, instead: () => T | Promise<T>): Promise<T> => {
    if (closed || client.status !== 'ready' || monotonic() < pausedUntil) {
      passedOver += 1
      return instead()
    }
    try {
      const found = await ask()
      if (reason !== undefined) change(undefined)
      return found
    } catch (error) {
      pausedUntil = monotonic() + PAUSE_MS
      passedOver += 1
      change(reasonOf(error))
      return instead()
    }
  }

  /** One hash tag for what belongs together; keys may hold anything, also braces. */
  const place = (kind: string, key: string): string =>
    `${prefix}{${hash('sha256', key, 'base64url').slice(0, 22)}}${kind}`

  const parsed = (stored: string | null): CachedValue | undefined =>
    stored === null || stored.length < 21
      ? undefined
      : { position: BigInt(stored.slice(0, 20)), value: stored.slice(21) }

  return {
    status,
    ping: async () => {
      await client.ping()
    },
    get: key =>
      trying(
        async () => parsed(await client.get(place('v', key))),
        () => undefined,
      ),
    set: (key, { value, position }, ttl) =>
      trying(
        async () => {
          const life = ttl === undefined || ttl === Number.POSITIVE_INFINITY ? 0 : jittered(ttl, random)
          await client.eval(SET, 2, place('v', key), place('f', key), value, digits(position), life)
        },
        () => undefined,
      ),
    invalidate: (keys, position) =>
      trying(
        async () => {
          const all = keys.map(key =>
            client.eval(INVALIDATE, 2, place('v', key), place('f', key), digits(position), FLOOR_MS),
          )
          await Promise.all(all)
        },
        () => undefined,
      ),
    claim: (key, owner, ttl) =>
      trying(
        async () => {
          const before = await client.eval(CLAIM, 1, place('c', key), owner, ttl)
          return isPresent(before) ? { claimed: false, owner: before } : { claimed: true, owner }
        },
        () => fallback.claim(key, owner, ttl),
      ),
    release: (key, owner) =>
      trying(
        async () => {
          await client.eval(RELEASE, 1, place('c', key), owner)
        },
        () => fallback.release(key, owner),
      ),
    hit: (key, window) =>
      trying(
        async () => {
          const answer = await client.eval(HIT, 1, place('h', key), window)
          const [count, resetMs] = Array.isArray(answer) ? answer.map(Number) : []
          if (count === undefined || resetMs === undefined)
            throw new TypeError('Redis answered something else than a count')
          return { count, resetMs }
        },
        () => fallback.hit(key, window),
      ),
    clear: async () => {
      await fallback.clear()
      await trying(
        async () => {
          let cursor = '0'
          do {
            const [next, found] = await client.scan(cursor, 'MATCH', `${prefix}{*}[vch]`, 'COUNT', 1_000)
            if (found.length > 0) await client.unlink(...found)
            cursor = next
          } while (cursor !== '0')
        },
        () => undefined,
      )
    },
    close: async () => {
      closed = true
      await fallback.close()
      client.disconnect()
    },
  }
}

/** Its version, or why it cannot be used; writes one key that ends by itself. For `doctor`. */
export const askRedis = async (url: string): Promise<{ readonly version: string } | { readonly fault: string }> => {
  const client = new Redis(url, { ...clientOptions, commandTimeout: CONNECT_MS, retryStrategy: () => null })
  let why: string | undefined
  client.on('error', error => {
    why = reasonOf(error)
  })
  try {
    await client.connect()
    await client.set('lexichron:doctor', '1', 'PX', 1_000)
    return { version: /redis_version:([^\r\n]+)/.exec(await client.info('server'))?.[1] ?? 'of an unknown version' }
  } catch (error) {
    return { fault: `Redis cannot be used: ${why ?? reasonOf(error)}` }
  } finally {
    client.disconnect()
  }
}
