/**
 * What can happen to a chapter. Whatever people wrote is sealed under the chapter's own key, of which there may be several one after
 * another: after a purge the text that stands goes on under the next one, and what came before is gone with those before.
 */
import Type, { type Static } from 'typebox'
import { type EventOf, eventType } from '../event.ts'

const strict = { additionalProperties: false }
const sealed = { seal: 'document' as const }
const text = Type.String({ minLength: 1 })
const count = Type.Integer({ minimum: 0 })
/** The story's revision that the authors were looked up at. */
const storyRevision = Type.String({ pattern: '^(0|[1-9][0-9]*)$' })
const title = Type.String({ minLength: 1, ...sealed })
const note = Type.Optional(Type.String({ minLength: 1, ...sealed }))

/**
 * How the text became what it is (src/domain/chapter/packed.ts): a whole, or splices of the text whose digest is `base`. It stands in
 * `packed`, or in the parts that were written before and have these digests, one after another.
 */
const changeMembers = {
  form: Type.Enum(['whole', 'splices']),
  base: Type.Optional(text),
  digest: text,
  packed: Type.Optional(text),
  parts: Type.Optional(Type.Array(text, { minItems: 1 })),
  words: count,
  characters: count,
}
const TextChange = Type.Object(changeMembers, strict)
export type TextChange = Static<typeof TextChange>
/** Absent: the text stays as it was. */
const change = Type.Optional(Type.Object(changeMembers, { ...strict, ...sealed }))

const Kept = {
  title: text,
  note: Type.Optional(text),
  change: TextChange,
}

/** `language`: the story's, which never changes: what is made of the text alone is made in it. */
export const ChapterBegun = eventType(
  'ChapterBegun',
  Type.Object({ story: text, language: text, author: text, storyRevision, title }, strict),
)
/** A part of a text that is more than one event takes; it says nothing by itself. `begins`: under the next key. */
export const TextPart = eventType(
  'TextPart',
  Type.Object(
    {
      of: Type.Enum(['draft', 'published']),
      part: Type.String({ minLength: 1, ...sealed }),
      begins: Type.Optional(Type.Literal(true)),
    },
    strict,
  ),
  { freshKey: ({ begins }) => begins === true },
)
/** The draft as it is now. `restored`: the revision whose text it has again. */
export const DraftSaved = eventType(
  'DraftSaved',
  Type.Object({ storyRevision, title, note, change, restored: Type.Optional(text) }, strict),
)
/** What the draft says is what readers see. The change is of the text that was published before. */
export const ChapterPublished = eventType(
  'ChapterPublished',
  Type.Object({ storyRevision, title, note, change }, strict),
)
/** As `ChapterPublished`, of what readers have before them already. */
export const ChapterEdited = eventType('ChapterEdited', Type.Object({ storyRevision, title, note, change }, strict))
export const ChapterUnpublished = eventType('ChapterUnpublished', Type.Object({ storyRevision }, strict))
/** The history ends here, and begins again with what stands: the keys before are destroyed because of it. */
export const HistoryPurged = eventType(
  'HistoryPurged',
  Type.Object(
    {
      storyRevision,
      draft: Type.Object(Kept, { ...strict, ...sealed }),
      published: Type.Optional(Type.Object(Kept, { ...strict, ...sealed })),
      /** Its parts have begun the next key. */
      continues: Type.Optional(Type.Literal(true)),
    },
    strict,
  ),
  { freshKey: ({ continues }) => continues !== true },
)
/** The text is gone: read models drop it at this event, and every key that sealed it is destroyed because of it. */
export const ChapterDeleted = eventType(
  'ChapterDeleted',
  Type.Object({ ground: Type.Enum(['author', 'story']) }, strict),
)

export const chapterEvents = [
  ChapterBegun,
  TextPart,
  DraftSaved,
  ChapterPublished,
  ChapterEdited,
  ChapterUnpublished,
  HistoryPurged,
  ChapterDeleted,
] as const
export type ChapterEvent = EventOf<(typeof chapterEvents)[number]>
