/**
 * Copies a log into another engine: bytes, ids, revisions, times and the order of the whole log stay, positions and the log
 * id are the target's own. What the target has already must be the beginning of the source: so a copy that was cut short
 * goes on where it was, and a target with anything else in it is refused. At the end both are read and compared.
 */

import { createHash, type Hash } from 'node:crypto'
import { OwnError } from '../../domain/own-error.ts'
import type { Clock } from '../../ports/clock.ts'
import {
  type AppendResult,
  type CopiedEvent,
  type CopyTarget,
  type EventStore,
  EventStoreError,
  type Expected,
  type LoggedEvent,
  MAX_APPEND_BYTES,
} from '../../ports/event-store.ts'

/** Why a copy cannot be made or is none: one sentence. Nothing that was there is changed. */
export class CopyError extends OwnError {
  override readonly name = 'CopyError'
  /** `usage`: it was asked for wrongly. */
  readonly kind: 'failed' | 'usage'
  constructor(message: string, options: ErrorOptions & { readonly kind?: CopyError['kind'] } = {}) {
    super(message, options)
    this.kind = options.kind ?? 'failed'
  }
}

export type CopyReport = {
  /** False when the signal ended it: run again, it goes on. */
  readonly complete: boolean
  readonly events: number
  /** Events that were there already. */
  readonly before: number
  /** SHA-256 over the rows of both logs, in hex; of a complete copy. */
  readonly digest?: string
  readonly fromLog: string
  readonly toLog: string
}

export type CopyOptions = {
  readonly from: EventStore
  readonly to: EventStore & CopyTarget
  readonly clock: Pick<Clock, 'sleep'>
  readonly signal: AbortSignal
  /** `step` is copy or verify; `total` is 0 while it is not known. */
  readonly onProgress: (at: { readonly step: 'copy' | 'verify'; readonly done: number; readonly total: number }) => void
}

const APPEND_EVENTS = 400
/** What an engine may count of an event beside its texts, in bytes. */
const BESIDE = 72
const TRIES = 30
const PAUSE_MS = 1_000

/** Everything of an event that a copy keeps, as one line: an array in canonical JSON. */
const rowOf = ({ stream, revision, id, type, data, meta, recordedAt }: LoggedEvent): string =>
  `${JSON.stringify([stream, String(revision), id, type, data, meta, recordedAt])}\n`

/** What is damaged is not made whole by a copy, which would give it a checksum that fits. @throws {CopyError} */
const mustBeSound = ({ damaged, position }: LoggedEvent): void => {
  if (damaged)
    throw new CopyError(
      `The event at position ${position} of a log is damaged: it does not fit its checksum, and nothing is copied from there on.`,
    )
}

type Part = { readonly stream: string; readonly expected: Expected; readonly events: readonly CopiedEvent[] }

/** Runs of one stream's events, each one append, in the order of the log. */
const partsOf = (events: readonly LoggedEvent[]): readonly Part[] => {
  const parts: { stream: string; expected: Expected; events: CopiedEvent[]; bytes: number }[] = []
  for (const { stream, revision, id, type, data, meta, recordedAt } of events) {
    const bytes = Buffer.byteLength(data) + Buffer.byteLength(meta) + 2 * type.length + BESIDE
    const last = parts.at(-1)
    const fits = last?.stream === stream && last.events.length < APPEND_EVENTS && last.bytes + bytes <= MAX_APPEND_BYTES
    const event = { id, type, data, meta, recordedAt }
    if (last && fits) {
      last.events.push(event)
      last.bytes += bytes
    } else parts.push({ stream, expected: revision === 0n ? 'none' : revision - 1n, events: [event], bytes })
  }
  return parts
}

const passing = (error: unknown): boolean =>
  error instanceof EventStoreError && (error.code === 'unavailable' || error.code === 'busy')

/**
 * Sends the parts, all at once, and what has no answer again in their order, until all are written; the position of the last one. A
 * target that takes some and not one before them has put them into another order: no copy can be made of that any more, so one that
 * may do so is sent one part at a time.
 */
const send = async ({ to, clock, signal }: CopyOptions, parts: readonly Part[], after: bigint): Promise<bigint> => {
  let pending = parts
  let last = after
  for (let tries = 0; pending.length > 0; tries += 1) {
    const sent = pending.map(async ({ stream, expected, events }): Promise<AppendResult | EventStoreError> => {
      try {
        return await to.appendCopied(stream, expected, events)
      } catch (error) {
        if (error instanceof EventStoreError && passing(error)) return error
        // What one engine keeps another may not take: ids that are no UUIDs, an append that is too large for it.
        if (error instanceof TypeError || (error instanceof EventStoreError && error.code === 'too-large'))
          throw new CopyError(`The target does not take what the source has: ${error.message}.`, { cause: error })
        throw error
      }
    })
    const results = await Promise.all(sent)
    // From the first one on that is not known to be written: those behind it are repeats, and keep their places.
    const first = results.findIndex(result => result instanceof EventStoreError || result.outcome !== 'written')
    for (const written of first < 0 ? results : results.slice(0, first)) {
      if (!('position' in written)) continue
      if (written.position <= last)
        throw new CopyError('The target has written the events in another order: make it empty, and copy again.')
      last = written.position
    }
    const result = results[first]
    if (!result) return last
    if (!(result instanceof EventStoreError) && result.outcome === 'conflict')
      throw new CopyError(
        `Somebody else has written to ${pending[first]?.stream} of the target while it was copied: nobody may use it yet.`,
      )
    if (tries >= TRIES || signal.aborted)
      throw result instanceof EventStoreError
        ? result
        : new EventStoreError('unavailable', 'the target gives no answer')
    pending = pending.slice(first)
    await clock.sleep(PAUSE_MS, signal)
  }
  return last
}

/** The rows of the log one after the other, up to a position. */
async function* eventsOf(store: EventStore, until: bigint): AsyncGenerator<LoggedEvent> {
  for await (const batch of store.readAll(0n))
    for (const event of batch.events) {
      if (event.position > until) return
      mustBeSound(event)
      yield event
    }
}

/** How much of the source the target has; `hash` has taken its rows. @throws {CopyError} when it is something else. */
const compare = async (options: CopyOptions, until: bigint, hash: Hash): Promise<{ count: number; last: bigint }> => {
  const { from, to, signal, onProgress } = options
  const source = eventsOf(from, until)
  let count = 0
  let last = 0n
  try {
    for await (const there of eventsOf(to, await to.head())) {
      const { value: here } = await source.next()
      const row = rowOf(there)
      if (!here || rowOf(here) !== row)
        throw new CopyError(
          `The target holds other events than the source: its event ${count + 1} is ${there.type} ${there.id}. Copy into an empty one.`,
        )
      hash.update(row)
      count += 1
      last = here.position
      if (count % 1_000 === 0) onProgress({ step: 'copy', done: count, total: 0 })
      if (signal.aborted) break
    }
  } finally {
    await source.return(undefined)
  }
  return { count, last }
}

/** @throws {CopyError} {EventStoreError} */
export const copyLog = async (options: CopyOptions): Promise<CopyReport> => {
  const { from, to, signal, onProgress } = options
  if (from.logId === to.logId) throw new CopyError('The source and the target are one and the same log.')
  const until = await from.head()
  const hash = createHash('sha256')
  const { count: before, last } = await compare(options, until, hash)
  const ids = { fromLog: from.logId, toLog: to.logId }
  let events = before
  const reckoned = (position: bigint): number =>
    position > 0n ? Math.round((events * Number(until)) / Number(position)) : 0
  let there = await to.head()
  if (!signal.aborted)
    for await (const batch of from.readAll(last)) {
      const due = batch.events.filter(event => event.position <= until)
      due.forEach(mustBeSound)
      const parts = partsOf(due)
      let sent = 0
      for (const wave of to.keepsOrder ? [parts] : parts.map(part => [part])) {
        if (signal.aborted) break
        there = await send(options, wave, there)
        for (const part of wave) sent += part.events.length
      }
      for (const event of due) hash.update(rowOf(event))
      events += sent
      const position = due.at(-1)?.position ?? until
      onProgress({ step: 'copy', done: events, total: Math.max(events, reckoned(position)) })
      if (signal.aborted || batch.position >= until) break
    }
  if (signal.aborted) return { complete: false, events, before, ...ids }
  const digest = hash.digest('hex')
  const check = createHash('sha256')
  let counted = 0
  for await (const event of eventsOf(to, await to.head())) {
    check.update(rowOf(event))
    counted += 1
    if (counted % 1_000 === 0) onProgress({ step: 'verify', done: counted, total: events })
    if (signal.aborted) return { complete: false, events, before, ...ids }
  }
  onProgress({ step: 'verify', done: counted, total: events })
  if (counted !== events || check.digest('hex') !== digest)
    throw new CopyError(
      `The target has ${counted} events and is not what the source has in ${events}: do not use it, and copy into an empty one.`,
    )
  return { complete: true, events, before, digest, ...ids }
}
