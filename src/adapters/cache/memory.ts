/** The cache in this process's memory, bounded whatever keys clients make up. Limits and claims are this node's own. */
import { LRUCache } from 'lru-cache'
import type { Cache, CachedValue } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'

type Claim = { readonly owner: string; readonly until: number }
type Window = { count: number; readonly until: number }
type Entry = { readonly cached: CachedValue; readonly until: number }

/** What an entry costs beside its text. */
const OVERHEAD_BYTES = 200

/**
 * `max` bounds the number of values, of invalidations, of claims and of windows, each for itself; `maxBytes` the values'
 * text, by default 64 MiB. Beyond it the least recently used is forgotten: for a claim that means a second one may be
 * granted, for a window that its count starts anew.
 */
export const openMemoryCache = (options: {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly max: number
  readonly maxBytes?: number
}): Cache => {
  const { clock, max, maxBytes = 64 * 1024 * 1024 } = options
  const entries = new LRUCache<string, Entry>({
    max,
    maxSize: maxBytes,
    sizeCalculation: ({ cached }, key) => 2 * (key.length + cached.value.length) + OVERHEAD_BYTES,
  })
  /** The floor of the keys that have none of their own: an invalidation that was forgotten still refuses older loads. */
  let forgotten = 0n
  const floors = new LRUCache<string, bigint>({
    max,
    dispose: (floor, _key, reason) => {
      if (reason === 'evict' && floor > forgotten) forgotten = floor
    },
  })
  const claims = new LRUCache<string, Claim>({ max })
  const windows = new LRUCache<string, Window>({ max })

  const floorOf = (key: string): bigint => floors.peek(key) ?? forgotten

  const read = (key: string): CachedValue | undefined => {
    const entry = entries.get(key)
    if (!entry) return undefined
    if (entry.until > clock.monotonic()) return entry.cached
    entries.delete(key)
    return undefined
  }

  const set = (key: string, cached: CachedValue, ttl: number): void => {
    if (cached.position < floorOf(key) || cached.position < (read(key)?.position ?? 0n)) return
    // A value too large to keep drops the older one: that must not stand in for it.
    entries.set(key, { cached, until: clock.monotonic() + ttl })
  }

  const invalidate = (key: string, position: bigint): void => {
    // A value from beyond the position reflects already what the invalidation is about.
    const known = read(key)
    if (known && known.position <= position) entries.delete(key)
    if (position > floorOf(key)) floors.set(key, position)
  }

  return {
    get: async key => read(key),
    set: async (key, value, ttl = Number.POSITIVE_INFINITY) => set(key, value, ttl),
    invalidate: async (keys, position) => {
      for (const key of keys) invalidate(key, position)
    },
    claim: async (key, owner, ttl) => {
      const held = claims.get(key)
      const now = clock.monotonic()
      if (held && held.until > now) return { claimed: false, owner: held.owner }
      claims.set(key, { owner, until: now + ttl })
      return { claimed: true, owner }
    },
    release: async (key, owner) => {
      if (claims.peek(key)?.owner === owner) claims.delete(key)
    },
    hit: async (key, window) => {
      const now = clock.monotonic()
      const open = windows.get(key)
      if (open && open.until > now) {
        open.count += 1
        return { count: open.count, resetMs: open.until - now }
      }
      windows.set(key, { count: 1, until: now + window })
      return { count: 1, resetMs: window }
    },
    clear: async () => {
      entries.clear()
      claims.clear()
      windows.clear()
    },
    close: async () => {
      entries.clear()
      claims.clear()
      windows.clear()
    },
  }
}
