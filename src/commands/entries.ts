/** The commands of the dictionary. */
import Type, { type Static } from 'typebox'
import { type EntryState, entryStream } from '../domain/entry.ts'
import { PartOfSpeechSchema } from '../domain/entry-content.ts'
import { EntryInputMembers } from '../domain/entry-content-rules.ts'
import * as entry from '../domain/entry-decisions.ts'
import { type EntryEvent, RedactionGround } from '../domain/entry-events.ts'
import type { JsonObject } from '../domain/event.ts'
import { entryId } from '../domain/ids.ts'
import { canonicalLanguage } from '../domain/languages.ts'
import { checkLemma } from '../domain/lemma.ts'
import { isRefusal, refuse } from '../domain/refusal.ts'
import type { Command } from './define.ts'

type EntryCommand<Input> = Command<Input, EntryState, EntryEvent>
type OnEntry<Body = unknown> = { readonly id: string; readonly body: Body }

const strict = { additionalProperties: false }
const text = Type.String()
const ofEntry = ({ id }: { readonly id: string }): string => entryStream(id)

/** What people's text is licensed under unless they say otherwise. */
export const DEFAULT_LICENCE = 'CC-BY-SA-4.0'

export const DraftBody = Type.Object(
  {
    language: text,
    lemma: text,
    partOfSpeech: PartOfSpeechSchema,
    homograph: Type.Optional(Type.Integer({ minimum: 1, maximum: 99 })),
    licence: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    ...EntryInputMembers,
  },
  { ...strict, $id: 'EntryDraft' },
)
type Draft = Static<typeof DraftBody>

/** The identity in normal form: canonical language, NFC lemma as written. */
export const identityOf = (body: Pick<Draft, 'language' | 'lemma' | 'partOfSpeech' | 'homograph'>) => {
  const language = canonicalLanguage(body.language)
  if (language === undefined)
    return refuse('language-unknown', 'The language is not a BCP 47 tag.', {
      errors: [{ pointer: '/language', code: 'language-unknown', detail: 'This is not a BCP 47 language tag.' }],
    })
  const lemma = checkLemma(body.lemma)
  if (typeof lemma !== 'string') return lemma
  return { language, lemma, partOfSpeech: body.partOfSpeech, homograph: body.homograph ?? 1 }
}

export const draftEntry: EntryCommand<{ readonly body: Draft }> = {
  name: 'draft-entry',
  body: DraftBody,
  permission: 'entries:draft',
  stream: ({ body }) => {
    const identity = identityOf(body)
    return isRefusal(identity) ? identity : entryStream(entryId(identity))
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

/** Members that are read-only may be sent back as they are, so the schema takes any; the decision compares them. */
export const EditBody = Type.Object(
  {
    ...EntryInputMembers,
    etymology: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    ...Object.fromEntries(
      [
        ...[
          'id',
          'language',
          'lemma',
          'partOfSpeech',
          'homograph',
          'status',
          'licence',
          'source',
          'rank',
          'contributors',
        ],
        ...['createdAt', 'updatedAt', 'replacedBy', 'revision', 'author'],
      ].map(member => [member, Type.Optional(Type.Unknown())]),
    ),
  },
  { ...strict, $id: 'EntryEdit' },
)

export const editEntry: EntryCommand<OnEntry<JsonObject>> = {
  name: 'edit-entry',
  body: EditBody,
  permission: 'entries:edit-own',
  needsRevision: true,
  stream: ofEntry,
  decide: ({ id, body }, by) => entry.edit(body, id, by),
}

export const submitEntry: EntryCommand<OnEntry> = {
  name: 'submit-entry',
  permission: 'entries:submit',
  stream: ofEntry,
  decide: (_, by) => entry.submit(by),
}

export const publishEntry: EntryCommand<OnEntry> = {
  name: 'publish-entry',
  permission: 'entries:publish',
  needsRevision: true,
  stream: ofEntry,
  decide: () => entry.publish,
}

export const ReasonBody = Type.Object({ reason: text }, { ...strict, $id: 'Reason' })
export const returnEntry: EntryCommand<OnEntry<Static<typeof ReasonBody>>> = {
  name: 'return-entry',
  body: ReasonBody,
  permission: 'entries:publish',
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
  stream: ofEntry,
  requires: ({ body: { replacedBy } }) =>
    replacedBy === undefined
      ? []
      : [
          {
            stream: entryStream(replacedBy.toLowerCase()),
            refusal: refuse('replacement-unknown', 'replacedBy names no entry.', {
              errors: [{ pointer: '/replacedBy', code: 'unknown', detail: 'There is no such entry.' }],
            }),
          },
        ],
  decide: ({ id, body }) => entry.retire(id, body.reason, body.replacedBy?.toLowerCase()),
}

export const OptionalReasonBody = Type.Object({ reason: Type.Optional(text) }, { ...strict, $id: 'OptionalReason' })
export const restoreEntry: EntryCommand<OnEntry<Static<typeof OptionalReasonBody>>> = {
  name: 'restore-entry',
  body: OptionalReasonBody,
  permission: 'entries:retire',
  stream: ofEntry,
  decide: ({ body }) => entry.restore(body.reason),
}

export const RevertBody = Type.Object(
  { toRevision: Type.String({ pattern: '^[0-9]{1,15}$' }), reason: Type.Optional(text) },
  { ...strict, $id: 'EntryRevert' },
)
export const revertEntry: EntryCommand<OnEntry<Static<typeof RevertBody>>> = {
  name: 'revert-entry',
  body: RevertBody,
  permission: 'entries:edit',
  needsRevision: true,
  stream: ofEntry,
  decide: ({ body }) => entry.revert(BigInt(body.toRevision), body.reason),
}

export const takeOverEntry: EntryCommand<OnEntry> = {
  name: 'take-over-entry',
  permission: 'entries:draft',
  stream: ofEntry,
  decide: (_, by) => entry.takeOver(by),
}

export const RedactBody = Type.Object({ ground: RedactionGround }, { ...strict, $id: 'EntryRedaction' })
export const redactEntry: EntryCommand<OnEntry<Static<typeof RedactBody>>> = {
  name: 'redact-entry',
  body: RedactBody,
  permission: 'entries:redact',
  stream: ofEntry,
  decide: ({ body }) => entry.redact(body.ground),
}

/** One record of a source: one command and one append an entry. */
export const importEntry: EntryCommand<entry.ImportedRecord> = {
  name: 'import-entry',
  permission: 'entries:import',
  stream: ({ identity }) => entryStream(entryId(identity)),
  decide: record => entry.importRecord(record),
}
