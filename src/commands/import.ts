/**
 * Imports a source: one command and one append an entry, many at once, so that one commit carries hundreds.
 *
 * Of a source that the log has not seen, entries are appended as new without a look at their streams; the store itself
 * says where that was wrong. Everything else is decided on what is there, so an import that is repeated, was killed
 * half-way or has another beside it writes what is missing, and nothing twice.
 */

import type { Log } from '../core/log/log.ts'
import type { Caller } from '../core/write/execute.ts'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import { denied } from '../domain/denial.ts'
import type { ImportedRecord } from '../domain/entry/decisions.ts'
import {
  checkRecord,
  completeImport,
  type ImportCounts,
  type ImportEvent,
  type ImportFormat,
  type ImportState,
  importStream,
  reasonOf,
  type SourceItem,
  startImport,
} from '../domain/entry/import.ts'
import { MAX_LEMMA } from '../domain/entry/lemma.ts'
import { entryId } from '../domain/ids.ts'
import { type Fault, isRefusal, type Refusal } from '../domain/refusal.ts'
import { importEntry } from './entries.ts'
import { openIdLines } from './id-lines.ts'
import { type LeftEntry, leftEntries } from './import-left.ts'
import { openReasons, type ReasonCount } from './import-reasons.ts'
import { type Outcome, openWriter, type WriteDeps } from './import-write.ts'

export type ImportDeps = WriteDeps & {
  readonly log: WriteDeps['log'] & Pick<Log, 'readAll'>
  readonly imports: Transactor<ImportState, ImportEvent>
  /** A fresh UUID: the run's id, which all its events are correlated by. */
  readonly newId: () => string
}

/** A line that was wrong, or an entry that stays as people have made it. */
export type ImportReport = {
  readonly kind: 'fault' | 'kept'
  readonly file?: string
  readonly line: number
  readonly lemma?: string
  readonly reason: string
  /** What is wrong with each member, where that is known, as the interface says it. */
  readonly errors?: readonly Fault[]
}

export type ImportRun = {
  readonly source: string
  readonly format: ImportFormat
  readonly items: AsyncIterable<SourceItem>
  readonly caller: Caller
  /** The first fault stops the run: what was read before it is written, the run is not completed. */
  readonly strict?: boolean
  /** Stops reading; what is on its way is finished. */
  readonly signal?: AbortSignal
  readonly onReport?: (report: ImportReport) => void
  /** An entry that an earlier run has imported, that is still published, and that the source has no more. */
  readonly onLeft?: (entry: LeftEntry) => void
  /** After every batch, with the counts so far. */
  readonly onProgress?: (counts: ImportCounts) => void
  /** Waited for before each batch: others have to keep up with what is written. */
  readonly pace?: () => Promise<void>
  /** Records on their way to the store at once; 256 by default. */
  readonly inFlight?: number
}

/** `ended` is why it ended: at the source's end, at the first fault under `strict` or since all there was were faults, or by the signal. */
export type ImportSummary = {
  readonly source: string
  readonly format: ImportFormat
  readonly runId: string
  readonly ended: 'completed' | 'fault' | 'stopped'
  readonly counts: ImportCounts
  readonly reasons: readonly ReasonCount[]
  /** How many entries of earlier runs are not in the source any more. */
  readonly left: number
  /** Position that a query may wait for to see what this run has written; 0n for a run that was not completed. */
  readonly position: bigint
}

/** Small enough that HTTP gets its turn every few milliseconds, large enough to share a message to the store. */
const BATCH = 128
/** One batch is prepared while another is written; with more, what waits outlives the young generation and the heap grows. */
const IN_FLIGHT = 256

/** Milliseconds after which others have their turn. */
const TURN_MS = 20
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

type Entrance = { readonly item: SourceItem & { readonly kind: 'record' }; readonly record: ImportedRecord }

/** @throws {EventStoreError} when the store stays away; the same import run again goes on. */
export const runImport = async (deps: ImportDeps, run: ImportRun): Promise<ImportSummary | Refusal> => {
  const { source, format, caller, signal } = run
  if (!caller.permissions.has(importEntry.permission)) return denied(importEntry.permission, caller)
  const runId = deps.newId()
  const stream = importStream(source)
  const envelope = (commandId: string) => ({
    commandId,
    actor: caller.actor,
    correlationId: runId,
    at: deps.clock.now(),
  })
  const started = await deps.imports.run(stream, startImport(source, format), envelope(runId))
  if (isRefusal(started)) return started
  const asNew = started.state.started === 1

  const writer = openWriter(deps, { caller, runId })
  const counts = { written: 0, unchanged: 0, kept: 0, faults: 0 }
  const reasons = openReasons()
  const report = (kind: ImportReport['kind'], item: SourceItem, reason: string, errors?: readonly Fault[]) => {
    counts[kind === 'fault' ? 'faults' : 'kept'] += 1
    reasons.add(kind, reason)
    const { file, line } = item
    // Of a line that is wrong it may be anything.
    const lemma = item.kind === 'record' ? item.record.identity.lemma.slice(0, 2 * MAX_LEMMA) : undefined
    run.onReport?.({
      kind,
      ...defined({ file }),
      line,
      ...defined({ lemma }),
      reason,
      ...defined({ errors }),
    })
  }

  const lines = openIdLines()
  /** What is wrong is in the source all the same. */
  const wrong = openIdLines()
  /** The record to write, or undefined when it was reported instead. */
  const admit = (item: SourceItem): Entrance | undefined => {
    if (item.kind === 'fault') {
      report('fault', item, item.reason, item.errors)
      return undefined
    }
    const record = checkRecord(item.record)
    if (isRefusal(record)) {
      wrong.put(entryId(item.record.identity), item.line)
      const errors = record.errors ?? []
      report('fault', item, reasonOf(errors), errors)
      return undefined
    }
    const earlier = lines.put(entryId(record.identity), item.line)
    if (earlier === undefined) return { item, record }
    report('fault', item, `The entry was there before, in line ${earlier}.`)
    return undefined
  }

  const count = ({ item }: Entrance, outcome: Outcome | undefined) => {
    if (!outcome) return
    if ('reason' in outcome) report(outcome.outcome, item, outcome.reason)
    else counts[outcome.outcome] += 1
  }

  const pending = new Set<Promise<void>>()
  const failures: unknown[] = []
  const send = (batch: readonly Entrance[]) => {
    const sent = writer
      .write(
        batch.map(each => each.record),
        asNew,
      )
      .then(
        outcomes => {
          for (const [i, each] of batch.entries()) count(each, outcomes[i])
          run.onProgress?.({ ...counts })
        },
        error => {
          failures.push(error)
        },
      )
      .finally(() => pending.delete(sent))
    pending.add(sent)
  }

  const most = Math.max(1, Math.floor((run.inFlight ?? IN_FLIGHT) / BATCH))
  const mustStop = () => failures.length > 0 || signal?.aborted === true || (run.strict === true && counts.faults > 0)
  let batch: Entrance[] = []
  let since = deps.clock.monotonic()
  const flush = () => {
    if (batch.length > 0) send(batch)
    batch = []
  }
  try {
    for await (const item of run.items) {
      if (mustStop()) break
      const entrance = admit(item)
      if (entrance) batch.push(entrance)
      if (batch.length < BATCH) continue
      await run.pace?.()
      flush()
      if (pending.size >= most) await Promise.race(pending)
      // An answer of the writer's thread may stand ready each time: without this the sockets would not be looked at for seconds.
      if (deps.clock.monotonic() - since > TURN_MS) {
        await turn()
        since = deps.clock.monotonic()
      }
    }
  } catch (error) {
    // Reading that ends because it was told to is no failure.
    if (!signal?.aborted) failures.push(error)
  }
  if (failures.length === 0) flush()
  while (pending.size > 0) await Promise.all(pending)
  if (failures.length > 0) throw failures[0]

  const summary = { source, format, runId, counts: { ...counts }, reasons: reasons.all(), left: 0 }
  if (run.strict && counts.faults > 0) return { ...summary, ended: 'fault', position: 0n }
  if (signal?.aborted) return { ...summary, ended: 'stopped', position: 0n }
  // It is the wrong source: nothing of it could be taken.
  if (counts.faults > 0 && counts.written + counts.unchanged + counts.kept === 0)
    return { ...summary, ended: 'fault', position: 0n }
  let left = 0
  if (!asNew)
    for await (const entry of leftEntries(deps, {
      actor: caller.actor.id,
      isThere: id => lines.has(id) || wrong.has(id),
      signal,
    })) {
      left += 1
      run.onLeft?.(entry)
    }
  const completed = await deps.imports.run(stream, completeImport(counts), envelope(deps.newId()))
  if (isRefusal(completed)) return completed
  return { ...summary, left, ended: 'completed', position: completed.position }
}
