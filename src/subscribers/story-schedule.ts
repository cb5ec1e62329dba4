/** Sees to it that a story is published when its authors have planned it: a job for each plan, which is due at that instant. */
import type { Subscriber } from '../core/subscribe/define.ts'
import { StoryScheduled } from '../domain/story/events.ts'
import { storyCategory, storyIdOf } from '../domain/story/story.ts'
import { type JobKind, type Jobs, PermanentFailure } from '../ports/jobs.ts'

const PUBLICATION_JOB = 'story-publication'

/** A plan that was taken back, or changed, has its job all the same: it is found to be none when that is done. */
export const storyScheduleSubscriber = (jobs: () => Promise<Pick<Jobs, 'add'>>): Subscriber => ({
  name: 'story-schedule',
  categories: [storyCategory],
  types: [StoryScheduled.type],
  // From the first event on: where the jobs are lost they are made again, and one that is done changes nothing.
  outward: true,
  handle: async events => {
    for (const event of events) {
      const storyId = storyIdOf(event)
      const due = String(event.data['due'])
      const runAt = new Date(due)
      const key = `${storyId}:${runAt.getTime()}`
      await (await jobs()).add({ kind: PUBLICATION_JOB, key, data: { storyId, due }, runAt, position: event.position })
    }
  },
})

/** `publish` publishes the story if that is still planned for `due`; repeating it is harmless. */
export const storyPublicationJobs = (publish: (storyId: string, due: string) => Promise<void>): JobKind => ({
  name: PUBLICATION_JOB,
  concurrency: 2,
  firstMs: 10_000,
  longestMs: 10 * 60_000,
  handle: async ({ data }) => {
    const { storyId, due } = data
    if (typeof storyId !== 'string' || typeof due !== 'string')
      throw new PermanentFailure('the job does not say which story is to be published')
    await publish(storyId, due)
  },
})
