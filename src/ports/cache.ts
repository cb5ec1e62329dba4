/**
 * A cache that may forget at any time and is never the truth: slower without it, never wrong. Values are texts, loaded from
 * scopes (the collections of read models) and found under a key for as long as nothing was said to have changed that they
 * depend on. What has changed is said by tags; a value that was loaded before a tag of its changed is never found again.
 */
export type Cache = {
  /** The value under the key, if all of its tags in all of the scopes stand as they stood before it was loaded. */
  look(key: string, on: readonly Dependency[]): Promise<Look>
  /**
   * Keeps what was loaded after the look that gave `marks`. Refused over a value of a later position; not found again if
   * a tag has changed since that look.
   */
  keep(key: string, marks: string, value: CachedValue, life: Life): Promise<void>
  /**
   * What holds one of the tags has changed in the scope between the two positions, nothing else has. Said in order by the
   * one writer of the scope, after the change can be read: should a call be missing, everything in the scope is forgotten.
   */
  changed(scope: string, tags: readonly string[], from: bigint, to: bigint): Promise<void>
  /** Erases all values, claims and windows stay. */
  forget(): Promise<void>
  /** Claims the key for `ttl` ms; true for the one caller that got it. */
  claim(key: string, owner: string, ttl: number): Promise<{ readonly claimed: boolean; readonly owner: string }>
  release(key: string, owner: string): Promise<void>
  /** Counts one hit in a window of `window` ms; at once where that takes no waiting, as every request is counted. */
  hit(key: string, window: number): Promise<Hits> | Hits
  /** Says for `ttl` ms that the member of the group is there, with a text about it; all who are there now. */
  present(group: string, member: string, text: string, ttl: number): Promise<Present>
  leave(group: string, member: string): Promise<void>
  clear(): Promise<void>
  close(): Promise<void>
}

/** How many there are now, and the ms until the window ends. */
export type Hits = { readonly count: number; readonly resetMs: number }

/** By member, what it said last. `alone`: members of other processes cannot be seen, and are not among them. */
export type Present = { readonly members: ReadonlyMap<string, string>; readonly alone: boolean }

export type Dependency = { readonly scope: string; readonly tags: readonly string[] }

/** `position`: what it reflects of the log, at least. */
export type CachedValue = { readonly value: string; readonly position: bigint }

/** Milliseconds for which a value is fresh, and how long it is found after that. Times vary a little from value to value. */
export type Life = { readonly freshMs: number; readonly staleMs: number }

export type Look = {
  readonly found?: CachedValue & { readonly fresh: boolean }
  /** By dependency: nothing that it names has changed up to this position since the value was loaded. */
  readonly reached: readonly bigint[]
  /** For `keep`; none when nothing can be kept now. */
  readonly marks?: string
}
