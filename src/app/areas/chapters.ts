/** The chapters of stories: their text, as authors work on it and as readers have it, and how it became so. */

import { chapterProblems } from '../../adapters/http/problems/chapters.ts'
import { chapterQueryRoutes } from '../../adapters/http/routes/chapter-reading.ts'
import { chapterCommandRoutes } from '../../adapters/http/routes/chapters.ts'
import { eventsAt } from '../../core/log/revisions.ts'
import { chapterAggregate, chapterStream, isChapterEvent } from '../../domain/chapter/chapter.ts'
import { bytesOfText, KEPT_TEXTS, openChapterTexts } from '../../domain/chapter/texts.ts'
import { storyAggregate } from '../../domain/story/story.ts'
import { chaptersProjection, chapterTextsProjection } from '../../projections/chapters.ts'
import { storiesProjection } from '../../projections/stories.ts'
import { chapterDifferences, chapterHistory, getChapterRevision, getDraft } from '../../queries/chapter-history.ts'
import { getChapter, listChapters } from '../../queries/chapters.ts'
import { chapterSubscriber } from '../../subscribers/chapters.ts'
import type { Area } from '../area.ts'
import type { Core } from '../core.ts'

const textsOf = ({ log, memory }: Core) =>
  openChapterTexts({
    events: async (id, revisions) => {
      const found = await eventsAt(log, chapterStream(id), revisions)
      return new Map([...found].flatMap(([at, event]) => (isChapterEvent(event) ? [[at, event]] : [])))
    },
    kept: memory.region('streams').cache({ max: KEPT_TEXTS, sizeOf: bytesOfText }),
  })

export const chapters: Area = {
  name: 'chapters',
  aggregates: [chapterAggregate],
  projections: [chaptersProjection, chapterTextsProjection],
  problems: chapterProblems,
  subscribers: ({ core: { transactor, clock } }) => [
    chapterSubscriber({ stories: transactor(storyAggregate), chapters: transactor(chapterAggregate), clock }),
  ],
  routes: ({ core, views, running }) => {
    const deps = {
      stories: core.transactor(storyAggregate),
      chapters: core.transactor(chapterAggregate),
      texts: textsOf(core),
    }
    const reads = {
      stories: views.of(storiesProjection),
      chapters: views.of(chaptersProjection),
      texts: views.of(chapterTextsProjection),
      people: running.people,
    }
    const streams = { ...deps, log: core.log, people: running.people }
    const queries = {
      listChapters: listChapters(reads),
      getChapter: getChapter(reads),
      getDraft: getDraft(streams),
      chapterHistory: chapterHistory(streams),
      getChapterRevision: getChapterRevision(streams),
      chapterDifferences: chapterDifferences(streams),
    }
    return edge => [...chapterCommandRoutes(deps, edge), ...chapterQueryRoutes(queries, edge)]
  },
}
