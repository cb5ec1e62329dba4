/**
 * The store's side of the writer thread: what waits, what was sent, who is answered. A thread that dies leaves its
 * appends with an unknown outcome and is started again by the next one.
 */

import { Worker } from 'node:worker_threads'
import { wordsOf } from '../../../domain/own-error.ts'
import type { Clock } from '../../../ports/clock.ts'
import {
  type AppendResult,
  type CopiedEvent,
  EventStoreError,
  MAX_WAITING_APPENDS,
  type Unknown,
} from '../../../ports/event-store.ts'
import {
  ANSWER_WIDTH,
  CONFLICT,
  DAMAGED,
  type Failure,
  REPEATED,
  WRITTEN,
  type WriterReply,
  type WriterSettings,
} from './protocol.ts'
import { damagedStream } from './streams.ts'

/** Appends that share a message: of a longer burst the thread commits the first ones while this side prepares the others. */
const MESSAGE_APPENDS = 256
/** What waits may hold this many characters of events; beyond it appends are `busy`. */
const MAX_WAITING_CHARACTERS = 64_000_000
const CLOSE_TIMEOUT_MS = 10_000

export type WriterStats = {
  /** Appends that are not answered yet. */
  readonly waiting: number
  readonly transactions: number
  readonly events: number
  readonly repeated: number
  readonly conflicts: number
  /** Appends that failed or whose outcome is unknown. */
  readonly failed: number
  /** How often the thread was started again. */
  readonly restarts: number
}

export type StartWorker = (settings: WriterSettings) => Worker

/** Starts writer.ts as a thread. */
export const startWriter: StartWorker = settings =>
  new Worker(new URL('./writer.ts', import.meta.url), {
    workerData: settings,
    // Batches are short-lived: without a bound the young generation alone takes 50 MB.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  })

export type WriterOptions = {
  readonly settings: Omit<WriterSettings, 'leaving'>
  readonly clock: Clock
  readonly start: StartWorker
  /** Called after events were committed, before their appends are answered. */
  readonly committed: () => void
  /** Told how many appends each transaction answered. */
  readonly onBatch?: (appends: number) => void
}

export type Writer = {
  /** `expected` is -1 for none. The caller has checked the events; `characters` is their size. */
  append(stream: string, expected: number, events: readonly CopiedEvent[], characters: number): Promise<AppendResult>
  stats(): WriterStats
  /** Folds the journal into the file; pages left in it, -1 when somebody stood in the way or the thread is not there. */
  checkpoint(): Promise<number>
  /** Makes again what the log is looked up by. @throws {EventStoreError}: nothing is changed then. */
  repair(): Promise<void>
  close(): Promise<void>
}

type Waiting = {
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: EventStoreError) => void
  readonly stream: string
  readonly events: number
  readonly characters: number
}

type Outgoing = { streams: string[]; expected: number[]; counts: number[]; texts: string[]; times: number[] }
const nothing = (): Outgoing => ({ streams: [], expected: [], counts: [], texts: [], times: [] })

const current = (revision: number): 'none' | bigint => (revision < 0 ? 'none' : BigInt(revision))

/** Starts the thread and waits until it has opened the file. @throws {EventStoreError} */
export const openWriter = async ({ settings, clock, start, committed, onBatch }: WriterOptions): Promise<Writer> => {
  let worker: Worker | undefined
  let outgoing = nothing()
  let scheduled = false
  let closing = false
  const leaving = new Int32Array(new SharedArrayBuffer(4))
  // Waiting for an answer in the order of the appends; those before `answered` have theirs.
  let sent: Waiting[] = []
  let answered = 0
  let characters = 0
  const counts = { transactions: 0, events: 0, repeated: 0, conflicts: 0, failed: 0, restarts: -1 }
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const checkpoints: ((pages: number) => void)[] = []
  const repairs: ((failure?: Failure) => void)[] = []

  const next = (): Waiting | undefined => {
    const entry = sent[answered]
    if (!entry) return undefined
    answered += 1
    characters -= entry.characters
    if (answered === sent.length) {
      sent = []
      answered = 0
    } else if (answered >= MAX_WAITING_APPENDS) {
      sent = sent.slice(answered)
      answered = 0
    }
    return entry
  }

  const answer = (answers: readonly number[]): void => {
    counts.transactions += 1
    onBatch?.(answers.length / ANSWER_WIDTH)
    const results: (AppendResult | 'damaged')[] = []
    let written = false
    for (let index = 0; index < answers.length; index += ANSWER_WIDTH) {
      const outcome = answers[index]
      const revision = answers[index + 1] ?? -1
      if (outcome === DAMAGED) {
        counts.failed += 1
        results.push('damaged')
        continue
      }
      if (outcome === CONFLICT) {
        counts.conflicts += 1
        results.push({ outcome: 'conflict', current: current(revision) })
        continue
      }
      if (outcome === REPEATED) counts.repeated += 1
      else written = true
      results.push({ outcome: 'written', revision: BigInt(revision), position: BigInt(answers[index + 2] ?? 0) })
    }
    if (written) committed()
    for (const [index, result] of results.entries()) {
      const entry = next()
      if (answers[index * ANSWER_WIDTH] === WRITTEN) counts.events += entry?.events ?? 0
      if (result === 'damaged') entry?.reject(damagedStream(settings.path, entry.stream, 'what leads to the events'))
      else entry?.resolve(result)
    }
  }

  const fail = (count: number, failure: Failure): void => {
    counts.failed += count
    for (let index = 0; index < count; index += 1) {
      const entry = next()
      if (failure.unknown) entry?.resolve({ outcome: 'unknown', cause: failure.message })
      else entry?.reject(new EventStoreError(failure.code, failure.message))
    }
  }

  const receive = (reply: WriterReply): void => {
    switch (reply.kind) {
      case 'ready':
        ready.resolve()
        break
      case 'answers':
        answer(reply.answers)
        break
      case 'failed':
        fail(reply.count, reply.failure)
        break
      case 'fatal':
        // It could not open the file, so nothing that was sent to it is written; the next append starts another.
        void worker?.terminate()
        worker = undefined
        ready.reject(new EventStoreError(reply.failure.code, reply.failure.message))
        fail(sent.length - answered - outgoing.streams.length, reply.failure)
        if (closing) ended.resolve()
        break
      case 'checkpointed':
        for (const each of checkpoints.splice(0)) each(reply.pages)
        break
      case 'repaired':
        repairs.shift()?.(reply.failure)
        break
      case 'closed':
        ended.resolve()
    }
  }

  const launch = (): Worker => {
    counts.restarts += 1
    const started = start({ ...settings, leaving })
    let cause = 'the thread that writes the event store has ended'
    started.on('message', receive)
    started.on('error', error => {
      cause = `the thread that writes the event store has failed: ${wordsOf(error)}`
    })
    started.on('exit', () => {
      for (const each of checkpoints.splice(0)) each(-1)
      for (const each of repairs.splice(0)) each({ code: 'unavailable', message: cause, unknown: true })
      if (worker !== started) return
      worker = undefined
      ready.reject(new EventStoreError('unavailable', cause))
      fail(sent.length - answered - outgoing.streams.length, { code: 'unavailable', message: cause, unknown: true })
      if (closing) ended.resolve()
    })
    return started
  }

  const flush = (): void => {
    scheduled = false
    if (outgoing.streams.length === 0) return
    worker ??= launch()
    worker.postMessage({ kind: 'append', at: clock.now().getTime(), ...outgoing })
    outgoing = nothing()
  }

  const refused = (): EventStoreError | undefined => {
    if (closing) return new EventStoreError('closed', 'the event store is closed')
    const waiting = sent.length - answered
    if (waiting < MAX_WAITING_APPENDS && characters < MAX_WAITING_CHARACTERS) return undefined
    return new EventStoreError('busy', `the event store is busy: ${waiting} appends are waiting`)
  }

  worker = launch()
  await ready.promise

  return {
    append: (stream, expected, events, size) => {
      const refusal = refused()
      if (refusal) return Promise.reject(refusal)
      const copied = events[0]?.recordedAt !== undefined
      // A message is all of copied events or has none.
      if (copied !== outgoing.times.length > 0) flush()
      return new Promise((resolve, reject) => {
        outgoing.streams.push(stream)
        outgoing.expected.push(expected)
        outgoing.counts.push(events.length)
        for (const event of events) outgoing.texts.push(event.id, event.type, event.data, event.meta)
        if (copied) for (const { recordedAt } of events) outgoing.times.push(Date.parse(recordedAt ?? ''))
        sent.push({ resolve, reject, stream, events: events.length, characters: size })
        characters += size
        if (outgoing.streams.length >= MESSAGE_APPENDS) flush()
        else if (!scheduled) {
          scheduled = true
          queueMicrotask(flush)
        }
      })
    },
    checkpoint: () => {
      if (!worker || closing) return Promise.resolve(-1)
      const thread = worker
      return new Promise(resolve => {
        checkpoints.push(resolve)
        thread.postMessage({ kind: 'checkpoint' })
      })
    },
    repair: async () => {
      if (closing) throw new EventStoreError('closed', 'the event store is closed')
      flush()
      worker ??= launch()
      const thread = worker
      const failure = await new Promise<Failure | undefined>(resolve => {
        repairs.push(resolve)
        thread.postMessage({ kind: 'repair' })
      })
      if (failure) throw new EventStoreError(failure.code, failure.message)
    },
    stats: () => ({ waiting: sent.length - answered, ...counts }),
    close: async () => {
      closing = true
      flush()
      if (!worker) return
      const thread = worker
      Atomics.store(leaving, 0, 1)
      thread.postMessage({ kind: 'close' })
      const timer = setTimeout(() => ended.resolve(), CLOSE_TIMEOUT_MS)
      await ended.promise
      clearTimeout(timer)
      await thread.terminate()
      const outcome: Unknown = { outcome: 'unknown', cause: 'the event store was closed before it answered' }
      for (let entry = next(); entry; entry = next()) entry.resolve(outcome)
    },
  }
}
