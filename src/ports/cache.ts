/** A cache that may forget at any time and is never the truth: slower without it, never wrong. Values are JSON texts. */
export type Cache = {
  /** The value and the log position it reflects. */
  get(key: string): Promise<CachedValue | undefined>
  /** Stores unless a value or an invalidation of a later position is known for the key. `ttl` in milliseconds. */
  set(key: string, value: CachedValue, ttl?: number): Promise<void>
  /** Forgets the keys, and refuses loads that are older than `position` from now on. */
  invalidate(keys: readonly string[], position: bigint): Promise<void>
  /** Claims the key for `ttl` ms; true for the one caller that got it. */
  claim(key: string, owner: string, ttl: number): Promise<{ readonly claimed: boolean; readonly owner: string }>
  release(key: string, owner: string): Promise<void>
  /** Counts one hit in a window of `window` ms: how many there are now, and the ms until the window ends. */
  hit(key: string, window: number): Promise<{ readonly count: number; readonly resetMs: number }>
  clear(): Promise<void>
  close(): Promise<void>
}

export type CachedValue = { readonly value: string; readonly position: bigint }
