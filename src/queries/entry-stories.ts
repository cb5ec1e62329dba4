/** The published stories that use an entry of the dictionary, each looked at as it stands now. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { namesOf } from '../domain/search/terms.ts'
import { wordUses } from '../domain/search/word-use.ts'
import { isListedFor } from '../domain/story/sight.ts'
import { shownChapters } from '../domain/story/story.ts'
import { type EntryDocument, entriesProjection } from '../projections/entries.ts'
import { type RelationDocument, relationsProjection } from '../projections/relations.ts'
import { storiesProjection } from '../projections/stories.ts'
import { type StorySearchDocument, storySearchProjection } from '../projections/story-search.ts'
import { notFound, seen } from './entries.ts'
import { entryStoriesPage, type ShowingUses } from './entry-stories-pages.ts'
import { hiddenAmong } from './hidden-authors.ts'
import type { StoryReads } from './stories.ts'
import { peopleInStory, StorySchema, storyView, viewerOf } from './story-view.ts'

export type EntryStoriesReads = Pick<StoryReads, 'stories' | 'people'> & {
  readonly chapters: View<StorySearchDocument>
  readonly entries: View<EntryDocument>
  readonly relations: View<RelationDocument>
}
export type EntryStoriesInput = { readonly id: string; readonly limit: number; readonly after?: Cursor }

const text = Type.String()
export const EntryStorySchema = Type.Object({
  story: StorySchema,
  matched: Type.Enum([...wordUses], {
    description: 'By its lemma, by a form or variant of it, or by a word of the same stem.',
  }),
  chapterId: Type.String({ description: 'The first chapter that uses it so.' }),
})
export type EntryStory = Type.Static<typeof EntryStorySchema>

const output = Type.Object(
  { items: Type.Array(EntryStorySchema), next: Type.Union([text, Type.Null()]) },
  { $id: 'EntryStoryPage' },
)

/** Stories that the reader is shown in lists whose published chapters use the entry; none of one that is not published. */
export const entryStories = (reads: EntryStoriesReads): Query<EntryStoriesInput, Page<EntryStory>> => ({
  name: 'entry-stories',
  permission: 'stories:read',
  people: item => (typeof item === 'object' && item !== null && 'story' in item ? peopleInStory(item.story) : []),
  output,
  reads: [entriesProjection, storySearchProjection, storiesProjection, relationsProjection],
  closed: ['limit'],
  run: async ({ id, limit, after }, reader) => {
    // Before the reads: what is read then reflects these positions at least.
    const views = [reads.stories, reads.chapters, reads.entries]
    const position = views.map(view => view.position()).reduce((a, b) => (a < b ? a : b))
    const entry = (await reads.entries.get([id])).get(id)?.body
    if (!entry) return notFound()
    const told = await seen(reads, reader, id, entry, entry.revision)
    if ('refused' in told) return told
    if (entry.status !== 'published') return { value: { items: [], next: null }, position }
    const viewer = viewerOf(reader, reads.people)
    const show: ShowingUses<EntryStory> = async uses => {
      const documents = await reads.stories.get(uses.map(({ story }) => story))
      const isHidden = await hiddenAmong(
        reads.relations,
        viewer,
        [...documents.values()].map(({ body }) => body),
      )
      const items = new Map<string, EntryStory>()
      for (const { story: storyId, chapters } of uses) {
        const story = documents.get(storyId)?.body
        if (!story || !isListedFor(story, viewer) || isHidden(story)) continue
        const order = shownChapters(story)
        for (const matched of wordUses) {
          const chapterId = order.find(chapter => chapters.get(chapter) === matched)
          if (chapterId === undefined) continue
          const view = storyView({ id: storyId, revision: story.revision }, story, 'everything')
          items.set(storyId, { story: view, matched, chapterId })
          break
        }
      }
      return items
    }
    await reads.chapters.ready()
    const generation = after?.generation ?? (reads.chapters.generation() || undefined)
    const from = Array.isArray(after?.key) ? after.key : undefined
    const page = await entryStoriesPage(
      {
        index: { select: (query, members) => reads.chapters.select(query, members, generation) },
        names: namesOf(entry),
        language: entry.language,
      },
      { limit, show, ...defined({ from }) },
    )
    const next = page.next && { generation: generation ?? '', key: [...page.next] }
    return { value: { items: page.items, next }, position }
  },
})
