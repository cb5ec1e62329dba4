/** What comes of cases with time: whoever has claimed one is asked after it, the claim ends, and evidence is destroyed. Each is a job that is due then. */
import type { Subscriber } from '../core/subscribe/define.ts'
import type { Recorded } from '../domain/event.ts'
import { caseCategory } from '../domain/moderation/case.ts'
import { CaseAssigned, CaseClaimed, CaseClosed } from '../domain/moderation/case-events.ts'
import { CLAIM_HOURS, EVIDENCE_DAYS, REMINDER_HOURS } from '../domain/moderation/report-limits.ts'
import { type JobKind, type Jobs, type NewJob, PermanentFailure } from '../ports/jobs.ts'

const CLAIM_JOB = 'case-claim'
const EVIDENCE_JOB = 'report-evidence'
const HOUR_MS = 60 * 60 * 1000

const claimJobs = ({ stream, data, position }: Recorded): readonly NewJob[] => {
  const until = String(data['until'])
  const ends = new Date(until)
  const reminds = new Date(ends.getTime() - (CLAIM_HOURS - REMINDER_HOURS) * HOUR_MS)
  const job = (step: 'remind' | 'end', runAt: Date): NewJob => ({
    kind: CLAIM_JOB,
    key: `${stream}:${ends.getTime()}:${step}`,
    data: { stream, until, step },
    runAt,
    position,
  })
  return [job('remind', reminds), job('end', ends)]
}

const evidenceJob = ({ stream, data, meta, position }: Recorded): NewJob => ({
  kind: EVIDENCE_JOB,
  key: `${stream}:${data['round']}`,
  data: { stream, round: Number(data['round']) },
  runAt: new Date(Date.parse(meta.at) + EVIDENCE_DAYS * 24 * HOUR_MS),
  position,
})

/** A claim that was given back, or taken over, has its jobs all the same: they are found to be none when they are done. */
export const caseTimesSubscriber = (jobs: () => Promise<Pick<Jobs, 'addAll'>>): Subscriber => ({
  name: 'case-times',
  categories: [caseCategory],
  types: [CaseClaimed.type, CaseAssigned.type, CaseClosed.type],
  // From the first event on: where the jobs are lost they are made again, and one that is done changes nothing.
  outward: true,
  handle: async events => {
    await (await jobs()).addAll(
      events.flatMap(event => (event.type === CaseClosed.type ? [evidenceJob(event)] : claimJobs(event))),
    )
  },
})

export type CaseTimes = {
  /** Asks whoever has the claim that ends at `until`, if somebody still has. */
  readonly remind: (stream: string, until: string) => Promise<void>
  /** Frees the case, if that claim still stands. */
  readonly end: (stream: string, until: string) => Promise<void>
  /** Destroys the evidence of this round. */
  readonly destroy: (stream: string, round: number) => Promise<void>
}

const seldom = { concurrency: 2, firstMs: 10_000, longestMs: 10 * 60_000 } as const

export const caseJobs = ({ remind, end, destroy }: CaseTimes): readonly JobKind[] => [
  {
    name: CLAIM_JOB,
    ...seldom,
    handle: async ({ data: { stream, until, step } }) => {
      if (typeof stream !== 'string' || typeof until !== 'string')
        throw new PermanentFailure('the job does not say which claim it is about')
      await (step === 'remind' ? remind : end)(stream, until)
    },
  },
  {
    name: EVIDENCE_JOB,
    ...seldom,
    handle: async ({ data: { stream, round } }) => {
      if (typeof stream !== 'string' || typeof round !== 'number')
        throw new PermanentFailure('the job does not say whose evidence is to be destroyed')
      await destroy(stream, round)
    },
  },
]
