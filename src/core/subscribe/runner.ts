/** Runs one subscriber on one node: lease, checkpoint after the effects, retries, and parking by key. */

import { defined } from '../../domain/defined.ts'
import type { Recorded } from '../../domain/event.ts'
import { describeFailure, OwnError } from '../../domain/own-error.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import { isOutage } from '../../ports/outage.ts'
import type { Checkpoint, ConsumerStore } from '../../ports/read-store.ts'
import {
  type ConsumedLog,
  type ConsumeEnd,
  type ConsumerState,
  type ConsumerTrace,
  complaining,
  consume,
  type Session,
} from '../consume/consume.ts'
import { findApplied, restingOn } from '../consume/mark.ts'
import { type Parked, park, parkedOf, repark, requestRetry, streamKey, unpark } from '../consume/parking.ts'
import { consumerOf, type Subscriber } from './define.ts'

export type SubscriberOptions = {
  readonly subscriber: Subscriber
  readonly log: ConsumedLog
  readonly store: ConsumerStore
  readonly clock: Clock
  /** Unique to this process. */
  readonly nodeId: string
  /** Whether the process of another node's id is known to have ended. */
  readonly hasEnded?: (nodeId: string) => boolean
  readonly onError?: (message: string) => void
  /** Where one that wants only what comes begins without a checkpoint; `head` was the log's end when the node started. */
  readonly beginAt?: (head: bigint) => Promise<bigint>
  readonly trace?: ConsumerTrace
  readonly signal: AbortSignal
}

export type SubscriberStatus = {
  readonly name: string
  readonly position: bigint
  readonly head: bigint
  readonly lag: bigint
  readonly state: ConsumerState
  readonly parked: number
  readonly error?: string
}

export type SubscriberHandle = {
  status(): Promise<SubscriberStatus>
  parked(): Promise<readonly Parked[]>
  retry(): Promise<void>
  readonly done: Promise<void>
}

const ATTEMPTS = 5
const BACKOFF_MS = 50
const BATCH = 100
const TIMEOUT_MS = 60_000

type Outcome = { readonly ok: true } | { readonly ok: false; readonly error: unknown }

export const runSubscriber = (options: SubscriberOptions): SubscriberHandle => {
  const { subscriber, log, store, clock, nodeId, signal, onError } = options
  const consumer = consumerOf(subscriber)
  const attempts = subscriber.attempts ?? ATTEMPTS
  /** Where an event does not even say its key, its stream waits as a whole: others go on. */
  const keyOf = (event: Recorded): string => {
    try {
      return subscriber.key?.(event) ?? event.stream
    } catch {
      return streamKey(event.stream)
    }
  }
  const filter: LogFilter = {
    categories: subscriber.categories,
    ...defined({ types: subscriber.types }),
  }
  const nudge = { wake: (): void => undefined }
  let state: ConsumerState = 'starting'
  let error: string | undefined
  let position = 0n

  /** @throws what handling threw, or that it took too long; at the end of the node it is waited for no longer. */
  const handle = async (events: readonly Recorded[]): Promise<void> => {
    const timeoutMs = subscriber.timeoutMs ?? TIMEOUT_MS
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    const handling = subscriber.handle(events, either).then(() => 'done' as const)
    const end = await Promise.race([handling, clock.sleep(timeoutMs, either)]).finally(() => over.abort())
    if (end === 'done') return
    // It goes on alone: what it throws from now on concerns nobody.
    handling.catch(() => undefined)
    throw new OwnError(
      signal.aborted ? `${consumer} was ended while it worked` : `${consumer} took longer than ${timeoutMs} ms`,
    )
  }

  /** @throws what an engine that is away threw: no event is at fault, and the loop waits until it is back. */
  const attempt = async (events: readonly Recorded[], times: number): Promise<Outcome> => {
    for (let n = 1; ; n += 1) {
      try {
        await handle(events)
        return { ok: true }
      } catch (failure) {
        const last = n >= times || signal.aborted
        if (last && isOutage(failure)) throw failure
        if (last) return { ok: false, error: failure }
        await clock.sleep(BACKOFF_MS * 2 ** n, signal)
      }
    }
  }

  const open = async (): Promise<Session> => {
    const parked = await parkedOf(store, consumer)
    /** One by one, when the batch as a whole keeps failing: only the keys at fault wait. */
    const separately = async (events: readonly Recorded[]): Promise<void> => {
      for (const event of events) {
        const key = keyOf(event)
        if (parked.has(key)) continue
        const outcome = await attempt([event], attempts)
        if (outcome.ok) continue
        if (signal.aborted) throw outcome.error
        parked.set(key, await park(store, consumer, { id: key, event, error: outcome.error, now: clock.now() }))
        options.trace?.parked?.(consumer, key, event, outcome.error)
      }
    }
    const retryKeys = async (checkpoint: Checkpoint): Promise<void> => {
      if (parked.size === 0) return
      const first = [...parked.values()].reduce(
        (least, each) => (each.position < least ? each.position : least),
        checkpoint.position,
      )
      const failed = new Map<string, Parked>()
      for await (const batch of log.readFrom(first, filter)) {
        for (const event of batch.events) {
          const key = keyOf(event)
          const before = parked.get(key)
          if (!before || event.position < before.position || event.position > checkpoint.position) continue
          if (failed.has(key)) continue
          const outcome = await attempt([event], 1)
          if (outcome.ok) continue
          const again = { eventId: event.id, type: event.type, error: describeFailure(outcome.error) }
          failed.set(key, { ...before, ...again, position: event.position, attempts: before.attempts + 1 })
        }
        if (batch.position >= checkpoint.position) break
      }
      for (const key of [...parked.keys()]) {
        const again = failed.get(key)
        if (again) {
          await repark(store, consumer, again)
          parked.set(key, again)
        } else {
          await unpark(store, consumer, key)
          parked.delete(key)
        }
      }
    }
    return {
      process: async (events, checkpoint) => {
        const due = parked.size === 0 ? events : events.filter(each => !parked.has(keyOf(each)))
        if (due.length > 0 && !(await attempt(due, due.length === 1 ? attempts : 2)).ok) await separately(due)
        if (signal.aborted && due.length > 0)
          throw new OwnError(`${consumer} was ended before its effects were certain`)
        await store.apply('', [], { consumer, value: checkpoint })
        position = checkpoint.position
      },
      drain: async () => undefined,
      retry: retryKeys,
      size: () => BATCH,
    }
  }

  /** What comes while the lease is waited for comes after this. */
  let atStart: Promise<bigint> | undefined
  /** One that wants only what comes begins at the head, and names what it cannot have sent. */
  const beginning = async (head: () => Promise<bigint>): Promise<bigint> => {
    if (subscriber.from !== 'now') return 0n
    const now = await head()
    return (await options.beginAt?.(now)) ?? now
  }
  const first = (): Promise<bigint> =>
    beginning(async () => (await atStart?.catch(() => undefined)) ?? (await log.head()))

  /**
   * After a copy the log has another id, after a restore another history. It goes on after the event that it handled last: up to
   * there both are the same. Where that was lost nobody knows where they part, and it begins as a new one does: what has effects on
   * the world does not repeat them, and what has none in the world is harmless when repeated.
   */
  const adopt = async (): Promise<void> => {
    const stored = await store.checkpoint(consumer)
    if (!stored) return
    const event = await findApplied(log, stored)
    const position = event?.position ?? (await beginning(() => log.head()))
    const eventId = restingOn(await log.markAt(position), event, { eventId: '' })
    onError?.(
      `${consumer}: its checkpoint belongs to another log, or another history of it; it goes on at position ${position}`,
    )
    await store.apply('', [], { consumer, value: { logId: log.logId, position, eventId, token: stored.token } })
  }

  const complain = complaining(problem => onError?.(`${consumer}: ${problem}`))
  const run = async (): Promise<void> => {
    atStart = log.head()
    atStart.catch(() => undefined)
    for (let end: ConsumeEnd = 'foreign'; end === 'foreign' && !signal.aborted; ) {
      try {
        end = await consume({
          consumer,
          filter,
          log,
          store,
          clock,
          nodeId,
          signal,
          open,
          first,
          nudge,
          passesLightly: true,
          trace: options.trace,
          ...defined({ hasEnded: options.hasEnded }),
          onState: (next, problem) => {
            state = next
            error = problem
            complain(next, problem)
          },
          onProgress: reached => {
            position = reached
          },
        })
        if (end === 'foreign') await adopt()
      } catch (failure) {
        error = describeFailure(failure)
        onError?.(`${consumer}: ${error}`)
        await clock.sleep(1_000, signal)
      }
    }
  }

  const done = run()
  return {
    status: async () => {
      const head = await log.head()
      const reached = state === 'waiting-for-lease' ? ((await store.checkpoint(consumer))?.position ?? 0n) : position
      return {
        name: subscriber.name,
        position: reached,
        head,
        lag: head > reached ? head - reached : 0n,
        state,
        parked: (await parkedOf(store, consumer)).size,
        ...defined({ error }),
      }
    },
    parked: async () => [...(await parkedOf(store, consumer)).values()],
    retry: async () => {
      await requestRetry(store, consumer, clock.now())
      nudge.wake()
    },
    done,
  }
}
