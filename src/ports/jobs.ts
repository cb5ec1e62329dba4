/**
 * Work that is to be done once, later, by any node: a queue that outlives processes. A job is known by its kind and key, so
 * that whoever adds it twice adds it once; it is done at least once, and again after a node that did it has died.
 */

import type { JsonObject } from '../domain/event.ts'
import { OwnError } from '../domain/own-error.ts'
import type { ConsumerStore } from './read-store.ts'

/** A job that has failed so often is parked. */
export const TRIES = 8
/** For so long another node's clock may differ from this one's, in milliseconds, and no harm is done. */
export const CLOCKS_APART_MS = 30_000

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
  /** Of the event that caused it. */
  readonly position?: bigint
  /** It is not to be done before an operator says so: why. */
  readonly parked?: string
  /** The account that it is about: it is not done any more once that was erased (`forgetAbout`). */
  readonly about?: string
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
/** `node`: who does it, or did it last. */
export type JobDetail = JobView & { readonly data: JsonObject; readonly priority: number; readonly node?: string }

/** `reason` names nobody's address. `parked`: it is not tried again. */
export type JobFailure = Pick<JobView, 'kind' | 'key' | 'failures'> & {
  readonly reason: string
  readonly parked: boolean
}

export type RunningJob = {
  readonly key: string
  readonly data: JsonObject
  /** Aborts when the job is no longer this node's, or the node ends: what is not done yet is not to be begun. */
  readonly signal: AbortSignal
  /** Whether this node still holds the job: asked before an effect that cannot be taken back. */
  readonly held: () => Promise<boolean>
}

/** A failure that no repetition mends: the job is parked at once. */
export class PermanentFailure extends OwnError {
  override readonly name = 'PermanentFailure'
}

export type JobKind = {
  readonly name: string
  /** How many of it a node does at once. */
  readonly concurrency: number
  /** Milliseconds to the first repetition; each later one waits twice as long, with a jitter of a fifth, `longestMs` at most. */
  readonly firstMs: number
  readonly longestMs: number
  /**
   * @throws {PermanentFailure} when no repetition helps; any other error is tried again, `TRIES` times in all, and for as long
   * as it takes where one of our own engines was away.
   */
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
export class JobsError extends OwnError {
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
  /** As many at once: how many were not there. Each is there, or none is known to be, when it throws: add them again. */
  addAll(jobs: readonly NewJob[]): Promise<number>
  /** The kinds that this node does, from now on. Once only. `failed` is told of each failure. */
  work(kinds: readonly JobKind[], failed?: (failure: JobFailure) => void): Promise<void>
  /** The oldest first; of one state, or of all but the done. */
  list(options: { readonly state?: JobState; readonly limit: number }): Promise<readonly JobView[]>
  /** Every job of this key, whatever its kind and state. */
  show(key: string): Promise<readonly JobDetail[]>
  /**
   * Parked ones are due now and have all their tries again; how many there were. `key` names one, which may also wait for its next
   * try; else it is all that have failed too often: what was added as parked is done only when it is named.
   */
  retry(key?: string): Promise<number>
  /** A job that is not running counts as done; whether there was one. */
  drop(key: string): Promise<boolean>
  /** Forgets what was done before; how many. Those keys may then be added again. */
  purge(before: Date): Promise<number>
  /** Forgets every job about this account, whatever its state; how many. One that runs is no longer held. */
  forgetAbout(accountId: string): Promise<number>
  counts(): Promise<JobCounts>
  /** The lowest position of those of the kind that are not done; undefined when all are, or none says one. */
  firstPosition(kind: string): Promise<bigint | undefined>
  /**
   * Checkpoints, leases and parked keys of consumers whose effects are jobs. They lie with the jobs and are lost with them,
   * so that a checkpoint never says of jobs that they were added which are no more. Throws {ReadStoreError}.
   */
  readonly consumers: ConsumerStore
  /** How far the clock of the node that differs most is ahead of this one's (below 0: behind), in milliseconds; 0 alone. */
  clocksApart(): number
  /** Takes nothing new from here on: the first half of `close`, which what else is to be closed need not wait for. */
  rest(): void
  /** Takes nothing new, waits for what runs, and gives back what is not done then: 9 s at most. */
  close(): Promise<void>
}
