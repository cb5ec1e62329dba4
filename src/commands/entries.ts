/** The commands of the dictionary. */
import Type, { type Static, type TSchema } from 'typebox'
import type { Command } from '../core/write/define.ts'
import { PartOfSpeechSchema } from '../domain/entry/content.ts'
import { EntryInputMembers } from '../domain/entry/content-rules.ts'
import * as entry from '../domain/entry/decisions.ts'
import { entryStream } from '../domain/entry/entry.ts'
import { type EntryEvent, RedactionGround } from '../domain/entry/events.ts'
import { checkLemma } from '../domain/entry/lemma.ts'
import { StandingMembers } from '../domain/entry/members.ts'
import type { EntryState } from '../domain/entry/state.ts'
import type { JsonObject } from '../domain/event.ts'
import { REVISION } from '../domain/forms.ts'
import { entryId } from '../domain/ids.ts'
import { isRefusal, refuse } from '../domain/refusal.ts'
import { NOT_A_LANGUAGE, registeredLanguage } from '../domain/text/registered-languages.ts'

type EntryCommand<Input> = Command<Input, EntryState, EntryEvent>
type OnEntry<Body = unknown> = { readonly id: string; readonly body: Body }

const strict = { additionalProperties: false }
const text = Type.String()
const ofEntry = ({ id }: { readonly id: string }): string => entryStream(id)

const where = 'for the language of the entry'
const ofState = { of: (_: unknown, { entry: found }: EntryState): string | undefined => found?.language, where }

/** What people's text is licensed under unless they say otherwise. */
export const DEFAULT_LICENCE = 'CC-BY-SA-4.0'

/** Words of one spelling, language and part of speech. */
const MOST_HOMOGRAPHS = 99

export const DraftBody = Type.Object(
  {
    language: text,
    lemma: text,
    partOfSpeech: PartOfSpeechSchema,
    homograph: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_HOMOGRAPHS })),
    licence: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    ...EntryInputMembers,
  },
  { ...strict, $id: 'EntryDraft' },
)
type Draft = Static<typeof DraftBody>

/** The identity in normal form: canonical language, NFC lemma as written. */
export const identityOf = (body: Pick<Draft, 'language' | 'lemma' | 'partOfSpeech' | 'homograph'>) => {
  const language = registeredLanguage(body.language)
  if (language === undefined)
    return refuse('language-unknown', 'The language is not a BCP 47 tag of a registered language.', {
      errors: [{ pointer: '/language', code: 'language-unknown', detail: NOT_A_LANGUAGE }],
    })
  const lemma = checkLemma(body.lemma)
  if (typeof lemma !== 'string') return lemma
  return { language, lemma, partOfSpeech: body.partOfSpeech, homograph: body.homograph ?? 1 }
}

export const draftEntry: EntryCommand<{ readonly body: Draft }> = {
  name: 'draft-entry',
  body: DraftBody,
  permission: 'entries:draft',
  language: { of: ({ body }) => registeredLanguage(body.language), where },
  stream: ({ body }) => {
    const identity = identityOf(body)
    return isRefusal(identity) ? identity : entryStream(entryId(identity))
  },
  // Of one that was removed the lemma is nowhere any more but in this request, so that only here the others of it can be found.
  explain: async (refusal, { body }, revisionOf) => {
    const identity = identityOf(body)
    if (isRefusal(identity)) return refusal
    if (refusal.refused === 'entry-exists') return { ...refusal, context: { entryId: entryId(identity) } }
    if (refusal.refused !== 'entry-removed') return refusal
    for (let homograph = 1; homograph <= MOST_HOMOGRAPHS; homograph += 1)
      if ((await revisionOf(entryStream(entryId({ ...identity, homograph })))) === 'none')
        return { ...refusal, context: { nextHomograph: homograph } }
    return refusal
  },
  decide:
    ({ body }, by) =>
    state => {
      const identity = identityOf(body)
      if (isRefusal(identity)) return identity
      const { language: _l, lemma: _m, partOfSpeech: _p, homograph: _h, licence, ...input } = body
      return entry.draft(identity, input, licence ?? DEFAULT_LICENCE, by)(state)
    },
}

/**
 * Members that are read-only may be sent back as they were read, null for one that is not there; the decision compares them,
 * whatever text it is.
 */
const ReadOnlyMembers: Readonly<Record<string, TSchema>> = Object.fromEntries(
  Object.entries(StandingMembers).map(([name, schema]) => {
    const shape = 'enum' in schema ? text : schema
    return [name, Type.Optional(Type.IsOptional(schema) ? Type.Union([shape, Type.Null()]) : shape)]
  }),
)

export const EditBody = Type.Object(
  {
    ...EntryInputMembers,
    etymology: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    ...ReadOnlyMembers,
  },
  { ...strict, $id: 'EntryEdit' },
)

export const editEntry: EntryCommand<OnEntry<JsonObject>> = {
  name: 'edit-entry',
  body: EditBody,
  permission: 'entries:edit-own',
  language: ofState,
  needsRevision: true,
  stream: ofEntry,
  decide: ({ id, body }, by) => entry.edit(body, id, by),
}

export const submitEntry: EntryCommand<OnEntry> = {
  name: 'submit-entry',
  permission: 'entries:submit',
  language: ofState,
  stream: ofEntry,
  decide: (_, by) => entry.submit(by),
}

export const publishEntry: EntryCommand<OnEntry> = {
  name: 'publish-entry',
  permission: 'entries:publish',
  language: ofState,
  needsRevision: true,
  stream: ofEntry,
  decide: () => entry.publish,
}

export const ReasonBody = Type.Object({ reason: text }, { ...strict, $id: 'Reason' })
export const returnEntry: EntryCommand<OnEntry<Static<typeof ReasonBody>>> = {
  name: 'return-entry',
  body: ReasonBody,
  permission: 'entries:publish',
  language: ofState,
  stream: ofEntry,
  decide: ({ body }) => entry.sendBack(body.reason),
}

export const RetireBody = Type.Object(
  { reason: text, replacedBy: Type.Optional(text) },
  { ...strict, $id: 'EntryRetirement' },
)
export const retireEntry: EntryCommand<OnEntry<Static<typeof RetireBody>>> = {
  name: 'retire-entry',
  body: RetireBody,
  permission: 'entries:retire',
  language: ofState,
  stream: ofEntry,
  requires: ({ body: { replacedBy } }) =>
    replacedBy === undefined
      ? []
      : [
          {
            stream: entryStream(replacedBy.toLowerCase()),
            refusal: refuse('replacement-unknown', 'replacedBy names no entry that is published.', {
              errors: [
                { pointer: '/replacedBy', code: 'unknown', detail: 'There is no such entry, or it is not published.' },
              ],
            }),
            // Everybody is sent there: a draft is nobody's to be told of.
            holds: ({ entry: replacement }) => replacement?.status === 'published' && !replacement.removed,
          },
        ],
  decide: ({ id, body }) => entry.retire(id, body.reason, body.replacedBy?.toLowerCase()),
}

export const OptionalReasonBody = Type.Object({ reason: Type.Optional(text) }, { ...strict, $id: 'OptionalReason' })
export const restoreEntry: EntryCommand<OnEntry<Static<typeof OptionalReasonBody>>> = {
  name: 'restore-entry',
  body: OptionalReasonBody,
  permission: 'entries:retire',
  language: ofState,
  stream: ofEntry,
  decide: ({ body }) => entry.restore(body.reason),
}

export const RevertBody = Type.Object(
  { toRevision: Type.String({ pattern: REVISION }), reason: Type.Optional(text) },
  { ...strict, $id: 'EntryRevert' },
)
export const revertEntry: EntryCommand<OnEntry<Static<typeof RevertBody>>> = {
  name: 'revert-entry',
  body: RevertBody,
  permission: 'entries:edit',
  language: ofState,
  needsRevision: true,
  stream: ofEntry,
  decide: ({ body }) => entry.revert(BigInt(body.toRevision), body.reason),
}

export const takeOverEntry: EntryCommand<OnEntry> = {
  name: 'take-over-entry',
  permission: 'entries:draft',
  language: ofState,
  stream: ofEntry,
  decide: (_, by) => entry.takeOver(by),
}

export const RedactBody = Type.Object({ ground: RedactionGround }, { ...strict, $id: 'EntryRedaction' })
export const redactEntry: EntryCommand<OnEntry<Static<typeof RedactBody>>> = {
  name: 'redact-entry',
  body: RedactBody,
  permission: 'entries:redact',
  language: ofState,
  stream: ofEntry,
  decide: ({ body }) => entry.redact(body.ground),
}

/** One record of a source: one command and one append an entry. */
export const importEntry = {
  name: 'import-entry',
  permission: 'entries:import',
  stream: ({ identity }) => entryStream(entryId(identity)),
  decide: record => entry.importRecord(record),
} satisfies EntryCommand<entry.ImportedRecord>
