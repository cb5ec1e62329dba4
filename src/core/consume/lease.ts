/**
 * Who works for a consumer: one record `{owner, token, beat}`, changed by compare-and-swap alone. The holder raises beat
 * every 2 s; a challenger takes it, with the next token, when it saw no change for 8 s of its own monotonic clock: clocks
 * of two machines are never compared. Nobody waits where the owner's name proves that its process has ended, nor for an
 * earlier hold of one's own, which a store that went away has cut short. Writes are fenced by the token, so that a holder
 * who slept through it does no harm.
 */
import type { Clock } from '../../ports/clock.ts'
import { type Lease, type ReadStore, ReadStoreError } from '../../ports/read-store.ts'

export const BEAT_MS = 2_000
export const TAKEOVER_MS = 8_000
/** How often a challenger looks. */
const LOOK_MS = 500

/**
 * Why it could be taken: nobody held it (`free`), an earlier hold of one's own (`own`), a holder whose process is known to have
 * ended (`ended`), or one that was silent for too long (`silent`).
 */
export type Takeover = 'free' | 'own' | 'ended' | 'silent'

export type HeldLease = {
  readonly token: number
  readonly takeover: Takeover
  /** Aborts when the lease is no longer ours. */
  readonly lost: AbortSignal
  /** Asks the store whether it is ours still, before something that no token fences. @throws {ReadStoreError} fenced. */
  confirm(): Promise<void>
  /** Leaves it free for the next at once. */
  release(): Promise<void>
}

/** What a challenger saw last, and since when: kept over attempts, as a store that fails now and then is no beat. */
export type Sight = { text: string | undefined; since: number }

export type LeaseOptions = {
  readonly store: Pick<ReadStore, 'record' | 'swap'>
  readonly consumer: string
  /** Unique to this process, in which at most one works for the consumer: a lease of this name is one that it gave up. */
  readonly owner: string
  readonly sight?: Sight
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>
  readonly signal: AbortSignal
  /** True only when the owner's process is known to have ended: whoever it is then need not be waited for. */
  readonly hasEnded?: (owner: string) => boolean
  /** A token that ours has to exceed beside the lease's own: that of the checkpoint, should the lease have been damaged. */
  readonly above?: () => Promise<number>
}

export const leaseRecord = (consumer: string): string => `lease:${consumer}`

/** Undefined too for a record that is damaged: nobody holds that. */
const parse = (text: string | undefined): Lease | undefined => {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('owner' in value) || !('token' in value)) return undefined
    const { owner, token } = value
    return typeof owner === 'string' && Number.isSafeInteger(token) ? (value as Lease) : undefined
  } catch {
    return undefined
  }
}

/**
 * The token of a lease that was never held: the time, so that it is above every token of a store that was deleted and
 * begun anew, whose last holder may not know yet that it is gone. It is compared with other tokens only.
 */
const firstToken = (clock: Pick<Clock, 'now'>): number => clock.now().getTime()

const format = (lease: Lease): string => JSON.stringify({ owner: lease.owner, token: lease.token, beat: lease.beat })

const hold = (options: LeaseOptions, taken: Lease, takeover: Takeover): HeldLease => {
  const { store, clock, consumer, signal } = options
  const name = leaseRecord(consumer)
  const lost = new AbortController()
  const ended = new AbortController()
  const over = AbortSignal.any([ended.signal, lost.signal])
  let current = taken
  const beating = (async () => {
    let confirmed = clock.monotonic()
    while (!over.aborted) {
      await clock.sleep(BEAT_MS, over)
      if (over.aborted) return
      const next = { ...current, beat: current.beat + 1 }
      try {
        if (await store.swap(name, format(current), format(next))) {
          current = next
          confirmed = clock.monotonic()
          continue
        }
        // An answer that was lost on the way may have raised it.
        if ((await store.record(name)) === format(next)) {
          current = next
          confirmed = clock.monotonic()
          continue
        }
        lost.abort()
      } catch {
        // Unreachable: others may take it when this long has passed, so it counts as lost then.
        if (clock.monotonic() - confirmed >= TAKEOVER_MS) lost.abort()
      }
    }
  })()
  return {
    token: taken.token,
    takeover,
    lost: lost.signal,
    confirm: async () => {
      const held = parse(await store.record(name))
      if (held?.owner === taken.owner && held.token === taken.token) return
      lost.abort()
      throw new ReadStoreError('fenced', `${consumer}: the lease was taken by another node`)
    },
    release: async () => {
      ended.abort()
      await beating
      if (lost.signal.aborted) return
      try {
        await store.swap(name, format(current), format({ owner: '', token: current.token, beat: current.beat }))
      } catch (error) {
        // It lapses by itself; a process that goes away must not fail on it.
        if (!(error instanceof ReadStoreError)) throw error
      }
      if (signal.aborted) lost.abort()
    },
  }
}

/** Why nobody has to wait for this lease, if so. */
const openTo = (lease: Lease | undefined, { owner, hasEnded }: LeaseOptions): Takeover | undefined => {
  if (!lease || lease.owner === '') return 'free'
  if (lease.owner === owner) return 'own'
  return hasEnded?.(lease.owner) === true ? 'ended' : undefined
}

/** Waits until the lease is ours; undefined when the signal aborts first. @throws {ReadStoreError} */
export const acquireLease = async (options: LeaseOptions): Promise<HeldLease | undefined> => {
  const { store, consumer, owner, clock, signal } = options
  const name = leaseRecord(consumer)
  const sight = options.sight ?? { text: undefined, since: clock.monotonic() }
  while (!signal.aborted) {
    const text = await store.record(name)
    const lease = parse(text)
    if (text !== sight.text) {
      sight.text = text
      sight.since = clock.monotonic()
    }
    const silent = clock.monotonic() - sight.since >= TAKEOVER_MS
    const takeover = openTo(lease, options) ?? (silent ? 'silent' : undefined)
    if (takeover) {
      const least = Math.max(lease?.token ?? 0, (await options.above?.()) ?? 0) + 1
      const mine = { owner, token: lease ? least : Math.max(least, firstToken(clock)), beat: 0 }
      if (await store.swap(name, text, format(mine))) return hold(options, mine, takeover)
    }
    await clock.sleep(LOOK_MS, signal)
  }
  return undefined
}
