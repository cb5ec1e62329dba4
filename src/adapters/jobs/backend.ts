/** What a queue needs of its engine: agenda's own contract, and the questions that it answers too slowly or not at all. */
import type { AgendaBackend, JobParameters } from 'agenda'
import type { JobCounts, JobState } from '../../ports/jobs.ts'

export type JobBackend = AgendaBackend & {
  /** Jobs of a state, those that are due first; done ones only when asked for. */
  pick(options: { readonly state?: JobState; readonly key?: string; readonly limit: number }): Promise<JobParameters[]>
  counts(): Promise<JobCounts>
  /** Removes jobs that were done before; how many. */
  forget(before: Date): Promise<number>
}
