/** Stories by what is written in them: the index finds, each story is looked at as it stands now, and its chapters' text is quoted. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query } from '../core/query/define.ts'
import { chapterStream } from '../domain/chapter/chapter.ts'
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { refuse } from '../domain/refusal.ts'
import type { Highlight } from '../domain/search/match.ts'
import { partAround, type Reading, rangesIn, readAsked } from '../domain/search/story-words.ts'
import { shownChapters } from '../domain/story/story.ts'
import { matches } from '../ports/conditions.ts'
import { type RelationDocument, relationsProjection } from '../projections/relations.ts'
import { type StoryDocument, storiesProjection } from '../projections/stories.ts'
import { type StorySearchDocument, storySearchProjection, textOfDocument } from '../projections/story-search.ts'
import { hiddenAmong } from './hidden-authors.ts'
import { HighlightsSchema } from './highlights.ts'
import type { StoryReads } from './stories.ts'
import { conditionsOf, isWanted, mayList, type StoryFilters, scopeOf } from './story-lists.ts'
import {
  coveredBy,
  type Showing,
  type StoryCandidate,
  type StoryIndex,
  type StorySearchCursor,
  searchStoryPages,
  storyTiers,
} from './story-search-pages.ts'
import { peopleInStory, StorySchema, type StoryView, storyView, viewerOf } from './story-view.ts'

export type StorySearchReads = Pick<StoryReads, 'stories' | 'people'> & {
  readonly search: View<StorySearchDocument>
  readonly relations: View<RelationDocument>
}

export type StorySearchInput = Omit<StoryFilters, 'series'> & {
  readonly q: string
  readonly limit: number
  readonly after?: Cursor
}

const text = Type.String()
export const StorySearchItemSchema = Type.Object({
  story: StorySchema,
  matched: Type.Enum([...storyTiers]),
  covered: Type.Number({ description: 'The share of the words asked for that it has; 1: every one.' }),
  chapterId: Type.Optional(Type.String({ description: 'The chapter that `/text` is quoted of.' })),
  highlights: HighlightsSchema,
})
export type StorySearchItem = {
  readonly story: StoryView
  readonly matched: string
  readonly covered: number
  readonly chapterId?: string
  readonly highlights: readonly Highlight[]
}

const output = Type.Object(
  { items: Type.Array(StorySearchItemSchema), next: Type.Union([text, Type.Null()]) },
  { $id: 'StorySearchPage' },
)

const MOST_HIGHLIGHTS = 5

const cursorOf = (key: Json | undefined): StorySearchCursor | undefined => {
  if (!Array.isArray(key)) return undefined
  const [tier, after, found] = key
  return typeof tier === 'number'
    ? { tier, after: Array.isArray(after) ? after : null, found: found === true }
    : undefined
}

const indexOf = (view: View<StorySearchDocument>, generation: string | undefined): StoryIndex => ({
  find: query => view.find(query, generation),
  select: (query, members) => view.select(query, members, generation),
  get: ids => view.get(ids, generation),
  count: (query, limit) => view.count(query, limit),
})

const inText = (pointer: string, given: string, stems: ReadonlySet<string>, language: string): readonly Highlight[] => {
  const ranges = rangesIn(given, stems, language)
  return ranges.length > 0 ? [{ pointer, text: given, ranges }] : []
}

const inAbout = (
  { title, tags, summary, language }: StoryDocument,
  stems: ReadonlySet<string>,
): readonly Highlight[] => [
  ...inText('/title', title, stems, language),
  ...tags.flatMap((tag, i) => inText(`/tags/${i}`, tag, stems, language)),
  ...(summary === undefined ? [] : inText('/summary', summary, stems, language)),
]

/** A part of a chapter's text around the first of the words. */
const quoted = (document: StorySearchDocument | undefined, asked: ReadonlySet<string>): readonly Highlight[] => {
  const { text: whole, stems = [], places = [] } = document ? textOfDocument(document) : {}
  if (whole === undefined || !document) return []
  const at = places.filter((_, i) => asked.has(stems[i] ?? ''))
  return at.length === 0 ? [] : inText('/text', partAround(whole, Math.min(...at)), asked, document.language)
}

/**
 * What the story is found by as it stands now: of its chapters those alone that are published. `chapterId`: the best of them. undefined:
 * nothing that is shown.
 */
const foundBy = (story: StoryDocument, { matched, about, chapters }: StoryCandidate, readings: readonly Reading[]) => {
  const shown = new Set(shownChapters(story))
  const open = [...chapters].filter(([id]) => shown.has(id))
  const stems = new Set([...about, ...open.flatMap(([, found]) => found)])
  const covered = coveredBy([...stems], readings)
  return covered === 0 || (matched !== 'part' && covered < 1) ? undefined : { covered, stems, chapterId: open[0]?.[0] }
}

/** The search of stories. What the reader is not shown in lists is found by nothing, and told of in no number. */
export const searchStories = (reads: StorySearchReads): Query<StorySearchInput, Page<StorySearchItem>> => ({
  name: 'search-stories',
  permission: 'stories:read',
  people: item => (typeof item === 'object' && item !== null && 'story' in item ? peopleInStory(item.story) : []),
  output,
  reads: [storySearchProjection, storiesProjection, relationsProjection],
  closed: ['language', 'rating', 'warning', 'withoutWarning', 'author', 'completed', 'minWords', 'maxWords', 'limit'],
  run: async (input, reader) => {
    const { q, language, limit, after } = input
    const asked = readAsked(q, language)
    if ('fault' in asked)
      return refuse(asked.fault, asked.detail, { errors: [{ pointer: '/q', code: asked.fault, detail: asked.detail }] })
    const { readings } = asked
    await reads.search.ready()
    const generation = after?.generation ?? (reads.search.generation() || undefined)
    // Before the reads: what is read then reflects these positions at least.
    const [found, stood] = [reads.search.position(), reads.stories.position()]
    const position = found < stood ? found : stood
    if (!mayList(reads, input.author, reader)) return { value: { items: [], next: null }, position }
    const viewer = viewerOf(reader, reads.people)
    const index = indexOf(reads.search, generation)
    const fits = isWanted(input, viewer)
    const conditions = conditionsOf(input)
    const show: Showing<StorySearchItem> = async candidates => {
      const documents = await reads.stories.get(candidates.map(({ story }) => story))
      const isHidden = await hiddenAmong(
        reads.relations,
        viewer,
        [...documents.values()].map(({ body }) => body),
      )
      const items = new Map<string, StorySearchItem>()
      for (const candidate of candidates) {
        const { story: id, matched } = candidate
        const story = documents.get(id)?.body
        if (!story || !fits(story) || isHidden(story) || !conditions.every(condition => matches(story, condition)))
          continue
        const by = foundBy(story, candidate, readings)
        if (!by) continue
        const { covered, stems, chapterId } = by
        const stream = chapterId === undefined ? undefined : chapterStream(chapterId)
        const chapter = stream === undefined ? undefined : (await index.get([stream])).get(stream)?.body
        const said = inAbout(story, stems).slice(0, MOST_HIGHLIGHTS - 1)
        items.set(id, {
          story: storyView({ id, revision: story.revision }, story, 'everything'),
          matched,
          covered: Math.round(covered * 100) / 100,
          ...defined({ chapterId }),
          highlights: [...said, ...quoted(chapter, stems)],
        })
      }
      return items
    }
    const asking = { index, readings, listed: scopeOf(viewer), ...defined({ language }) }
    const cursor = cursorOf(after?.key)
    const page = await searchStoryPages(asking, { limit, show, ...defined({ cursor }) })
    const { next } = page
    const key = next && [next.tier, next.after && [...next.after], next.found]
    return { value: { items: page.hits, next: key && { generation: generation ?? '', key } }, position }
  },
})
