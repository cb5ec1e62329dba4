/** Sees to it that a sign-up which nobody confirms ends: a job for each, which is due when its link has been dead for a week. */

import type { Subscriber } from '../core/subscribe/define.ts'
import { addressCategory, signUpEnds } from '../domain/address/address.ts'
import { SignUpReceived } from '../domain/address/address-events.ts'
import { type JobKind, type Jobs, PermanentFailure } from '../ports/jobs.ts'

const SIGN_UP_JOB = 'sign-up-end'

type Add = () => Promise<Pick<Jobs, 'add'>>
type SignUp = { readonly claim: string; readonly accountId: string }

const addJob = async (jobs: Add, { claim, accountId }: SignUp, due: Date): Promise<void> => {
  const key = `${accountId}:${due.getTime()}`
  await (await jobs()).add({
    kind: SIGN_UP_JOB,
    key,
    data: { claim, accountId },
    priority: -1,
    runAt: due,
    about: accountId,
  })
}

/** One job for a sign-up, at an address with an account as well: both are the same work. */
export const signUpsSubscriber = (jobs: Add): Subscriber => ({
  name: 'sign-ups',
  categories: [addressCategory],
  types: [SignUpReceived.type],
  // From the first event on: where the jobs are lost they are made again, and one that is done changes nothing.
  outward: true,
  handle: async events => {
    for (const { stream, data } of events)
      await addJob(jobs, { claim: stream, accountId: String(data['accountId']) }, signUpEnds(String(data['expiresAt'])))
  },
})

/** `end` does what is due, and answers with a date where it is to be looked at again. Repeating it is harmless. */
export const signUpJobs = (jobs: Add, end: (signUp: SignUp) => Promise<'confirmed' | 'ended' | Date>): JobKind => ({
  name: SIGN_UP_JOB,
  concurrency: 2,
  firstMs: 60_000,
  longestMs: 6 * 60 * 60_000,
  handle: async ({ data }) => {
    const { claim, accountId } = data
    if (typeof claim !== 'string' || typeof accountId !== 'string')
      throw new PermanentFailure('the job does not say which sign-up it is about')
    const done = await end({ claim, accountId })
    if (done instanceof Date) await addJob(jobs, { claim, accountId }, done)
  },
})
