/** What tests of event stores share: events, streams, whole reads, a follower in the background. */
import { randomUUID } from 'node:crypto'
import {
  type AppendResult,
  type Batch,
  type EventStore,
  EventStoreError,
  type LogFilter,
  type LoggedEvent,
  type StoredEvent,
  type Written,
} from '../../src/ports/event-store.ts'
import { until } from './until.ts'

/** A new event with content of its own. */
export const newEvent = (type = 'Noted', data: unknown = { text: randomUUID() }): StoredEvent => ({
  id: randomUUID(),
  type,
  data: JSON.stringify(data),
  meta: JSON.stringify({ actor: { id: 'a', kind: 'system' }, at: '2026-01-01T00:00:00.000Z' }),
})

export const newEvents = (count: number, type?: string): StoredEvent[] =>
  Array.from({ length: count }, () => newEvent(type))

/** A category nobody else uses, and a stream of it. */
export const newCategory = (): string => `c${randomUUID().replaceAll('-', '')}`
export const newStream = (category = newCategory()): string => `${category}-${randomUUID()}`

export const written = (result: AppendResult | EventStoreError): Written => {
  if (result instanceof Error || result.outcome !== 'written')
    throw new Error(
      `not written: ${result instanceof Error ? result.message : JSON.stringify(result, (_, v) => String(v))}`,
    )
  return result
}

export const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(event => event.id)

/** Waits for the rejection and returns the store's code. */
export const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'no error'
  } catch (error) {
    return error instanceof EventStoreError ? error.code : String(error)
  }
}

export const readWhole = async (
  store: EventStore,
  stream: string,
  options?: Parameters<EventStore['readStream']>[1],
): Promise<LoggedEvent[]> => {
  const events: LoggedEvent[] = []
  for await (const page of store.readStream(stream, options)) events.push(...page)
  return events
}

export const readLog = async (store: EventStore, after: bigint, filter?: LogFilter) => {
  const events: LoggedEvent[] = []
  const batches: Batch[] = []
  for await (const batch of store.readAll(after, filter)) {
    batches.push(batch)
    events.push(...batch.events)
  }
  return { events, batches }
}

type Tail = {
  readonly events: LoggedEvent[]
  readonly batches: Batch[]
  /** Waits until the condition holds. @throws when the subscription ends before, with its error if it had one. */
  until(holds: () => boolean): Promise<void>
  /** Aborts and waits for the end. */
  stop(): Promise<void>
  /** Resolves or rejects as the subscription ends. */
  readonly ended: Promise<void>
}

/** Follows the log in the background. */
export const tail = (store: EventStore, after: bigint, filter?: LogFilter): Tail => {
  const abort = new AbortController()
  const events: LoggedEvent[] = []
  const batches: Batch[] = []
  const ended = (async () => {
    for await (const batch of store.subscribe(after, filter, abort.signal)) {
      batches.push(batch)
      events.push(...batch.events)
    }
  })()
  let over = false
  const end = (): void => {
    over = true
  }
  ended.then(end, end)
  return {
    events,
    batches,
    ended,
    until: async holds => {
      await until('a batch of the subscription', saw => {
        saw(`${batches.length} batches with ${events.length} events`)
        return over || holds()
      })
      if (holds()) return
      await ended
      throw new Error('the subscription has ended')
    },
    stop: () => {
      abort.abort()
      return ended
    },
  }
}
