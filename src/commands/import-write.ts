/** Writes records of an import: as new where nothing is known of their streams, else decided on what is there. */

import type { Encoded, Log, NewEvent } from '../core/log/log.ts'
import type { Caller } from '../core/write/execute.ts'
import { preview, timeAfter } from '../core/write/stream-state.ts'
import type { Transactor } from '../core/write/transact.ts'
import type { ImportedRecord } from '../domain/entry/decisions.ts'
import { entryStream } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import { type EntryState, entryAggregate } from '../domain/entry/state.ts'
import type { Actor } from '../domain/event.ts'
import { entryId, eventId, importCommandId } from '../domain/ids.ts'
import { isRefusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'
import { type AppendResult, EventStoreError } from '../ports/event-store.ts'
import { importEntry } from './entries.ts'

export type WriteDeps = {
  readonly log: Pick<Log, 'encode' | 'appendMany'>
  readonly entries: Transactor<EntryState, EntryEvent>
  readonly clock: Clock
  /** A number in [0, 1): jitter of retries. */
  readonly random: () => number
}

/** Who imports, and the run that everything written is correlated by. */
export type WriteAs = { readonly caller: Caller; readonly runId: string }

/** What became of a record: `kept` says why what is there stays, `fault` why it cannot be written. */
export type Outcome =
  | { readonly outcome: 'written' | 'unchanged' }
  | { readonly outcome: 'kept' | 'fault'; readonly reason: string }

const written: Outcome = { outcome: 'written' }
const unchanged: Outcome = { outcome: 'unchanged' }

/** With the doubling pauses below, half a minute: a store that is away longer ends the import, which can be run again. */
const MAX_ATTEMPTS = 20
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 2000

const retryable = (error: unknown): error is EventStoreError =>
  error instanceof EventStoreError && (error.code === 'busy' || error.code === 'unavailable')

const pause = (deps: Pick<WriteDeps, 'clock' | 'random'>, attempt: number): Promise<void> =>
  deps.clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (1 + deps.random()))

type Answer = Exclude<AppendResult, { outcome: 'unknown' }> | EventStoreError

/**
 * Appends until each has an answer: the same events at the same revision, so sending again is harmless whatever came of
 * the first time. The answers are those of the store, or `too-large`.
 * @throws {EventStoreError} when the store stays away or cannot go on.
 */
const appendAll = async (deps: WriteDeps, appends: readonly Encoded[]): Promise<readonly Answer[]> => {
  const answers = new Map<Encoded, Answer>()
  let pending = appends
  for (let attempt = 0; pending.length > 0; attempt += 1) {
    let cause = new EventStoreError('unavailable', 'The store does not say whether it has written what was sent to it.')
    const sent = pending
    const results = await deps.log.appendMany(sent).catch((error: unknown) => {
      if (!retryable(error)) throw error
      return sent.map(() => error)
    })
    const again: Encoded[] = []
    for (const [i, append] of sent.entries()) {
      const result = results[i]
      if (result === undefined || retryable(result)) {
        if (result !== undefined) cause = result
        again.push(append)
      } else if (result instanceof EventStoreError) {
        if (result.code !== 'too-large') throw result
        answers.set(append, result)
      } else if (result.outcome === 'unknown') again.push(append)
      else answers.set(append, result)
    }
    pending = again
    if (pending.length > 0 && attempt >= MAX_ATTEMPTS) throw cause
    if (pending.length > 0) await pause(deps, attempt)
  }
  return appends.flatMap(append => answers.get(append) ?? [])
}

export type Writer = {
  /**
   * Writes records of different entries. `asNew` when nothing of this source is expected in the log: then no stream
   * is read before its append.
   */
  write(records: readonly ImportedRecord[], asNew: boolean): Promise<readonly Outcome[]>
}

export const openWriter = (deps: WriteDeps, { caller, runId }: WriteAs): Writer => {
  const { log, entries, clock } = deps
  const streamOf = (record: ImportedRecord): string => entryStream(entryId(record.identity))

  /** The record as the first event of its stream. */
  const encodeNew = async (record: ImportedRecord): Promise<Encoded> => {
    const stream = streamOf(record)
    const commandId = importCommandId(runId, record.record)
    const now = clock.now()
    const decided = importEntry.decide(record)(entryAggregate.initial)
    if (isRefusal(decided)) throw new Error(`An entry that is not there refused its import: ${decided.detail}`)
    let at = ''
    const actor: Actor = caller.actor
    let state = entryAggregate.initial
    const events: NewEvent[] = []
    for (const [index, event] of decided.entries()) {
      at = timeAfter(now.toISOString(), at)
      const id = eventId(commandId, index)
      const meta = { actor, commandId, correlationId: runId, causationId: commandId, at }
      const place = { stream, after: 'none' as const, index, position: 0n, recordedAt: at }
      const route = entryAggregate.route(state)
      state = entryAggregate.evolve(state, preview(event, place, { id, meta: { ...meta, route } }))
      events.push({ ...event, id, meta: { ...meta, route: entryAggregate.route(state) } })
    }
    return log.encode(stream, 'none', events)
  }

  /** Decides on the stream as it is. */
  const settle = async (record: ImportedRecord): Promise<Outcome> => {
    const stream = streamOf(record)
    const { state } = await entries.load(stream)
    const now = clock.now()
    const commandId = importCommandId(runId, record.record)
    const decide = importEntry.decide(record)
    const decided = decide(state)
    if (isRefusal(decided)) return { outcome: 'kept', reason: decided.detail }
    if (decided.length === 0) return unchanged
    const envelope = { commandId, actor: caller.actor, correlationId: runId, at: now }
    const result = await entries.run(stream, decide, envelope)
    if (!isRefusal(result)) return result.events.length > 0 ? written : unchanged
    if (result.refused === 'outcome-unknown' || result.refused === 'conflict')
      throw new EventStoreError(result.refused === 'conflict' ? 'busy' : 'unavailable', result.detail)
    return { outcome: 'kept', reason: result.detail }
  }

  const settled = async (record: ImportedRecord): Promise<Outcome> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await settle(record)
      } catch (error) {
        if (error instanceof EventStoreError && error.code === 'too-large')
          return { outcome: 'fault', reason: error.message }
        if (!retryable(error) || attempt >= MAX_ATTEMPTS) throw error
        await pause(deps, attempt)
      }
    }
  }

  const writeNew = async (records: readonly ImportedRecord[]): Promise<readonly Outcome[]> => {
    const appends = await Promise.all(records.map(encodeNew))
    const answers = await appendAll(deps, appends)
    return Promise.all(
      records.map(async (record, i): Promise<Outcome> => {
        const result = answers[i]
        if (result instanceof EventStoreError) return { outcome: 'fault', reason: result.message }
        return result?.outcome === 'written' ? written : settled(record)
      }),
    )
  }

  return {
    write: (records, asNew) => (asNew ? writeNew(records) : Promise.all(records.map(settled))),
  }
}
