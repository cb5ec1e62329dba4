/** What the routes of comments take and show, and what their examples name. */
import Type from 'typebox'
import { COMMENT_LENGTH, MOST_MENTIONS, MOST_QUOTES } from '../../../domain/comment/limits.ts'
import { TargetKindSchema } from '../../../domain/comment/target.ts'
import type { Json } from '../../../domain/event.ts'
import { REVISION, UUID } from '../../../domain/forms.ts'
import { exampleAccount, exampleChapter, exampleStory } from './shelf-schemas.ts'

export const tag = 'Comments'
export const strict = { additionalProperties: false }
const text = Type.String()

export const exampleComment = '0d1c2b3a-4f5e-5d6c-8b7a-9f8e7d6c5b4a'
export const exampleTarget = exampleStory
export const exampleThread = { kind: 'story', id: exampleStory }
export const exampleTime = '2026-01-05T10:00:00.000Z'

const id = (description: string) => Type.String({ pattern: UUID, description })
export const CommentParams = Type.Object({ id: id('The id of the comment.') })
export const ThreadParams = Type.Object({ kind: TargetKindSchema, id: id('The id of what the thread is about.') })
export const EntryParams = Type.Object({ id: id('The id of the entry.') })
export const ChapterParams = Type.Object({ id: id('The id of the story.'), chapterId: id('The id of the chapter.') })
export const PersonParams = Type.Object({ accountId: id('The id of the account.') })

const adult = Type.Optional(Type.Boolean({ description: 'true: what is for adults is shown as well.' }))
const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
)
const cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' }))
export const PageQuery = Type.Object({ limit, cursor }, strict)
export const OneQuery = Type.Object({ adult }, strict)
export const ThreadQuery = Type.Object(
  {
    sort: Type.Optional(
      Type.Enum(['createdAt', '-createdAt'], {
        description:
          'Of those that answer nothing: the oldest first, or the newest. Answers always stand oldest first.',
      }),
    ),
    under: Type.Optional(id('The answers to this comment alone, from its depth on.')),
    adult,
    limit,
    cursor,
  },
  strict,
)

const mentions = Type.Optional(
  Type.Array(Type.String({ pattern: UUID }), { maxItems: MOST_MENTIONS, description: 'Accounts that are told of it.' }),
)
const point = Type.Integer({ minimum: 0, maximum: COMMENT_LENGTH })
const quotes = Type.Optional(
  Type.Array(
    Type.Object(
      { comment: id('Of the same thread.'), revision: Type.String({ pattern: REVISION }), from: point, to: point },
      strict,
    ),
    {
      maxItems: MOST_QUOTES,
      description: 'Parts of other comments by reference, in code points from `from` to before `to`.',
    },
  ),
)
const words = Type.String({ description: `CommonMark, ${COMMENT_LENGTH} characters at most.` })
export const CommentBody = Type.Object(
  {
    target: Type.Object({ kind: TargetKindSchema, id: id('What it is about.') }, strict),
    parent: Type.Optional(id('The comment that it answers.')),
    text: words,
    mentions,
    quotes,
  },
  { ...strict, $id: 'Commenting' },
)
export const CommentEdit = Type.Object({ text: words }, { ...strict, $id: 'CommentEdit' })

export const ClosedSchema = Type.Object(
  { target: Type.Object({ kind: TargetKindSchema, id: text }), closed: Type.Boolean() },
  { $id: 'ThreadState' },
)
export const FrozenSchema = Type.Object({ id: text, frozen: Type.Boolean() }, { $id: 'BranchState' })

export const exampleView: { readonly [member: string]: Json } = {
  id: exampleComment,
  target: { kind: 'story', id: exampleStory },
  storyId: exampleStory,
  rootId: exampleComment,
  depth: 1,
  replies: 0,
  createdAt: exampleTime,
  open: true,
  author: exampleAccount,
  text: 'The *light* in the third chapter!',
  mentions: [],
  quotes: [],
  revision: '0',
}
export const exampleRead: Json = { ...exampleView, html: '<p>The <em>light</em> in the third chapter!</p>\n' }
export const ofChapterExample = { id: exampleStory, chapterId: exampleChapter }
