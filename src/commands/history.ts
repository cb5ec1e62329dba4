/**
 * Records who reads the history. A page that names an account is recorded before it is handed out; a stream is recorded
 * as it opens, and at its end, or when its reader goes away, with what was handed out until then.
 */

import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import type { Actor } from '../domain/event.ts'
import {
  endReading,
  type HistoryEvent,
  type HistoryFilters,
  historyStream,
  openPersonalData,
  openReading,
  type Reading,
} from '../domain/history/history.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'

/** Whose request it is, and what it asks for. */
export type ReadingRequest = {
  readonly actor: Actor
  readonly correlationId: string
  readonly traceparent?: string
  readonly filters: HistoryFilters
}

/** A stream that is on its way. */
export type OpenReading = {
  /**
   * Records whose personal data the next part shows, before it is handed out; those that were named lately are not named again.
   * A refusal or an error means that it is not recorded. @throws {EventStoreError}
   */
  shows(subjects: readonly string[]): Promise<Refusal | undefined>
  /** Records what was handed out. Only the first call counts. Failures are tried again; undefined once it is recorded. */
  end(count: number, complete: boolean): Promise<Refusal | undefined>
}

export type Readings = {
  /** One page of `count` events, with personal data of the `subjects`. A refusal or an error means that it is not recorded. @throws {EventStoreError} */
  page(request: ReadingRequest, count: number, subjects: readonly string[]): Promise<Refusal | undefined>
  /** A stream begins. @throws {EventStoreError} */
  open(request: ReadingRequest): Promise<OpenReading | Refusal>
  /** Waits until every end is recorded, or given up. */
  close(): Promise<void>
}

const ATTEMPTS = 8
const BACKOFF_MS = 100
/** Subjects that a stream remembers to have named: beyond, it begins anew and names some twice. */
const MOST_NAMED = 10_000

export const openReadings = (deps: {
  readonly readings: Transactor<Reading, HistoryEvent>
  readonly clock: Clock
  readonly newId: () => string
  /** An end that could not be recorded: the stream's opening stays in the log. */
  readonly onError: (error: unknown) => void
}): Readings => {
  const { readings, clock, newId } = deps
  const pending = new Set<Promise<unknown>>()
  const closing = new AbortController()

  const envelope = ({ actor, correlationId, traceparent }: ReadingRequest, commandId: string) => ({
    commandId,
    actor,
    correlationId,
    at: clock.now(),
    ...defined({ traceparent }),
  })

  const track = async <T>(work: Promise<T>): Promise<T> => {
    pending.add(work)
    try {
      return await work
    } finally {
      pending.delete(work)
    }
  }

  /** Again and again under one command id, which makes it one event however often it is sent. */
  const insist = async (work: () => Promise<Refusal | undefined>): Promise<Refusal | undefined> => {
    for (let n = 1; ; n += 1) {
      const failure = await work().catch((error: unknown) => ({ error }))
      if (failure === undefined) return undefined
      if (n >= ATTEMPTS || closing.signal.aborted) {
        deps.onError(
          'error' in failure ? failure.error : new OwnError(`a reading was not recorded: ${failure.refused}`),
        )
        if ('error' in failure) throw failure.error
        return failure
      }
      await clock.sleep(BACKOFF_MS * 2 ** n, closing.signal)
    }
  }

  return {
    page: async (request, count, subjects) => {
      const { filters } = request
      const named = defined({ subjects: subjects.length > 0 ? [...subjects] : undefined })
      const decide = endReading({ filters, count, format: 'page', complete: true, ...named })
      const result = await readings.run(historyStream(newId()), decide, envelope(request, newId()))
      return isRefusal(result) ? result : undefined
    },
    open: async request => {
      const stream = historyStream(newId())
      const { filters } = request
      const opened = await readings.run(stream, openReading(filters), envelope(request, newId()))
      if (isRefusal(opened)) return opened
      const commandId = newId()
      let ended: Promise<Refusal | undefined> | undefined
      const named = new Set<string>()
      return {
        shows: async subjects => {
          const fresh = subjects.filter(subject => !named.has(subject))
          if (fresh.length === 0) return undefined
          const result = await readings.run(stream, openPersonalData(fresh), envelope(request, newId()))
          if (isRefusal(result)) return result
          if (named.size + fresh.length > MOST_NAMED) named.clear()
          for (const subject of fresh) named.add(subject)
          return undefined
        },
        end: (count, complete) => {
          const decide = endReading({ filters, count, format: 'stream', complete })
          ended ??= track(
            insist(async () => {
              const result = await readings.run(stream, decide, envelope(request, commandId))
              return isRefusal(result) ? result : undefined
            }),
          )
          return ended
        },
      }
    },
    close: async () => {
      closing.abort()
      await Promise.allSettled(pending)
    },
  }
}
