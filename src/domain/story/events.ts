/**
 * What can happen to a story. What people wrote of it is sealed under the story's own key. Events that change who may see it, or under
 * what it is found, name the chapters that are published, so that what is kept by chapter can follow.
 */
import Type, { type Static } from 'typebox'
import { type EventOf, eventType } from '../event.ts'
import { RatingSchema, VisibilitySchema, WarningSchema } from './terms.ts'

const strict = { additionalProperties: false }
const sealed = { seal: 'document' as const }
const text = Type.String({ minLength: 1 })
const ids = Type.Array(text)
/** An event that says it all by its name. */
const nothing = Type.Unsafe<Record<string, never>>(Type.Object({}, strict))
const withChapters = Type.Object({ chapters: ids }, strict)
const ofAccount = Type.Object({ account: text }, strict)
const ofChapter = Type.Object({ chapter: text }, strict)
/** How far the chapter's own stream was when the story was told of it: what is older changes nothing. */
const revision = Type.Integer({ minimum: 0 })

/** Each changed member with its whole new value; null: there is none any more. */
const StoryChanges = Type.Object(
  {
    title: Type.Optional(text),
    summary: Type.Optional(Type.Union([text, Type.Null()])),
    tags: Type.Optional(Type.Array(text)),
    warnings: Type.Optional(Type.Array(WarningSchema)),
    rating: Type.Optional(RatingSchema),
  },
  { ...strict, ...sealed },
)
export type StoryChanges = Static<typeof StoryChanges>

export const StoryBegun = eventType(
  'StoryBegun',
  Type.Object(
    {
      author: text,
      language: text,
      title: Type.String({ minLength: 1, ...sealed }),
      summary: Type.Optional(Type.String({ minLength: 1, ...sealed })),
      tags: Type.Array(text, sealed),
      warnings: Type.Array(WarningSchema),
      rating: RatingSchema,
      visibility: VisibilitySchema,
    },
    strict,
  ),
)
export const StoryEdited = eventType('StoryEdited', Type.Object({ changes: StoryChanges, chapters: ids }, strict))
export const StoryVisibilityChanged = eventType(
  'StoryVisibilityChanged',
  Type.Object({ visibility: VisibilitySchema, chapters: ids }, strict),
)
export const StoryPublished = eventType('StoryPublished', withChapters)
export const StoryUnpublished = eventType('StoryUnpublished', withChapters)
/** `at`: the time that the author's clock will show in `timeZone` (IANA); `due`: the instant (RFC 3339) that this is. */
export const StoryScheduled = eventType('StoryScheduled', Type.Object({ at: text, timeZone: text, due: text }, strict))
export const StoryScheduleCancelled = eventType('StoryScheduleCancelled', nothing)
export const StoryCompleted = eventType('StoryCompleted', nothing)
export const StoryReopened = eventType('StoryReopened', nothing)

export const AuthorInvited = eventType('AuthorInvited', ofAccount)
export const InvitationAccepted = eventType('InvitationAccepted', ofAccount)
export const InvitationDeclined = eventType('InvitationDeclined', ofAccount)
export const InvitationWithdrawn = eventType('InvitationWithdrawn', ofAccount)
/** The account is no author any more, and nothing says that it was. */
export const AuthorLeft = eventType('AuthorLeft', ofAccount)
/** The account is no author any more; what it wrote goes on under "former author". */
export const StoryOrphaned = eventType('StoryOrphaned', Type.Object({ account: text, chapters: ids }, strict))

/** The chapter belongs to the story, at its end; `by`: the account that began it. */
export const ChapterAdded = eventType('ChapterAdded', Type.Object({ chapter: text, by: text }, strict))
/** All chapters, in their order. */
export const ChaptersOrdered = eventType('ChaptersOrdered', Type.Object({ chapters: ids }, strict))
export const ChapterWithdrawn = eventType('ChapterWithdrawn', ofChapter)
/** The chapter is published, with so many words; told again when its published text has changed. */
export const ChapterShown = eventType(
  'ChapterShown',
  Type.Object({ chapter: text, words: Type.Integer({ minimum: 0 }), chapterRevision: revision }, strict),
)
export const ChapterHidden = eventType(
  'ChapterHidden',
  Type.Object({ chapter: text, chapterRevision: revision }, strict),
)
/** A decision holds it back: nobody is shown it but its authors and moderators. `hides`: it was shown until then. */
export const StoryHeld = eventType(
  'StoryHeld',
  Type.Object({ decision: text, hides: Type.Boolean(), chapters: ids }, strict),
)
/** That decision no longer does. `shows`: nor does any other, and it is shown again. */
export const StoryReleased = eventType(
  'StoryReleased',
  Type.Object({ decision: text, shows: Type.Boolean(), chapters: ids }, strict),
)
/** The same of a chapter of it, which is as if it were not published meanwhile. */
export const ChapterHeld = eventType(
  'ChapterHeld',
  Type.Object({ chapter: text, decision: text, hides: Type.Boolean() }, strict),
)
export const ChapterReleased = eventType(
  'ChapterReleased',
  Type.Object({ chapter: text, decision: text, shows: Type.Boolean() }, strict),
)
/** The text is gone: read models drop it at this event, and the keys that sealed it are destroyed because of it. `chapters`: all of them. */
export const StoryDeleted = eventType(
  'StoryDeleted',
  Type.Object({ chapters: ids, ground: Type.Enum(['author', 'erasure']) }, strict),
)

export const storyEvents = [
  StoryBegun,
  StoryEdited,
  StoryVisibilityChanged,
  StoryPublished,
  StoryUnpublished,
  StoryScheduled,
  StoryScheduleCancelled,
  StoryCompleted,
  StoryReopened,
  AuthorInvited,
  InvitationAccepted,
  InvitationDeclined,
  InvitationWithdrawn,
  AuthorLeft,
  StoryOrphaned,
  ChapterAdded,
  ChaptersOrdered,
  ChapterWithdrawn,
  ChapterShown,
  ChapterHidden,
  StoryHeld,
  StoryReleased,
  ChapterHeld,
  ChapterReleased,
  StoryDeleted,
] as const

export type StoryEvent = EventOf<(typeof storyEvents)[number]>
