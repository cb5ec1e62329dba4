/**
 * The loop that every consumer of the log runs, projections and subscribers alike: lease, checkpoint, batches in order,
 * retries of what is parked. One node at a time works; the others wait for its lease.
 */

import { defined } from '../../domain/defined.ts'
import type { Recorded } from '../../domain/event.ts'
import { describeFailure } from '../../domain/own-error.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import { type Checkpoint, type CollectionName, type ConsumerStore, ReadStoreError } from '../../ports/read-store.ts'
import { type Log, placeAfter, UndecodableEventError } from '../log/log.ts'
import { acquireLease, BEAT_MS, type HeldLease, type Sight, type Takeover } from './lease.ts'
import { isOfLog, restingOn } from './mark.ts'
import { retryDone, retryRequested } from './parking.ts'

export type ConsumerState = 'starting' | 'following' | 'building' | 'stopped' | 'waiting-for-lease'

/** What one holder of the lease does with events. Calls never overlap. */
export type Session = {
  /** Takes events in order; `checkpoint` is stored with or after their effects. May return before they are stored. */
  process(events: readonly Recorded[], checkpoint: Checkpoint): Promise<void>
  /** Everything taken is stored. @throws what storing it threw. */
  drain(): Promise<void>
  /** Tries again what is parked, with all that waited, up to the checkpoint. */
  retry(checkpoint: Checkpoint): Promise<void>
  /** How many events to take at once. */
  size(): number
}

/** What a consumer tells about single events and its lease: for the log of the service, with the trace that an event carries. */
export type ConsumerTrace = {
  /** It works from here on, under a lease with this token. */
  readonly leased?: (consumer: string, takeover: Takeover, token: number) => void
  /** Another process works for it from here on: this one was not heard of for too long, as when the machine slept. */
  readonly lost?: (consumer: string) => void
  /** The session has taken these events, in this order. */
  readonly taken?: (consumer: string, events: readonly Recorded[]) => void
  /** The event failed: its document or key (`id`) waits from here on. */
  readonly parked?: (consumer: string, id: string, event: Recorded, error: unknown) => void
}

/** What consumers use of the log. */
export type ConsumedLog = Pick<Log, 'logId' | 'subscribe' | 'readFrom' | 'readStream' | 'head' | 'markAt'>

export type ConsumeOptions = {
  readonly consumer: string
  readonly filter: LogFilter
  readonly log: ConsumedLog
  readonly store: ConsumerStore
  readonly clock: Clock
  /** Unique to this process. */
  readonly nodeId: string
  /** Whether the process of another node's id is known to have ended: its lease is taken over at once. */
  readonly hasEnded?: (nodeId: string) => boolean
  readonly signal: AbortSignal
  /** The collection that the checkpoint speaks for: without it a checkpoint that has come anywhere is worth nothing. */
  readonly collection?: CollectionName
  /** Where it begins that has no checkpoint, asked with the lease held; before the first event by default. */
  readonly first?: () => Promise<bigint>
  /** With the lease held and the checkpoint fenced. `failed` is told what goes wrong after `process` returned. */
  readonly open: (held: {
    readonly token: number
    /** Where the session begins. */
    readonly from: bigint
    readonly failed: (error: unknown) => void
  }) => Promise<Session>
  /**
   * Nobody waits for it to have passed over what it does not want: how far that is is stored with its next events, or at the next beat
   * of the lease. A crash in between costs reading over it once more.
   */
  readonly passesLightly?: true
  /** At the head of the log for the first time, everything stored: false ends the loop. */
  readonly onCaughtUp?: () => Promise<boolean>
  readonly onState?: (state: ConsumerState, error?: string) => void
  readonly onProgress?: (position: bigint, events: number) => void
  readonly trace?: ConsumerTrace | undefined
  /** Wakes the look for retries. */
  readonly nudge?: { wake: () => void }
}

/**
 * `aborted`: by the signal. `finished`: onCaughtUp said so. `foreign`: the checkpoint is another log's, or of a history
 * that this log does not have. `gone`: the collection was dropped. `stopped`: this build cannot read an event.
 */
export type ConsumeEnd = 'aborted' | 'finished' | 'foreign' | 'gone' | 'stopped'

/** Says each fault once until it goes on: a full disk is tried in vain for hours. */
export const complaining = (say: (error: string) => void): ((state: ConsumerState, error?: string) => void) => {
  let said: string | undefined
  return (state, error) => {
    if (state === 'following') said = undefined
    if (error === undefined || error === said) return
    said = error
    say(error)
  }
}

const BACKOFF_FIRST_MS = 100
const BACKOFF_MOST_MS = 5_000

/** Does the log have what the checkpoint says was read? */
const belongs = async (log: ConsumeOptions['log'], checkpoint: Checkpoint): Promise<boolean> => {
  try {
    return await isOfLog(log, checkpoint)
  } catch (error) {
    // It is there, though this build cannot read it.
    if (error instanceof UndecodableEventError) return true
    throw error
  }
}

/** One at a time, in the order asked. */
const exclusively = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const mine = last.then(work, work)
    last = mine.catch(() => undefined)
    return mine
  }
}

const follow = async (options: ConsumeOptions, lease: HeldLease, from: Checkpoint): Promise<'aborted' | 'finished'> => {
  const { log, store, clock, consumer, filter, signal, onState, onProgress } = options
  const broken = new AbortController()
  let failure: unknown
  const failed = (error: unknown): void => {
    failure ??= error
    broken.abort()
  }
  const inner = AbortSignal.any([signal, lease.lost, broken.signal])
  const session = await options.open({ token: lease.token, from: from.position, failed })
  const alone = exclusively()
  let checkpoint = from
  let caughtUp = false
  let passing = false

  const storePassed = async (): Promise<void> => {
    if (!passing) return
    passing = false
    await session.process([], checkpoint)
  }
  const lookForRetry = async (): Promise<void> => {
    const request = await retryRequested(store, consumer)
    if (request === undefined) return
    await alone(async () => {
      await session.drain()
      await session.retry(checkpoint)
    })
    await retryDone(store, consumer, request)
  }
  const looking = (async () => {
    while (!inner.aborted) {
      const woken = new AbortController()
      if (options.nudge) options.nudge.wake = () => woken.abort()
      try {
        await alone(storePassed)
        await lookForRetry()
      } catch (error) {
        return failed(error)
      }
      await clock.sleep(BEAT_MS, AbortSignal.any([inner, woken.signal]))
    }
  })()

  const take = async (events: readonly Recorded[], position: bigint): Promise<void> => {
    const last = events.at(-1)
    const { mark } = await placeAfter(log, { events, position })
    checkpoint = { ...checkpoint, position, eventId: restingOn(mark, last, checkpoint) }
    passing = caughtUp && events.length === 0 && options.passesLightly === true
    if (!passing) await session.process(events, checkpoint)
    onProgress?.(position, events.length)
    options.trace?.taken?.(consumer, events)
  }
  const takeBatch = async (events: readonly Recorded[], position: bigint): Promise<void> => {
    if (events.length === 0 && position > checkpoint.position) return alone(() => take(events, position))
    for (let at = 0; at < events.length && !inner.aborted; ) {
      const chunk = events.slice(at, at + session.size())
      at += chunk.length
      // Between two chunks of a page, only what was taken is behind the checkpoint.
      const upTo = at >= events.length ? position : (chunk.at(-1)?.position ?? position)
      await alone(() => take(chunk, upTo))
    }
  }

  try {
    for await (const batch of log.subscribe(from.position, filter, inner)) {
      await takeBatch(batch.events, batch.position)
      if (inner.aborted) break
      if (!batch.caughtUp || caughtUp) continue
      caughtUp = true
      await alone(() => session.drain())
      if (options.onCaughtUp) await lease.confirm()
      if (options.onCaughtUp && !(await options.onCaughtUp())) return 'finished'
      onState?.('following')
    }
    if (!broken.signal.aborted) await alone(() => session.drain())
    if (!broken.signal.aborted && !lease.lost.aborted) await alone(storePassed)
  } catch (error) {
    // Everything before an event that cannot be read is taken, and counts.
    if (error instanceof UndecodableEventError) {
      await alone(() => session.drain())
      await alone(storePassed)
    }
    throw failure ?? error
  } finally {
    broken.abort()
    await looking
  }
  if (failure !== undefined) throw failure
  if (lease.lost.aborted) throw new ReadStoreError('fenced', `${consumer}: the lease was taken by another node`)
  return 'aborted'
}

const attempt = async (options: ConsumeOptions, sight: Sight): Promise<ConsumeEnd> => {
  const { consumer, log, store, clock, nodeId, hasEnded, signal, onState } = options
  onState?.('waiting-for-lease')
  const lease = await acquireLease({
    store,
    consumer,
    owner: nodeId,
    clock,
    signal,
    sight,
    ...defined({ hasEnded }),
    above: async () => (await store.checkpoint(consumer))?.token ?? 0,
  })
  if (!lease) return 'aborted'
  options.trace?.leased?.(consumer, lease.takeover, lease.token)
  try {
    onState?.('starting')
    const stored = await store.checkpoint(consumer)
    if (stored && !(await belongs(log, stored))) return 'foreign'
    const { token } = lease
    const position = stored?.position ?? (await options.first?.()) ?? 0n
    const eventId = restingOn(await log.markAt(position), undefined, stored ?? { eventId: '' })
    const from: Checkpoint = { logId: log.logId, position, eventId, token }
    // From here on a holder before us can store nothing more; what it stored last is folded again to no effect. A store
    // that was replaced since the checkpoint was read lacks the collection, and must not get the checkpoint alone.
    const collection = from.position > 0n ? (options.collection ?? '') : ''
    await store.apply(collection, [], { consumer, value: from })
    options.onProgress?.(from.position, 0)
    onState?.('building')
    return await follow(options, lease, from)
  } finally {
    await lease.release()
  }
}

/** Runs until the signal aborts or there is nothing more to do; faults of the stores are waited out. */
export const consume = async (options: ConsumeOptions): Promise<ConsumeEnd> => {
  const { clock, signal, onState } = options
  const sight: Sight = { text: undefined, since: clock.monotonic() }
  let backoff = BACKOFF_FIRST_MS
  while (!signal.aborted) {
    const began = clock.monotonic()
    try {
      return await attempt(options, sight)
    } catch (error) {
      if (error instanceof UndecodableEventError) {
        onState?.('stopped', describeFailure(error))
        return 'stopped'
      }
      if (error instanceof ReadStoreError && error.code === 'gone') return 'gone'
      if (error instanceof ReadStoreError && error.code === 'closed') return 'aborted'
      const isLost = error instanceof ReadStoreError && error.code === 'fenced'
      if (isLost) options.trace?.lost?.(options.consumer)
      // Not a fault: somebody does the work.
      onState?.(isLost ? 'waiting-for-lease' : 'starting', isLost ? undefined : describeFailure(error))
      if (clock.monotonic() - began > BACKOFF_MOST_MS) backoff = BACKOFF_FIRST_MS
      await clock.sleep(backoff, signal)
      backoff = Math.min(backoff * 2, BACKOFF_MOST_MS)
    }
  }
  return 'aborted'
}
