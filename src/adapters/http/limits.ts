/** How often, how much work, and how much at once: counted by account, or by the address of a stranger. */
import { isIPv6 } from 'node:net'
import { LRUCache } from 'lru-cache'
import { defined } from '../../domain/defined.ts'
import type { Cache, Hits } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RateClass } from './route.ts'

/** Requests a minute for each class; `streams` at once; work in units a minute. 0: not limited. */
export type RateLimits = Readonly<Record<RateClass, number>> & {
  readonly streams: number
  /** Of an address without an account. */
  readonly addressWork: number
  readonly accountWork: number
}

/** Units of work, which are a millisecond of a core, that a request takes at least, by its class. */
const DECLARED: Readonly<Record<RateClass, number>> = { reads: 1, suggest: 1, search: 4, writes: 4, signIns: 60 }
/** Units that one key or event takes which is examined for it. */
const EXAMINED = 0.01

/** Who is counted: a stranger by the address. */
export type Counted = { readonly name: string; readonly isKnown: boolean }

export const defaultLimits: RateLimits = {
  reads: 600,
  suggest: 1200,
  search: 120,
  writes: 60,
  signIns: 10,
  streams: 2,
  addressWork: 6_000,
  accountWork: 30_000,
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
  /** The limit that is used up: a class, or work. */
  readonly used?: RateClass | 'work'
  /** RateLimit (draft-ietf-httpapi-ratelimit-headers): what is left, and for how many seconds. */
  readonly rateLimit: string
  readonly policy: string
  readonly retryAfter: number
}

export type Limits = {
  /** Counts one request and the work that its class declares; undefined where neither is limited. */
  hit(rate: RateClass, counted: Counted): Promise<Hit> | Hit | undefined
  /** So many keys or events were examined for what was counted before. */
  examined(counted: Counted, keys: number): void
  /** Takes one of the streams; undefined when all are taken. The function gives it back, once. */
  stream(counted: string): (() => void) | undefined
}

/** Counts on this node alone: what is left when the cache is down. */
const openLocalCounter = (clock: Clock) => {
  const windows = new LRUCache<string, { count: number; readonly until: number }>({ max: 50_000 })
  return (key: string, units = 1) => {
    const now = clock.monotonic()
    const known = windows.get(key)
    const current = known && known.until > now ? known : { count: 0, until: now + WINDOW_MS }
    current.count += units
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
  // A core is a node's own, so that what is taken of it is counted by each node for itself.
  const work = openLocalCounter(deps.clock)
  const streams = new Map<string, number>()
  const policyOf = (name: string, quota: number): string => `"${name}";q=${quota};w=${WINDOW_MS / 1000}`

  type Part = { readonly name: RateClass | 'work'; readonly quota: number; readonly hits: Hits }
  const hitOf = (parts: readonly [Part, ...Part[]]): Hit => {
    const secondsOf = ({ hits: { resetMs } }: Part): number => Math.max(1, Math.ceil(resetMs / 1000))
    const left = ({ quota, hits: { count } }: Part): number => Math.max(0, Math.floor(quota - count))
    const over = parts.filter(({ quota, hits: { count } }) => count > quota)
    return {
      ...defined({ used: over[0]?.name }),
      rateLimit: parts.map(part => `"${part.name}";r=${left(part)};t=${secondsOf(part)}`).join(', '),
      policy: parts.map(({ name, quota }) => policyOf(name, quota)).join(', '),
      retryAfter: Math.max(...(over.length > 0 ? over : parts).map(secondsOf)),
    }
  }
  const workOf = ({ name, isKnown }: Counted, units: number): Part | undefined => {
    const quota = isKnown ? limits.accountWork : limits.addressWork
    return quota === 0 ? undefined : { name: 'work', quota, hits: work(name, units) }
  }
  const count = (rate: RateClass, { name }: Counted): Promise<Hits> | Hits => {
    const key = `limit:${rate}:${name}`
    const counting = cache.hit(key, WINDOW_MS)
    return counting instanceof Promise ? counting.catch(() => local(key)) : counting
  }

  return {
    hit: (rate, counted) => {
      const spent = workOf(counted, DECLARED[rate])
      const quota = limits[rate]
      if (quota === 0) return spent && hitOf([spent])
      const both = (hits: Hits): Hit => hitOf([{ name: rate, quota, hits }, ...(spent ? [spent] : [])])
      const hits = count(rate, counted)
      return hits instanceof Promise ? hits.then(both) : both(hits)
    },
    examined: (counted, keys) => void workOf(counted, keys * EXAMINED),
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
