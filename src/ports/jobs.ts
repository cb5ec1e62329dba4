/**
 * Work that is to be done once, later, by any node: a queue that outlives processes. A job is known by its kind and key, so
 * that whoever adds it twice adds it once; it is done at least once, and again after a node that did it has died.
 */
import type { JsonObject } from '../domain/event.ts'

export type NewJob = {
  readonly kind: string
  /** Unique within the kind, until the job is forgotten (`purge`). */
  readonly key: string
  /** Kept in the clear: never an address or a secret, only what leads to them. */
  readonly data: JsonObject
  /** Higher ones first among those that are due; 0 by default. */
  readonly priority?: number
  /** Not before; at once by default. */
  readonly runAt?: Date
}

/** `parked`: it failed for good, or too often, and waits for `retry`. `done` too when it was dropped. */
export type JobState = 'waiting' | 'running' | 'parked' | 'done'
export const jobStates: readonly JobState[] = ['waiting', 'running', 'parked', 'done']

export type JobView = {
  readonly kind: string
  readonly key: string
  readonly state: JobState
  /** How often it failed since it was added or retried. */
  readonly failures: number
  readonly nextRunAt?: Date
  readonly lastRunAt?: Date
  readonly finishedAt?: Date
  /** Of the last failure. */
  readonly reason?: string
}

export type RunningJob = {
  readonly key: string
  readonly data: JsonObject
  /** Aborts when the work takes longer than its lock lasts, or the node ends: what is not done yet is not to be begun. */
  readonly signal: AbortSignal
  /** Whether this node still holds the job: asked before an effect that cannot be taken back. */
  readonly held: () => Promise<boolean>
}

/** A failure that no repetition mends: the job is parked at once. */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure'
}

export type JobKind = {
  readonly name: string
  /** How many of it a node does at once. */
  readonly concurrency: number
  /** How often it is tried before it is parked. */
  readonly tries: number
  /** Milliseconds to the first repetition; each later one waits twice as long, with a jitter of a fifth, `longestMs` at most. */
  readonly firstMs: number
  readonly longestMs: number
  /** @throws {PermanentFailure} when no repetition helps; any other error is tried again. */
  readonly handle: (job: RunningJob) => Promise<void>
}

export type JobCounts = {
  readonly waiting: number
  readonly running: number
  readonly parked: number
  /** When the one that waits longest was to be done. */
  readonly oldest?: Date
}

/** `damaged`: the engine's file cannot be used, now and later. */
export type JobsErrorCode = 'unavailable' | 'closed' | 'damaged'
export class JobsError extends Error {
  override readonly name = 'JobsError'
  readonly code: JobsErrorCode
  constructor(code: JobsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Every call throws {JobsError} `unavailable` when the engine does not answer, `closed` after `close`. */
export type Jobs = {
  /** False when a job of this kind and key is there already, in whatever state. Durable when it resolves. */
  add(job: NewJob): Promise<boolean>
  /** The kinds that this node does, from now on. Once only. */
  work(kinds: readonly JobKind[]): Promise<void>
  /** The oldest first; of one state, or of all but the done. */
  list(options: { readonly state?: JobState; readonly limit: number }): Promise<readonly JobView[]>
  /** Parked ones are due now and have all their tries again; how many there were. `key` names one, else all. */
  retry(key?: string): Promise<number>
  /** A job that is not running counts as done; whether there was one. */
  drop(key: string): Promise<boolean>
  /** Forgets what was done before; how many. Those keys may then be added again. */
  purge(before: Date): Promise<number>
  counts(): Promise<JobCounts>
  /** Takes nothing new, waits for what runs (5 s at most) and frees what was not begun. */
  close(): Promise<void>
}
