/** How often and how much at once: counted by account, or by the address of a stranger. */
import { isIPv6 } from 'node:net'
import { LRUCache } from 'lru-cache'
import type { Cache, Hits } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RateClass } from './route.ts'

/** Requests a minute for each class; 0: not limited. `streams` at once. */
export type RateLimits = Readonly<Record<RateClass, number>> & { readonly streams: number }

export const defaultLimits: RateLimits = {
  reads: 600,
  suggest: 1200,
  search: 120,
  writes: 60,
  signIns: 10,
  streams: 2,
}

const WINDOW_MS = 60_000

/** Of the addresses that ask, most have asked a moment ago. */
const KEYS = 1_000

/** An IPv6 network hands out 2^64 addresses to one customer, so the /64 counts; a mapped IPv4 address is IPv4. */
const keyOf = (address: string): string => {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length)
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...after]
  return `${all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

const keys = new LRUCache<string, string>({ max: KEYS, memoMethod: keyOf })

/** What an address is counted by: the same is worked out once. */
export const addressKey = (address: string): string => keys.memo(address)

export type Hit = {
  readonly allowed: boolean
  /** RateLimit (draft-ietf-httpapi-ratelimit-headers): what is left, and for how many seconds. */
  readonly rateLimit: string
  readonly policy: string
  readonly retryAfter: number
}

export type Limits = {
  /** Counts one request; undefined where the class is not limited. */
  hit(rate: RateClass, counted: string): Promise<Hit> | Hit | undefined
  /** Takes one of the streams; undefined when all are taken. The function gives it back, once. */
  stream(counted: string): (() => void) | undefined
}

/** Counts on this node alone: what is left when the cache is down. */
const openLocalCounter = (clock: Clock) => {
  const windows = new LRUCache<string, { count: number; readonly until: number }>({ max: 50_000 })
  return (key: string) => {
    const now = clock.monotonic()
    const known = windows.get(key)
    const current = known && known.until > now ? known : { count: 0, until: now + WINDOW_MS }
    current.count += 1
    windows.set(key, current)
    return { count: current.count, resetMs: current.until - now }
  }
}

export const openLimits = (deps: {
  readonly cache: Pick<Cache, 'hit'>
  readonly clock: Clock
  readonly limits: RateLimits
}): Limits => {
  const { cache, limits } = deps
  const local = openLocalCounter(deps.clock)
  const streams = new Map<string, number>()
  const policies = Object.fromEntries(
    Object.entries(limits).map(([rate, quota]) => [rate, `"${rate}";q=${quota};w=${WINDOW_MS / 1000}`]),
  )

  const hitOf = (rate: RateClass, { count: hits, resetMs }: Hits): Hit => {
    const seconds = Math.max(1, Math.ceil(resetMs / 1000))
    return {
      allowed: hits <= limits[rate],
      rateLimit: `"${rate}";r=${Math.max(0, limits[rate] - hits)};t=${seconds}`,
      policy: policies[rate] ?? '',
      retryAfter: seconds,
    }
  }
  const count = (rate: RateClass, counted: string): Promise<Hit> | Hit => {
    const key = `limit:${rate}:${counted}`
    const counting = cache.hit(key, WINDOW_MS)
    return counting instanceof Promise
      ? counting.catch(() => local(key)).then(hits => hitOf(rate, hits))
      : hitOf(rate, counting)
  }

  return {
    hit: (rate, counted) => (limits[rate] === 0 ? undefined : count(rate, counted)),
    stream: counted => {
      const open = streams.get(counted) ?? 0
      if (limits.streams > 0 && open >= limits.streams) return undefined
      streams.set(counted, open + 1)
      let held = true
      return () => {
        if (!held) return
        held = false
        const left = (streams.get(counted) ?? 1) - 1
        if (left > 0) streams.set(counted, left)
        else streams.delete(counted)
      }
    },
  }
}
