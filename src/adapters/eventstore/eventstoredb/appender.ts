/**
 * Appends, each answered for itself within its time. The client's batch path has no deadline of its own: what was not
 * answered in time has an unknown outcome here, and the same events at the same revision find out.
 */
import type { BinaryEventData } from '@eventstore/db-client'
import { type Clock, waitAtMost } from '../../../ports/clock.ts'
import {
  type AppendResult,
  type CopiedEvent,
  EventStoreError,
  type Expected,
  MAX_WAITING_APPENDS,
} from '../../../ports/event-store.ts'
import type { Connection } from './connection.ts'
import { failureOf, isOfCall, meaningOf } from './errors.ts'
import { toEvent } from './frame.ts'
import type { History } from './history.ts'
import { type OpenCall, openOrder } from './order.ts'
import { SilentError } from './silence.ts'

/** What waits may hold this many characters of events; beyond it appends are `busy`. */
const MAX_WAITING_CHARACTERS = 64_000_000
/** Milliseconds an append may take; a deadline in the URL takes its place. */
export const DEADLINE_MS = 10_000
/** Milliseconds in which what waits at the end is to be answered: the whole program has ten seconds for its own. */
const CLOSE_MS = 5_000

/** Appends since the start; `repeated` as far as this process knew the positions, `failed` with those of unknown outcome. */
export type AppendCounts = {
  readonly waiting: number
  readonly transactions: number
  readonly events: number
  readonly repeated: number
  readonly conflicts: number
  readonly failed: number
}

export type Appender = {
  append(stream: string, expected: Expected, events: readonly CopiedEvent[], characters: number): Promise<AppendResult>
  counts(): AppendCounts
  /** Refuses what comes, and resolves when nothing waits any more: what has no answer then has an unknown outcome. */
  close(): Promise<void>
}

export type AppenderOptions = {
  readonly connection: Connection
  readonly clock: Clock
  readonly deadlineMs: number
  /** Told of every answered append. */
  readonly written: (stream: string, revision: bigint, position: bigint, lastId: string | undefined) => void
  readonly history: Pick<History, 'look' | 'lost'>
  readonly known: () => bigint
  readonly onBatch?: ((appends: number) => void) | undefined
}

type Waiting = { readonly until: number; readonly late: (afterMs: number) => void }

export const openAppender = (options: AppenderOptions): Appender => {
  const { connection, clock, deadlineMs, written, known, history, onBatch } = options
  const waiting = new Set<Waiting>()
  let characters = 0
  let closing = false
  let drained = (): void => undefined
  let watching = false
  const idle = new AbortController()
  const counts = { transactions: 0, events: 0, repeated: 0, conflicts: 0, failed: 0 }

  const order = openOrder({ connection, clock, history, patienceMs: deadlineMs / 2 })

  /** One watch for all: they end in the order in which they began. */
  const watch = async (): Promise<void> => {
    watching = true
    for (let [first] = waiting; first; [first] = waiting) {
      const left = first.until - clock.monotonic()
      if (left > 0) await clock.sleep(Math.min(left, deadlineMs / 4), idle.signal)
      else first.late(deadlineMs)
    }
    watching = false
  }

  /**
   * What a failed append means for the one who asked. Most failures are those of the call, told to all that wait on any call of
   * the process: even "no connection" is told to appends that were sent on another one and written.
   */
  const meant = (error: unknown): AppendResult => {
    const meaning = meaningOf(error)
    if (meaning.kind === 'wrong-version') return { outcome: 'conflict', current: meaning.current }
    const failure = failureOf(error, connection.shown)
    if (meaning.kind === 'too-large' || meaning.kind === 'deleted') throw failure
    if (meaning.kind === 'denied' && !isOfCall(error)) throw failure
    return { outcome: 'unknown', cause: failure.message }
  }

  const send = async (
    { client, failed }: OpenCall,
    stream: string,
    expected: Expected,
    events: readonly BinaryEventData[],
  ): Promise<AppendResult> => {
    try {
      const { nextExpectedRevision, position } = await client.appendToStream(stream, [...events], {
        expectedRevision: expected === 'none' ? 'no_stream' : expected,
        requiresLeader: true,
        deadline: deadlineMs,
      })
      if (!position) return { outcome: 'unknown', cause: 'the server has answered without a position' }
      return { outcome: 'written', revision: nextExpectedRevision, position: position.commit }
    } catch (error) {
      if (meaningOf(error).kind !== 'wrong-version') failed(error)
      return meant(error)
    }
  }

  const refusal = (): EventStoreError | undefined => {
    if (closing) return new EventStoreError('closed', 'the event store is closed')
    if (history.lost) return new EventStoreError('unavailable', history.lost.message, { cause: history.lost })
    if (waiting.size < MAX_WAITING_APPENDS && characters < MAX_WAITING_CHARACTERS) return undefined
    return new EventStoreError('busy', `the event store is busy: ${waiting.size} appends are waiting`)
  }

  const count = (result: AppendResult, events: number): AppendResult => {
    if (result.outcome === 'conflict') counts.conflicts += 1
    else if (result.outcome === 'unknown') counts.failed += 1
    else if (result.position <= known()) counts.repeated += 1
    else counts.events += events
    return result
  }

  return {
    append: (stream, expected, events, size) => {
      const refused = refusal()
      if (refused) return Promise.reject(refused)
      const first = expected === 'none' ? 0n : expected + 1n
      const list = events.map((event, index) => toEvent(event, { stream, revision: first + BigInt(index) }))
      return new Promise((resolve, reject) => {
        let sentOn: OpenCall | undefined
        const mine: Waiting = {
          until: clock.monotonic() + deadlineMs,
          late: ms => {
            settle()
            counts.failed += 1
            const cause = `EventStoreDB at ${connection.shown} gave no answer in ${ms} ms`
            if (!sentOn) return reject(new EventStoreError('unavailable', cause))
            sentOn.failed(new SilentError(deadlineMs))
            resolve({ outcome: 'unknown', cause })
          },
        }
        const settle = (): boolean => {
          if (!waiting.delete(mine)) return false
          characters -= size
          counts.transactions += 1
          onBatch?.(1)
          if (closing && waiting.size === 0) drained()
          return true
        }
        waiting.add(mine)
        characters += size
        if (!watching) void watch()
        const failed = (error: unknown): void => {
          if (!settle()) return
          counts.failed += 1
          reject(error)
        }
        order.enter({
          run: call => {
            // It was given up while it waited: sent now, it would be written behind its caller's back.
            if (!waiting.has(mine)) return
            sentOn = call
            send(call, stream, expected, list).then(result => {
              if (!settle()) return
              count(result, events.length)
              if (result.outcome === 'written') {
                written(stream, result.revision, result.position, events.at(-1)?.id)
              }
              resolve(result)
            }, failed)
          },
          fail: error => failed((history.lost && refusal()) ?? failureOf(error, connection.shown)),
        })
      })
    },
    counts: () => ({ waiting: waiting.size, ...counts }),
    close: async () => {
      closing = true
      if (waiting.size > 0) {
        const empty = new Promise<void>(resolve => {
          drained = resolve
        })
        await waitAtMost(clock, CLOSE_MS, empty)
        for (const entry of [...waiting]) entry.late(CLOSE_MS)
      }
      idle.abort()
    },
  }
}
