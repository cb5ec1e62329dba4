/** What a queue needs of its engine: agenda's own contract, and the questions that it answers too slowly or not at all. */
import { createHash } from 'node:crypto'
import type { AgendaBackend, JobId, JobParameters } from 'agenda'
import type { JsonObject } from '../../domain/event.ts'
import type { JobCounts, JobState } from '../../ports/jobs.ts'
import type { ConsumerStore } from '../../ports/read-store.ts'

/** What agenda calls the data of a job: our key, and ours beside it. `position` has 20 digits, so that texts sort as numbers do. */
export type Stored = {
  readonly key: string
  readonly data: JsonObject
  readonly position?: string
  readonly about?: string
}

/**
 * A lock as this node took or renewed it last: whoever took it since has written another time, or another name. `due`: when the
 * job was to be done.
 */
export type Lock = { readonly id: JobId; readonly owner: string; readonly lockedAt: Date; readonly due: Date }

export type JobBackend = AgendaBackend & {
  /** Jobs of a state, those that are due first; done ones only when asked for, or by key. */
  pick(options: { readonly state?: JobState; readonly key?: string; readonly limit: number }): Promise<JobParameters[]>
  counts(): Promise<JobCounts>
  /** Of those of the name that are not done the lowest `position`. */
  firstPosition(name: string): Promise<string | undefined>
  /** As if they had never failed, and due: of the key what is parked or waits for its next try, else all that were parked when tried. How many. */
  retry(key: string | undefined, due: Date): Promise<number>
  /** Those of the key that nobody does just now count as done; how many. */
  drop(key: string, at: Date): Promise<number>
  /** Removes jobs that were done before; how many. */
  forget(before: Date): Promise<number>
  /** Removes jobs about this account, whatever their state; how many. Looks through all there are: accounts are seldom erased. */
  forgetAbout(accountId: string): Promise<number>
  /** Adds those whose name and key are not there, durably; how many. In one transaction, where the engine has them. */
  addAll(jobs: readonly JobParameters<Stored>[]): Promise<number>
  /** `saveJobState`, where the lock is still held: false where it is not, and then nothing has changed. */
  saveLocked(job: JobParameters, lock: Lock): Promise<boolean>
  /** Frees those that are still held, as they were before they were taken; how many. */
  giveBack(locks: readonly Lock[]): Promise<number>
  readonly consumers: ConsumerStore
}

export const isStored = (data: unknown): data is Stored =>
  typeof data === 'object' && data !== null && 'key' in data && typeof data.key === 'string' && 'data' in data

export const positionText = (position: bigint): string => String(position).padStart(20, '0')

/**
 * The id of a job of ours, in the form of MongoDB's: it follows from name and key, so that the primary key of either engine
 * keeps two who add it at the same moment to one.
 */
export const idOf = (name: string, key: string): string =>
  createHash('sha256').update(`${name}\u001f${key}`, 'utf8').digest('hex').slice(0, 24)
