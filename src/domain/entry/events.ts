/** What can happen to an entry. Text that people wrote is sealed under the entry's own key; imported text is clear. */
import Type from 'typebox'
import { type EventOf, eventType } from '../event.ts'
import { Content, ContentChange, PartOfSpeechSchema } from './content.ts'

const strict = { additionalProperties: false }
const sealed = { seal: 'document' as const }
const text = Type.String({ minLength: 1 })
/** Imported text stays clear: it is public already. Once the entry is removed, nobody is shown it any more. */
const importedText = { text: true }
/** An event that says it all by its name. */
const nothing = Type.Unsafe<Record<string, never>>(Type.Object({}, strict))
const identity = {
  language: text,
  partOfSpeech: PartOfSpeechSchema,
  homograph: Type.Integer({ minimum: 1, maximum: 99 }),
}

/** Grounds of a removal: a closed list, since a reason in words would outlive the text it quotes. */
export const redactionGrounds = ['privacy', 'copyright', 'law', 'abuse'] as const
export const RedactionGround = Type.Enum([...redactionGrounds])

/** The proposal that an edit merges or takes back, and whose it is: what is merged of it they contributed, whoever let it in. */
export const OfProposal = Type.Object({ id: text, author: text, act: Type.Enum(['merged', 'reverted']) }, strict)

const content = Type.Object(Content.properties, { ...strict, ...sealed })
const changes = Type.Object(ContentChange.properties, { ...strict, ...sealed })
const reason = Type.String({ minLength: 1, ...sealed })

export const EntryDrafted = eventType(
  'EntryDrafted',
  Type.Object(
    {
      ...identity,
      lemma: Type.String({ minLength: 1, ...sealed }),
      content,
      licence: text,
      source: Type.Optional(text),
    },
    strict,
  ),
)
/** An edit before publication and one after it are different events: only the second one may be shown to everybody. */
export const DraftEdited = eventType('DraftEdited', Type.Object({ changes }, strict))
export const EntryEdited = eventType(
  'EntryEdited',
  Type.Object({ changes, proposal: Type.Optional(OfProposal), reason: Type.Optional(reason) }, strict),
)
export const EntrySubmitted = eventType('EntrySubmitted', nothing)
export const EntryReturned = eventType('EntryReturned', Type.Object({ reason }, strict))
export const EntryPublished = eventType('EntryPublished', nothing)
export const EntryRetired = eventType('EntryRetired', Type.Object({ reason, replacedBy: Type.Optional(text) }, strict))
export const EntryRestored = eventType('EntryRestored', Type.Object({ reason: Type.Optional(reason) }, strict))
/** Carries the content itself: a fold over one document needs no other revision. */
export const EntryReverted = eventType(
  'EntryReverted',
  Type.Object({ toRevision: Type.String(), content, reason: Type.Optional(reason) }, strict),
)
export const EntryTakenOver = eventType('EntryTakenOver', Type.Object({ from: Type.Optional(text) }, strict))
/** A record of a source in the state `record` (a digest of it): published at once, and again when the source changed. */
export const EntryImported = eventType(
  'EntryImported',
  Type.Object(
    {
      ...identity,
      lemma: Type.String({ minLength: 1, ...importedText }),
      content: Type.Object(Content.properties, { ...strict, ...importedText }),
      rank: Type.Integer({ minimum: 0 }),
      licence: text,
      source: text,
      record: text,
    },
    strict,
  ),
)
const decision = text
/** A decision holds it back: nobody is shown it but its author and moderators. `hides`: it was shown until then. */
export const EntryHeld = eventType('EntryHeld', Type.Object({ decision, hides: Type.Boolean() }, strict))
/** That decision no longer does. `shows`: nor does any other, and it is published again. */
export const EntryReleased = eventType('EntryReleased', Type.Object({ decision, shows: Type.Boolean() }, strict))
/** The text is gone: read models drop it at this event, and the key that sealed it is destroyed because of it. */
export const EntryRedacted = eventType('EntryRedacted', Type.Object({ ground: RedactionGround }, strict))

export const entryEvents = [
  EntryDrafted,
  DraftEdited,
  EntryEdited,
  EntrySubmitted,
  EntryReturned,
  EntryPublished,
  EntryRetired,
  EntryRestored,
  EntryReverted,
  EntryTakenOver,
  EntryImported,
  EntryHeld,
  EntryReleased,
  EntryRedacted,
] as const

export type EntryEvent = EventOf<(typeof entryEvents)[number]>
