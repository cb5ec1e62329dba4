/** A story as its reader may see it. */
import Type, { type Static } from 'typebox'
import type { Reader } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { type StorySight, storySight, type Viewer } from '../domain/story/sight.ts'
import { type Story, shownChapters, wordsOf } from '../domain/story/story.ts'
import { isForAdults, RatingSchema, VisibilitySchema, WarningSchema } from '../domain/story/terms.ts'
import type { People } from '../projections/people.ts'

const text = Type.String()
const count = Type.Integer({ minimum: 0 })

/** What its authors alone are shown stands last. */
export const StorySchema = Type.Object(
  {
    id: text,
    language: text,
    title: text,
    summary: Type.Optional(text),
    tags: Type.Array(text),
    warnings: Type.Array(WarningSchema),
    rating: RatingSchema,
    visibility: VisibilitySchema,
    published: Type.Boolean(),
    completed: Type.Boolean(),
    authors: Type.Array(text, { description: 'Accounts, the one who began it first.' }),
    formerAuthors: Type.Optional(
      Type.Integer({ minimum: 1, description: 'How many have given up their names on it.' }),
    ),
    chapters: Type.Integer({ minimum: 0, description: 'Published ones.' }),
    words: count,
    revision: text,
    createdAt: text,
    updatedAt: text,
    publishedAt: Type.Optional(text),
    held: Type.Optional(Type.Array(text, { description: 'The decisions that hold it back.' })),
    drafts: Type.Optional(count),
    invited: Type.Optional(Type.Array(text)),
    schedule: Type.Optional(Type.Object({ at: text, timeZone: text, due: text })),
  },
  { $id: 'Story' },
)
export type StoryView = Static<typeof StorySchema>

/** The reader as `src/domain/story/sight.ts` sees them. `adult`: they have said so for this request. */
export const viewerOf = ({ actor, permissions }: Reader, people: Pick<People, 'wantsAdult'>, adult = false): Viewer => {
  const account = actor?.kind === 'account' ? actor.id : undefined
  return {
    permissions,
    adult: adult || (account !== undefined && people.wantsAdult(account)),
    ...defined({ account }),
  }
}

const adultContent = (): Refusal =>
  refuse('adult-content', 'The story is for adults: ask with adult=true, or say so in your preferences.')

/** What there is for whoever may not see it. */
export const storyAbsent = (): Refusal =>
  refuse('story-not-found', 'There is no such story, or it is not for you to see.')

/** The story with how much of it this viewer is shown, who asks for it by its id; a refusal where that is nothing, or nothing yet. */
export const shownStory = <S extends Story>(
  story: S | undefined,
  viewer: Viewer,
): { readonly story: S; readonly sight: Exclude<StorySight, 'nothing'> } | Refusal => {
  const sight = story ? storySight(story, viewer) : 'nothing'
  if (!story || sight === 'nothing') return storyAbsent()
  return isForAdults(story) && sight !== 'authored' && !viewer.adult ? adultContent() : { story, sight }
}

const authored = ({ chapters, invited, schedule }: Story) =>
  defined({
    drafts: chapters.length - shownChapters({ chapters }).length,
    invited: [...invited],
    schedule,
  })

/** As much of the story as the sight shows. */
export const storyView = (
  { id, revision }: { readonly id: string; readonly revision: string },
  story: Story,
  sight: Exclude<StorySight, 'nothing'>,
): StoryView => {
  const { summary, former, publishedAt } = story
  return {
    id,
    language: story.language,
    title: story.title,
    ...defined({ summary }),
    tags: [...story.tags],
    warnings: [...story.warnings],
    rating: story.rating,
    visibility: story.visibility,
    published: story.isPublished,
    completed: story.isCompleted,
    authors: [...story.authors],
    ...defined({ formerAuthors: former.length > 0 ? former.length : undefined }),
    chapters: shownChapters(story).length,
    words: wordsOf(story),
    revision,
    createdAt: story.createdAt,
    updatedAt: story.updatedAt,
    ...defined({ publishedAt, held: story.held && [...story.held.decisions] }),
    ...(sight === 'authored' ? authored(story) : {}),
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const idsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : []

/** The accounts that a story names, as far as its members are shown. */
export const peopleInStory = (shown: unknown): readonly string[] =>
  isRecord(shown) ? [...idsIn(shown['authors']), ...idsIn(shown['invited'])] : []
