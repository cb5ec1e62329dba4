/** A run of an import: the record that it was started and how it ended, and the check each record passes on its way in. */
import { createHash } from 'node:crypto'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Aggregate, Decision } from './decider.ts'
import { Content, type EntryContent } from './entry-content.ts'
import { contentOf, limits } from './entry-content-rules.ts'
import type { ImportedRecord } from './entry-decisions.ts'
import { type EventOf, eventType } from './event.ts'
import { streamName } from './ids.ts'
import { canonicalLanguage } from './languages.ts'
import { checkLemma } from './lemma.ts'
import { isRefusal, refuse } from './refusal.ts'
import { checkText, normalise } from './text.ts'

// Stream

export const importCategory = 'import'
export const importStream = (source: string): string => streamName(importCategory, source)

/** Names a source in a stream's name and in every entry that came from it. */
export const sourceName = /^[a-z0-9][a-z0-9.-]{0,99}$/

// Events

export const importFormats = ['wordnet', 'dictd', 'ndjson'] as const
export type ImportFormat = (typeof importFormats)[number]

const strict = { additionalProperties: false }
const count = Type.Integer({ minimum: 0 })

export const ImportStarted = eventType(
  'ImportStarted',
  Type.Object({ source: Type.String({ minLength: 1 }), format: Type.Enum([...importFormats]) }, strict),
)
/** The source was read to its end. A run that was stopped or killed has no such event, and the next one goes through it all. */
export const ImportCompleted = eventType(
  'ImportCompleted',
  Type.Object({ written: count, unchanged: count, kept: count, faults: count }, strict),
)

export const importEvents = [ImportStarted, ImportCompleted] as const
export type ImportEvent = EventOf<(typeof importEvents)[number]>

/** Records written, found as they are, kept since people have edited them, and wrong. */
export type ImportCounts = {
  readonly written: number
  readonly unchanged: number
  readonly kept: number
  readonly faults: number
}

// Fold

/** Runs are independent: two may go on at once. `last` is how the last one that reached its end came out. */
export type ImportState = {
  readonly started: number
  readonly completed: number
  readonly format?: ImportFormat
  readonly last?: ImportCounts
}

export const importAggregate: Aggregate<ImportState, ImportEvent> = {
  category: importCategory,
  events: importEvents,
  initial: { started: 0, completed: 0 },
  evolve: (state, event) =>
    event.type === 'ImportStarted'
      ? { ...state, started: state.started + 1, format: event.data.format }
      : event.type === 'ImportCompleted'
        ? { ...state, completed: state.completed + 1, last: event.data }
        : state,
  route: () => ({ visibility: 'members' }),
}

// Decide

export const startImport =
  (source: string, format: ImportFormat) =>
  (_: ImportState): Decision<ImportEvent> =>
    sourceName.test(source)
      ? [{ type: 'ImportStarted', data: { source, format } }]
      : refuse('text-invalid', 'A source is named by a-z, 0-9, "." and "-", 100 characters at most.')

export const completeImport =
  (counts: ImportCounts) =>
  (_: ImportState): Decision<ImportEvent> => [{ type: 'ImportCompleted', data: { ...counts } }]

// Records

/** A record as a source has it. */
export type SourceRecord = Omit<ImportedRecord, 'record'>

/** What a source yields: a record, or what is wrong with a line of it. `file` when the source has several. */
export type SourceItem =
  | { readonly kind: 'record'; readonly file?: string; readonly line: number; readonly record: SourceRecord }
  | { readonly kind: 'fault'; readonly file?: string; readonly line: number; readonly reason: string }

const contentSchema = Compile(Content)

/** What the schema says against the content, if anything: a list that is too long, a member it does not know. */
const unfitContent = (content: EntryContent): string | undefined => {
  if (contentSchema.Check(content)) return undefined
  const [first] = contentSchema.Errors(content)
  return `${first?.instancePath || '/'} ${first?.message ?? 'does not fit the schema'}.`
}

const digest = (record: SourceRecord): string => {
  const { identity, content, rank, licence, source } = record
  const { language, lemma, partOfSpeech, homograph } = identity
  const state = JSON.stringify([language, lemma, partOfSpeech, homograph, content, rank, licence, source])
  return createHash('sha256').update(state).digest('base64url')
}

/**
 * The record in the form that is stored (NFC, checked characters and lengths, canonical language) with the digest of
 * it all, or in one sentence why it cannot be taken.
 */
export const checkRecord = (given: SourceRecord): ImportedRecord | string => {
  const language = canonicalLanguage(given.identity.language)
  if (language === undefined) return `${JSON.stringify(given.identity.language.slice(0, 40))} is not a language tag.`
  const lemma = checkLemma(given.identity.lemma)
  if (typeof lemma !== 'string') return lemma.detail
  const { homograph } = given.identity
  if (!Number.isInteger(homograph) || homograph < 1 || homograph > 99) return `Homograph ${homograph} is not 1..99.`
  if (!Number.isSafeInteger(given.rank) || given.rank < 0) return `Rank ${given.rank} is not a whole number from 0.`
  if (given.content.senses.length === 0) return 'There is no sense.'
  const licence = normalise(given.licence)
  const blot = checkText(licence, { max: limits.label, multiline: false })
  if (blot) return `/licence: ${blot}`
  if (!sourceName.test(given.source)) return `${JSON.stringify(given.source.slice(0, 40))} is not the name of a source.`
  const unfit = unfitContent(given.content)
  if (unfit !== undefined) return unfit
  const content = contentOf(given.content, given.content.senses, '')
  if (isRefusal(content)) {
    const [first] = content.errors ?? []
    return first ? `${first.pointer}: ${first.detail}` : content.detail
  }
  const checked = { ...given, identity: { ...given.identity, language, lemma }, content, licence }
  return { ...checked, record: digest(checked) }
}
