/** A run of an import: the record that it was started and how it ended, and the check each record passes on its way in. */
import { createHash } from 'node:crypto'
import Type from 'typebox'
import type { Aggregate, Decision } from '../decider.ts'
import { type EventOf, eventType } from '../event.ts'
import { streamName } from '../ids.ts'
import { type Fault, isRefusal, type Refusal, refuse } from '../refusal.ts'
import { faultsOf, MAX_FAULTS, openShape } from '../shape.ts'
import { NOT_A_LANGUAGE, registeredLanguage } from '../text/registered-languages.ts'
import { readText } from '../text/text.ts'
import { Content, type EntryContent } from './content.ts'
import { contentOf, limits } from './content-rules.ts'
import type { ImportedRecord } from './decisions.ts'
import { checkLemma } from './lemma.ts'

// Stream

export const importCategory = 'import'
export const importStream = (source: string): string => streamName(importCategory, source)

/** Names a source in a stream's name and in every entry that came from it. */
export const sourceName = /^[a-z0-9][a-z0-9.-]{0,99}$/
const NOT_A_SOURCE = 'A source is named by a-z, 0-9, "." and "-", 100 characters at most.'

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
  (_: ImportState): Decision<ImportEvent, never> =>
    sourceName.test(source)
      ? [{ type: 'ImportStarted', data: { source, format } }]
      : refuse('text-invalid', NOT_A_SOURCE)

export const completeImport =
  (counts: ImportCounts) =>
  (_: ImportState): Decision<ImportEvent, never> => [{ type: 'ImportCompleted', data: { ...counts } }]

// Records

/** A record as a source has it. */
export type SourceRecord = Omit<ImportedRecord, 'record'>

/** What a source yields: a record, or what is wrong with a line of it. `file` when the source has several. */
export type SourceItem =
  | { readonly kind: 'record'; readonly file?: string; readonly line: number; readonly record: SourceRecord }
  | {
      readonly kind: 'fault'
      readonly file?: string
      readonly line: number
      readonly reason: string
      readonly errors?: readonly Fault[]
    }

/** The faults of a line as one text. */
export const reasonOf = (faults: readonly Fault[]): string =>
  faults.map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer}: ${detail}`)).join(' ')

const contentShape = openShape(Content)

const digest = (record: SourceRecord): string => {
  const { identity, content, rank, licence, source } = record
  const { language, lemma, partOfSpeech, homograph } = identity
  const state = JSON.stringify([language, lemma, partOfSpeech, homograph, content, rank, licence, source])
  return createHash('sha256').update(state).digest('base64url')
}

/** What is wrong with the content: its shape (a list that is too long, a member that is not known), else what it says. */
const checkContent = (content: EntryContent): EntryContent | readonly Fault[] => {
  if (!contentShape.fits(content)) return faultsOf(contentShape.errors(content))
  const checked = contentOf(content, content.senses, '')
  if (!isRefusal(checked)) return checked
  return checked.errors ?? [{ pointer: '', code: checked.refused, detail: checked.detail }]
}

/**
 * The record in the form that is stored (NFC, checked characters and lengths, canonical language) with the digest of
 * it all, or what is wrong with it: all of it, 20 faults at most.
 */
export const checkRecord = (given: SourceRecord): ImportedRecord | Refusal => {
  const faults: Fault[] = []
  const fault = (pointer: string, code: string, detail: string) => {
    faults.push({ pointer, code, detail })
  }
  const { homograph } = given.identity
  const language = registeredLanguage(given.identity.language)
  if (language === undefined) fault('/language', 'language-unknown', NOT_A_LANGUAGE)
  const lemma = checkLemma(given.identity.lemma)
  if (typeof lemma !== 'string') faults.push(...(lemma.errors ?? []))
  if (!Number.isInteger(homograph) || homograph < 1 || homograph > 99)
    fault('/homograph', 'range', 'This is no whole number from 1 to 99.')
  if (!Number.isSafeInteger(given.rank) || given.rank < 0) fault('/rank', 'range', 'This is no whole number from 0.')
  if (given.content.senses.length === 0) fault('/senses', 'required', 'There is no sense.')
  const { text: licence, fault: blot } = readText(given.licence, { max: limits.label, multiline: false })
  if (blot) fault('/licence', 'text-invalid', blot)
  if (!sourceName.test(given.source)) fault('/source', 'source', NOT_A_SOURCE)
  const content = checkContent(given.content)
  if (!('senses' in content)) faults.push(...content)
  if (faults.length > 0 || language === undefined || typeof lemma !== 'string' || !('senses' in content))
    return refuse('text-invalid', 'The record cannot be taken.', { errors: faults.slice(0, MAX_FAULTS) })
  const checked = { ...given, identity: { ...given.identity, language, lemma }, content, licence }
  return { ...checked, record: digest(checked) }
}
