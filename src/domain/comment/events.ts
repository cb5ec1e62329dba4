/**
 * The events of comments and of threads. Each of a comment's that changes whether it shows repeats where it stands, since what is above it
 * counts what shows below.
 */
import Type from 'typebox'
import { type EventOf, eventType } from '../event.ts'
import { COMMENT_LENGTH, MOST_DEPTH, MOST_MENTIONS, MOST_QUOTES } from './limits.ts'
import { TargetKindSchema } from './target.ts'

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const text = Type.String({ minLength: 1, maxLength: 2 * COMMENT_LENGTH, seal: 'document' as const })
const revision = Type.String()
const point = Type.Integer({ minimum: 0 })

/** Another comment's words, by where they stand: its id and revision, and from which code point to before which. */
export const QuoteSchema = Type.Object({ comment: id, revision, from: point, to: point }, strict)

const place = {
  story: Type.Optional(Type.String({ minLength: 1, description: 'Of a story or a chapter: the story.' })),
  thread: Type.String({ description: 'What it is about: `story-`, `chapter-` or `entry-` and the id.' }),
  ancestors: Type.Array(id, {
    maxItems: MOST_DEPTH,
    description: 'The comments above it, the first of the thread first.',
  }),
}

/** `seen`: the revisions of the streams that it was decided on. `audience`: for whom what it is about was then, in lists and on live channels. */
export const CommentPosted = eventType(
  'CommentPosted',
  Type.Object(
    {
      author: id,
      target: Type.Object({ kind: TargetKindSchema, id }, strict),
      audience: Type.Enum(['public', 'members', 'owner']),
      ...place,
      root: id,
      parent: Type.Optional(id),
      path: id,
      mentions: Type.Array(id, { maxItems: MOST_MENTIONS }),
      quotes: Type.Array(QuoteSchema, { maxItems: MOST_QUOTES }),
      seen: Type.Object({ target: revision, thread: revision, parent: Type.Optional(revision) }, strict),
      text,
    },
    strict,
  ),
)
export const CommentEdited = eventType(
  'CommentEdited',
  Type.Object({ story: place.story, thread: place.thread, text }, strict),
)
/** Its text is gone, and the key that sealed it is destroyed because of it. `hides`: it was shown until then; ground `work`: what it was about went. */
export const CommentDeleted = eventType(
  'CommentDeleted',
  Type.Object({ ...place, hides: Type.Boolean(), ground: Type.Enum(['author', 'erasure', 'work']) }, strict),
)
/** A decision holds it back: nobody is shown it but its author and moderators. */
export const CommentHeld = eventType(
  'CommentHeld',
  Type.Object({ ...place, decision: id, hides: Type.Boolean() }, strict),
)
/** That decision no longer does. `shows`: nor does any other, and it is shown again. */
export const CommentReleased = eventType(
  'CommentReleased',
  Type.Object({ ...place, decision: id, shows: Type.Boolean() }, strict),
)

export const commentEvents = [CommentPosted, CommentEdited, CommentDeleted, CommentHeld, CommentReleased] as const
export type CommentEvent = EventOf<(typeof commentEvents)[number]>

const thread = {
  thread: place.thread,
  by: id,
  decision: Type.Optional(
    Type.String({ minLength: 1, description: 'The decision of a moderator that it is because of.' }),
  ),
}
const branch = Type.Object({ ...thread, comment: id, path: id }, strict)

/** Nothing more is said in it. */
export const ThreadClosed = eventType('ThreadClosed', Type.Object(thread, strict))
export const ThreadReopened = eventType('ThreadReopened', Type.Object(thread, strict))
/** Nothing more is said below a comment, and nothing that was said there is edited. */
export const SubtreeFrozen = eventType('SubtreeFrozen', branch)
export const SubtreeThawed = eventType('SubtreeThawed', branch)

export const threadEvents = [ThreadClosed, ThreadReopened, SubtreeFrozen, SubtreeThawed] as const
export type ThreadEvent = EventOf<(typeof threadEvents)[number]>
