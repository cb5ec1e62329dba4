/** The chapters of stories: their text, as authors work on it and as readers have it, and how it became so. */

import { chapterProblems } from '../../adapters/http/problems/chapters.ts'
import { chapterQueryRoutes } from '../../adapters/http/routes/chapter-reading.ts'
import { chapterCommandRoutes } from '../../adapters/http/routes/chapters.ts'
import { tail } from '../../core/consume/tail.ts'
import { eventsAt } from '../../core/log/revisions.ts'
import { chapterAggregate, chapterStream, isChapterEvent } from '../../domain/chapter/chapter.ts'
import { ChapterDeleted, HistoryPurged } from '../../domain/chapter/events.ts'
import { bytesOfText, KEPT_TEXTS, type KeptText, openChapterTexts } from '../../domain/chapter/texts.ts'
import { CommentDeleted } from '../../domain/comment/events.ts'
import { StoryDeleted } from '../../domain/story/events.ts'
import { storyAggregate } from '../../domain/story/story.ts'
import { chaptersProjection, chapterTextsProjection } from '../../projections/chapters.ts'
import { storiesProjection } from '../../projections/stories.ts'
import { chapterDifferences, chapterHistory, getChapterRevision, getDraft } from '../../queries/chapter-history.ts'
import { getChapter, listChapters } from '../../queries/chapters.ts'
import { chapterSubscriber } from '../../subscribers/chapters.ts'
import type { Area, Service } from '../area.ts'

/** Texts that are kept in memory, and their HTML, leave it when any is removed, whichever node removed it. */
const textsOf = async ({ core: { log, memory, clock }, logger, opened, renderings }: Service) => {
  const kept = memory.region('streams').cache<KeptText>({ max: KEPT_TEXTS, sizeOf: bytesOfText })
  const ending = new AbortController()
  const forgetting = tail({
    log,
    clock,
    signal: ending.signal,
    from: await log.head(),
    onError: err => logger.error({ part: 'chapters', err }, 'what was removed may be kept in memory'),
    filter: { types: [HistoryPurged.type, ChapterDeleted.type, StoryDeleted.type, CommentDeleted.type] },
    onEvents: events => {
      if (events.length === 0) return
      kept.clear()
      renderings.forget()
    },
  })
  opened.push({
    close: async () => {
      ending.abort()
      await forgetting
    },
  })
  return openChapterTexts({
    events: async (id, revisions) => {
      const found = await eventsAt(log, chapterStream(id), revisions)
      return new Map([...found].flatMap(([at, event]) => (isChapterEvent(event) ? [[at, event]] : [])))
    },
    kept,
  })
}

export const chapters: Area = {
  name: 'chapters',
  aggregates: [chapterAggregate],
  projections: [chaptersProjection, chapterTextsProjection],
  removals: [{ type: ChapterDeleted }, { type: HistoryPurged, onlyBefore: true }],
  problems: chapterProblems,
  subscribers: ({ core: { transactor, clock } }) => [
    chapterSubscriber({ stories: transactor(storyAggregate), chapters: transactor(chapterAggregate), clock }),
  ],
  routes: async service => {
    const { core, views, running, renderings } = service
    const deps = {
      stories: core.transactor(storyAggregate),
      chapters: core.transactor(chapterAggregate),
      texts: await textsOf(service),
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
      getChapter: getChapter({ ...reads, render: renderings.of }),
      getDraft: getDraft(streams),
      chapterHistory: chapterHistory(streams),
      getChapterRevision: getChapterRevision(streams),
      chapterDifferences: chapterDifferences(streams),
    }
    return edge => [...chapterCommandRoutes(deps, edge), ...chapterQueryRoutes(queries, edge)]
  },
}
