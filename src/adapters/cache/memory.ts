/** The cache in this process's memory, bounded whatever keys clients make up. Limits and claims are this node's own. */
import { type Memory, openMemory } from '../../core/memory/memory.ts'
import { defined } from '../../domain/defined.ts'
import type { Cache, CachedValue, Dependency, Life } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'

type Claim = { readonly owner: string; readonly until: number }
type Window = { count: number; readonly until: number }
type Member = { readonly text: string; readonly until: number }
type Entry = {
  readonly cached: CachedValue
  readonly marks: string
  readonly freshUntil: number
  readonly until: number
}
type Scope = { reached: bigint; mark: number }

/** For the values of a cache that is given no memory, a quarter of it. */
const OWN_BYTES = 256 * 1024 * 1024
const CHARACTER_BYTES = 2
const MEMBER_BYTES = 200

/**
 * `max` bounds the number of values, of tags, of claims and of windows, each for itself, and `memory` their bytes. Beyond either the
 * least recently used is forgotten: for a tag that means that nothing under it is found again, for a claim that a second one may be
 * granted, for a window that its count starts anew.
 */
export const openMemoryCache = (options: {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly max: number
  readonly memory?: Pick<Memory, 'region'>
}): Cache => {
  const { clock, max, memory = openMemory(OWN_BYTES) } = options
  const entries = memory.region('answers').cache<Entry>({
    max,
    sizeOf: ({ cached, marks }) => CHARACTER_BYTES * (cached.value.length + marks.length),
  })
  // No mark is given out twice, so one that was forgotten or changed never comes back.
  let marked = 0
  const nothingMore = (): number => 0
  const scopes = memory.region('tags').cache<Scope>({ max, sizeOf: nothingMore })
  const tags = memory.region('tags').cache<number>({ max, sizeOf: nothingMore })
  const claims = memory.region('claims').cache<Claim>({ max, sizeOf: ({ owner }) => CHARACTER_BYTES * owner.length })
  const windows = memory.region('counts').cache<Window>({ max, sizeOf: nothingMore })
  const groups = memory
    .region('counts')
    .cache<Map<string, Member>>({ max, sizeOf: members => members.size * MEMBER_BYTES })

  const scopeOf = (name: string): Scope => {
    const known = scopes.get(name)
    if (known) return known
    marked += 1
    const scope = { reached: 0n, mark: marked }
    scopes.set(name, scope)
    return scope
  }
  const tagOf = (scope: string, tag: string): number => {
    const name = `${scope} ${tag}`
    const known = tags.get(name)
    if (known !== undefined) return known
    marked += 1
    tags.set(name, marked)
    return marked
  }
  /** Of all that an answer depends on: how it stands, and how far it is. */
  const standingOf = (on: readonly Dependency[]): { readonly marks: string; readonly reached: readonly bigint[] } => {
    let marks = ''
    const reached: bigint[] = []
    for (const { scope, tags } of on) {
      const known = scopeOf(scope)
      marks += `${known.mark};`
      reached.push(known.reached)
      for (const tag of tags) marks += `${tagOf(scope, tag)},`
    }
    return { marks, reached }
  }

  const find = (key: string, marks: string) => {
    const entry = entries.get(key)
    if (!entry) return undefined
    const now = clock.monotonic()
    if (entry.until > now && entry.marks === marks) return { ...entry.cached, fresh: entry.freshUntil > now }
    entries.delete(key)
    return undefined
  }

  const keep = (key: string, marks: string, cached: CachedValue, { freshMs, staleMs }: Life): void => {
    const now = clock.monotonic()
    const known = entries.peek(key)
    if (known && known.until > now && known.cached.position > cached.position) return
    // A value too large to keep drops the older one: that must not stand in for it.
    entries.set(key, { cached, marks, freshUntil: now + freshMs, until: now + freshMs + staleMs })
  }

  const changed = (name: string, changes: readonly string[], from: bigint, to: bigint): void => {
    for (const tag of changes) tags.delete(`${name} ${tag}`)
    const scope = scopeOf(name)
    if (scope.reached < from) {
      marked += 1
      scope.mark = marked
    }
    if (scope.reached < to) scope.reached = to
  }

  const clear = (): void => {
    entries.clear()
    claims.clear()
    windows.clear()
    groups.clear()
  }

  return {
    look: async (key, on) => {
      const { marks, reached } = standingOf(on)
      const found = find(key, marks)
      return { reached, marks, ...defined({ found }) }
    },
    keep: async (key, marks, value, life) => keep(key, marks, value, life),
    changed: async (scope, changes, from, to) => changed(scope, changes, from, to),
    forget: async () => entries.clear(),
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
    hit: (key, window) => {
      const now = clock.monotonic()
      const open = windows.get(key)
      if (open && open.until > now) {
        open.count += 1
        return { count: open.count, resetMs: open.until - now }
      }
      windows.set(key, { count: 1, until: now + window })
      return { count: 1, resetMs: window }
    },
    present: async (group, member, text, ttl) => {
      const now = clock.monotonic()
      const members = groups.get(group) ?? new Map<string, Member>()
      groups.set(group, members.set(member, { text, until: now + ttl }))
      for (const [name, { until }] of members) if (until <= now) members.delete(name)
      return { members: new Map([...members].map(([name, { text: said }]) => [name, said])), alone: true }
    },
    leave: async (group, member) => {
      groups.get(group)?.delete(member)
    },
    clear: async () => clear(),
    close: async () => clear(),
  }
}
