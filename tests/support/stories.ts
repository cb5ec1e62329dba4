/** Stories as another node writes them beside a service under test: decided as in earnest, and without the way over its interface. */
import { randomUUID } from 'node:crypto'
import { areas } from '../../src/app/areas.ts'
import { type Closing, openCore } from '../../src/app/core.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { By, Decide } from '../../src/domain/decider.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { addChapter, showChapter } from '../../src/domain/story/chapters.ts'
import type { StoryInput } from '../../src/domain/story/content.ts'
import { beginStory, publishStory } from '../../src/domain/story/decisions.ts'
import type { StoryEvent } from '../../src/domain/story/events.ts'
import type { StoryRefusal } from '../../src/domain/story/refusals.ts'
import { beginSeries, orderSeries, seriesAggregate, seriesStream } from '../../src/domain/story/series.ts'
import { type StoryState, storyAggregate, storyStream } from '../../src/domain/story/story.ts'
import type { TestApp } from './app.ts'
import { environmentFor, type Teardown } from './service.ts'

export type WrittenStory = { readonly id: string; readonly chapters: readonly string[] }

export type StoryWriter = {
  /** A published story with so many published chapters. */
  publish(author: string, about: StoryInput, chapters?: number): Promise<WrittenStory>
  /** Carries out a decision on it. */
  act(id: string, author: string, decide: (by: By) => Decide<StoryState, StoryEvent, StoryRefusal>): Promise<void>
  series(author: string, stories: readonly string[]): Promise<string>
}

const COUNTED = 100

export const openStoryWriter = async (
  t: Teardown,
  { app, folder }: { readonly app: Pick<TestApp, 'clock'>; readonly folder: string },
): Promise<StoryWriter> => {
  const opened: Closing[] = []
  const core = await openCore({ config: loadConfig(environmentFor(folder), folder), clock: app.clock, areas, opened })
  t.teardown(async () => {
    for (const each of opened.toReversed()) await each.close()
  })
  const permissions = new Set(['stories:read', 'stories:write'] as const)
  const byOf = (id: string): By => ({ id, permissions, now: app.clock.now(), commandId: randomUUID() })
  const envelopeOf = ({ id, commandId, now: at }: By) => ({
    commandId,
    correlationId: commandId,
    actor: { kind: 'account' as const, id },
    at,
  })
  const stories = core.transactor(storyAggregate)
  const act: StoryWriter['act'] = async (id, author, decide) => {
    const by = byOf(author)
    const result = await stories.run(storyStream(id), decide(by), envelopeOf(by))
    if (isRefusal(result)) throw new Error(result.detail)
  }
  return {
    act,
    publish: async (author, about, count = 1) => {
      const id = randomUUID()
      await act(id, author, by => beginStory('en', { visibility: 'public', ...about }, by))
      const chapters = Array.from({ length: count }, () => randomUUID())
      for (const chapter of chapters) {
        await act(id, author, by => addChapter(chapter, by))
        await act(id, author, () => showChapter({ chapter, words: COUNTED, revision: 1 }))
      }
      await act(id, author, publishStory)
      return { id, chapters }
    },
    series: async (author, members) => {
      const id = randomUUID()
      const series = core.transactor(seriesAggregate)
      for (const decide of [
        (by: By) => beginSeries({ title: 'All of them' }, by),
        (by: By) => orderSeries(members, () => true, by),
      ]) {
        const by = byOf(author)
        const result = await series.run(seriesStream(id), decide(by), envelopeOf(by))
        if (isRefusal(result)) throw new Error(result.detail)
      }
      return id
    },
  }
}
