/**
 * Counts the searches of one node in memory and appends them in batches. Memory is a row of numbers a day that waits;
 * a batch on its way keeps its identity and its counts until it is known to be in the log, so that none counts twice.
 */

import type { Transactor } from '../core/write/transact.ts'
import { actorId, commandIdOf } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal } from '../domain/refusal.ts'
import {
  recordSearches,
  type SearchesBatch,
  type SearchesEvent,
  type SearchesState,
  type SearchOutcome,
  searchesStream,
} from '../domain/search/searches.ts'
import type { Clock } from '../ports/clock.ts'

export type SearchCounter = {
  /** One search that was answered. Never waits and never throws. */
  count(outcome: SearchOutcome): void
  /** Searches counted and not known to be in the log: what a kill -9 would lose at this moment. */
  pending(): number
  /** Appends what is pending, trying for five seconds at most; nothing is counted afterwards. Repeating it is harmless. */
  close(): Promise<void>
}

export type SearchCounterOptions = {
  readonly searches: Pick<Transactor<SearchesState, SearchesEvent>, 'run'>
  readonly clock: Clock
  /** Unique to this process: with the batch's number it names the batch. */
  readonly nodeId: string
  /** Milliseconds between batches, 30,000 by default. */
  readonly everyMs?: number
  /** Searches after which a batch is sent at once, 10,000 by default. */
  readonly most?: number
  /** A batch could not be appended; it is tried again with the next one's time. */
  readonly onError: (error: unknown) => void
}

export const SEARCHES_EVERY_MS = 30_000
export const SEARCHES_MOST = 10_000
const CLOSING_MS = 5_000
const RETRY_MS = 250

type Tally = { -readonly [outcome in SearchOutcome]?: number }

const sum = (tally: Tally): number => Object.values(tally).reduce((total, each) => total + each, 0)

/** Whoever counts is the program itself. */
const counting = { kind: 'system', id: actorId('system', 'search-counter') } as const

export const openSearchCounter = (options: SearchCounterOptions): SearchCounter => {
  const { searches, clock, nodeId, onError, everyMs = SEARCHES_EVERY_MS, most = SEARCHES_MOST } = options
  const ending = new AbortController()
  /** Counted and not yet part of a batch, by day. */
  const tallies = new Map<string, Tally>()
  let waiting = 0
  let sending: SearchesBatch | undefined
  let batches = 0
  let full = new AbortController()

  const next = (): SearchesBatch | undefined => {
    const [oldest] = tallies
    if (!oldest) return undefined
    const [day, counts] = oldest
    tallies.delete(day)
    waiting -= sum(counts)
    batches += 1
    return { node: nodeId, batch: batches - 1, day, counts }
  }

  const send = async (batch: SearchesBatch): Promise<boolean> => {
    const commandId = commandIdOf(counting, 'COUNT', nodeId, String(batch.batch))
    const envelope = { commandId, correlationId: commandId, actor: counting, at: clock.now() }
    try {
      const result = await searches.run(searchesStream(nodeId, batch.batch), recordSearches(batch), envelope)
      if (!isRefusal(result)) return true
      onError(new OwnError(`searches were not counted: ${result.refused}`))
    } catch (error) {
      onError(error)
    }
    return false
  }

  /** Sends all that is counted; false when it could not. */
  const flush = async (): Promise<boolean> => {
    for (;;) {
      sending ??= next()
      if (!sending) return true
      if (!(await send(sending))) return false
      sending = undefined
    }
  }

  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      full = new AbortController()
      if (waiting < most) await clock.sleep(everyMs, AbortSignal.any([ending.signal, full.signal]))
      // A store that refuses is not asked again for every search that comes meanwhile.
      if (!(await flush())) await clock.sleep(everyMs, ending.signal)
    }
  }
  const running = run()

  const finish = async (): Promise<void> => {
    ending.abort()
    const given = new AbortController()
    const flushing = (async () => {
      await running
      while (!(await flush()) && !given.signal.aborted) await clock.sleep(RETRY_MS, given.signal)
    })()
    await Promise.race([flushing, clock.sleep(CLOSING_MS, given.signal)])
    given.abort()
  }
  let closed: Promise<void> | undefined

  return {
    count: outcome => {
      if (closed) return
      const day = clock.now().toISOString().slice(0, 10)
      const tally = tallies.get(day) ?? {}
      tallies.set(day, tally)
      tally[outcome] = (tally[outcome] ?? 0) + 1
      waiting += 1
      if (waiting >= most) full.abort()
    },
    pending: () => waiting + (sending ? sum(sending.counts) : 0),
    close: () => {
      closed ??= finish()
      return closed
    },
  }
}
