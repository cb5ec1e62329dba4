/** What stories are imported by. */
import type { StoryImportDeps } from '../commands/import-stories.ts'
import { eventsAt } from '../core/log/revisions.ts'
import { accountAggregate } from '../domain/account/account.ts'
import { chapterAggregate, chapterStream, isChapterEvent } from '../domain/chapter/chapter.ts'
import { bytesOfText, type KeptText, openChapterTexts } from '../domain/chapter/texts.ts'
import { storyAggregate } from '../domain/story/story.ts'
import type { Core } from './core.ts'

/** Texts at hand: one chapter after another is written, and its text asked for as it is published. */
const KEPT = 4

export const storyImportDeps = ({
  transactor,
  log,
  memory,
  clock,
  newId,
}: Core): StoryImportDeps & { readonly newId: () => string } => ({
  stories: transactor(storyAggregate),
  chapters: transactor(chapterAggregate),
  accounts: transactor(accountAggregate),
  texts: openChapterTexts({
    events: async (id, revisions) => {
      const found = await eventsAt(log, chapterStream(id), revisions)
      return new Map([...found].flatMap(([at, event]) => (isChapterEvent(event) ? [[at, event]] : [])))
    },
    kept: memory.region('streams').cache<KeptText>({ max: KEPT, sizeOf: bytesOfText }),
  }),
  clock,
  newId,
})
