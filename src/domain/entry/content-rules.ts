/** From what people send to what is stored: normal form, characters and lengths, stable sense ids, what an edit changes. */

import type { Static } from 'typebox'
import Type from 'typebox'
import type { Json, JsonObject } from '../event.ts'
import { newSenseId } from '../ids.ts'
import { sameJson, sizeOf } from '../json.ts'
import { mergePatch } from '../merge-patch.ts'
import { owned } from '../owned.ts'
import { type CommonRefusal, type Fault, isRefusal, type Refusal, refuse } from '../refusal.ts'
import { MAX_FAULTS } from '../shape.ts'
import { NOT_A_LANGUAGE, registeredLanguage } from '../text/registered-languages.ts'
import { readText, type TextRules } from '../text/text.ts'
import {
  type EntryContent,
  type EntryContentChange,
  type EntrySense,
  type EntrySenseInput,
  type Example,
  FormInput,
  Pronunciation,
  type Relation,
  SenseInput,
  type Translation,
} from './content.ts'
import { derivedFault } from './derived.ts'
import { checkLemma } from './lemma.ts'
import type { StandingMember } from './members.ts'
import type { EntryRefusal } from './refusals.ts'

const names = Type.Array(Type.String({ minLength: 1 }), { maxItems: 50 })

/** The editable members as people send them: all optional, senses without or with ids they know. */
export const EntryInputMembers = {
  variants: Type.Optional(names),
  senses: Type.Optional(Type.Array(SenseInput, { maxItems: 200 })),
  forms: Type.Optional(Type.Array(FormInput, { maxItems: 500 })),
  pronunciations: Type.Optional(Type.Array(Pronunciation, { maxItems: 50 })),
  etymology: Type.Optional(Type.String()),
  categories: Type.Optional(names),
}
const EntryInputSchema = Type.Object(EntryInputMembers, { additionalProperties: false })
export type EntryInput = Static<typeof EntryInputSchema>

/** Code points at most. */
export const limits = {
  word: 200,
  label: 100,
  line: 1_000,
  gloss: 5_000,
  text: 20_000,
  reason: 1_000,
  /** Of the whole content, as JSON. */
  entry: 200_000,
} as const

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const line = (max: number): TextRules => ({ max, multiline: false })
const lines = (max: number): TextRules => ({ max, multiline: true })
/** Of what is looked for by it. */
const key = (max: number): TextRules => ({ max, multiline: false, keyed: true })

/** Collects what is wrong, so that one answer lists it: the first twenty, after which nothing more is read. */
class Faults {
  readonly list: Fault[] = []
  add(pointer: string, code: string, detail: string): void {
    if (this.list.length < MAX_FAULTS) this.list.push({ pointer, code, detail })
  }
  text(value: string, pointer: string, rules: TextRules): string {
    if (this.list.length >= MAX_FAULTS) return value
    const { text, fault } = readText(value, rules)
    if (fault !== undefined) this.add(pointer, 'text-invalid', fault)
    return text
  }
  optional<K extends string>(name: K, value: string | undefined, at: string, max: number): { [P in K]?: string } {
    if (value === undefined) return {}
    const record: { [P in K]?: string } = {}
    record[name] = this.text(value, `${at}/${name}`, lines(max))
    return record
  }
  texts(values: readonly string[] | undefined, pointer: string, rules: TextRules): string[] {
    return [...new Set((values ?? []).map((value, i) => this.text(value, `${pointer}/${i}`, rules)))]
  }
  /** An address that a page can play from: nothing that a browser would run, nobody's password. */
  address(value: string | undefined, at: string): { audioUrl?: string } {
    if (value === undefined) return {}
    const given = this.text(value, `${at}/audioUrl`, line(limits.line))
    const url = URL.parse(given)
    const web = url !== null && (url.protocol === 'https:' || url.protocol === 'http:')
    // Spaces that the parser forgives are in no address.
    if (!web || url.username !== '' || url.password !== '' || /\s/.test(given))
      this.add(
        `${at}/audioUrl`,
        'address-invalid',
        'This is not an absolute http or https address without a user name.',
      )
    return { audioUrl: given }
  }
  /** An id in the form in which ids are compared: RFC 9562 reads them without case. */
  id<K extends string>(name: K, value: string | undefined, at: string): { [P in K]?: string } {
    if (value === undefined) return {}
    if (!UUID.test(value)) this.add(`${at}/${name}`, 'id-invalid', 'This is not an id.')
    const record: { [P in K]?: string } = {}
    record[name] = value.toLowerCase()
    return record
  }
  language(tag: string, pointer: string): string {
    const registered = registeredLanguage(tag)
    if (registered === undefined) this.add(pointer, 'language-unknown', NOT_A_LANGUAGE)
    return registered ?? tag
  }
}

const example = (faults: Faults, value: Static<typeof Example>, at: string): Static<typeof Example> => ({
  text: faults.text(value.text, `${at}/text`, lines(limits.gloss)),
  ...faults.optional('translation', value.translation, at, limits.gloss),
  ...faults.optional('reference', value.reference, at, limits.line),
})

const relation = (faults: Faults, value: Static<typeof Relation>, at: string): Static<typeof Relation> => ({
  kind: value.kind,
  text: faults.text(value.text, `${at}/text`, line(limits.word)),
  ...faults.id('entryId', value.entryId, at),
  ...faults.id('senseId', value.senseId, at),
})

const translation = (faults: Faults, value: Static<typeof Translation>, at: string): Static<typeof Translation> => ({
  language: faults.language(value.language, `${at}/language`),
  text: faults.text(value.text, `${at}/text`, line(limits.word)),
  ...faults.id('entryId', value.entryId, at),
})

const sense = (faults: Faults, value: EntrySenseInput, id: string, at: string): EntrySense => ({
  id,
  gloss: faults.text(value.gloss, `${at}/gloss`, lines(limits.gloss)),
  labels: {
    register: faults.texts(value.labels?.register, `${at}/labels/register`, key(limits.label)),
    region: faults.texts(value.labels?.region, `${at}/labels/region`, key(limits.label)),
    domain: faults.texts(value.labels?.domain, `${at}/labels/domain`, key(limits.label)),
  },
  examples: (value.examples ?? []).map((each, i) => example(faults, each, `${at}/examples/${i}`)),
  relations: (value.relations ?? []).map((each, i) => relation(faults, each, `${at}/relations/${i}`)),
  translations: (value.translations ?? []).map((each, i) => translation(faults, each, `${at}/translations/${i}`)),
})

const senseIds = (
  inputs: readonly EntrySenseInput[],
  known: readonly EntrySense[],
): Refusal<EntryRefusal | CommonRefusal> | undefined => {
  const ids = new Set(known.map(each => each.id))
  const seen = new Set<string>()
  for (const [i, { id }] of inputs.entries()) {
    if (id === undefined) continue
    const at = (detail: string) => ({ errors: [{ pointer: `/senses/${i}/id`, code: 'sense', detail }] })
    const unknown = 'A sense id that this entry does not have; leave it out for a new sense.'
    const repeated = 'The same sense id occurs twice.'
    if (!ids.has(id)) return refuse('sense-unknown', unknown, at(unknown))
    if (seen.has(id)) return refuse('sense-repeated', repeated, at(repeated))
    seen.add(id)
  }
  return undefined
}

/** The whole content in stored form, or every fault with its pointer. New senses get ids from the command. */
export const contentOf = (
  input: EntryInput,
  known: readonly EntrySense[],
  commandId: string,
): EntryContent | Refusal<EntryRefusal | CommonRefusal> => {
  const wrongIds = senseIds(input.senses ?? [], known)
  if (wrongIds) return wrongIds
  const faults = new Faults()
  const content: EntryContent = {
    variants: faults.texts(input.variants, '/variants', key(limits.word)),
    senses: (input.senses ?? []).map((each, i) =>
      sense(faults, each, each.id ?? newSenseId(commandId, i), `/senses/${i}`),
    ),
    forms: (input.forms ?? []).map((each, i) => ({
      form: faults.text(each.form, `/forms/${i}/form`, key(limits.word)),
      tags: faults.texts(each.tags, `/forms/${i}/tags`, line(limits.label)),
    })),
    pronunciations: (input.pronunciations ?? []).map((each, i) => ({
      ipa: faults.text(each.ipa, `/pronunciations/${i}/ipa`, line(limits.word)),
      ...faults.optional('region', each.region, `/pronunciations/${i}`, limits.label),
      ...faults.address(each.audioUrl, `/pronunciations/${i}`),
      ...faults.optional('rhymes', each.rhymes, `/pronunciations/${i}`, limits.word),
    })),
    ...faults.optional('etymology', input.etymology, '', limits.text),
    categories: faults.texts(input.categories, '/categories', key(limits.label)),
  }
  // Lists, histories and caches hold many entries at a time.
  if (sizeOf(content) > limits.entry)
    faults.add('', 'too-large', `An entry takes ${limits.entry.toLocaleString('en-US')} characters of JSON at most.`)
  // Where each text is what it may be: what is derived from a wrong one is nobody's.
  const excess = faults.list.length === 0 ? derivedFault(content) : undefined
  if (excess) faults.add(excess.pointer, excess.code, excess.detail)
  return faults.list.length > 0
    ? refuse(
        'text-invalid',
        'Some text is too long, blank, of the wrong form, or has characters that are not allowed.',
        { errors: faults.list },
      )
    : content
}

/** What of an entry a patch is compared with; an entry has more. */
type Standing = { readonly content: EntryContent } & Readonly<
  Record<'language' | 'lemma' | 'partOfSpeech' | 'status' | 'licence' | 'createdAt' | 'updatedAt', string> &
    Record<'homograph' | 'rank', number> &
    Partial<Record<'source' | 'replacedBy' | 'author', string>> &
    Record<'contributors', readonly string[]> & { readonly holds?: readonly string[] }
>

const identityMembers = new Set(['language', 'lemma', 'partOfSpeech', 'homograph'])
const editable = new Set(Object.keys(EntryInputMembers))

const isInput = (value: Json): value is JsonObject & EntryInput =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The identity as it is kept, so that a client that spells it otherwise names the same. */
const normalMember = (member: string, value: Json): Json => {
  if (typeof value !== 'string') return value
  if (member === 'language') return registeredLanguage(value) ?? value
  if (member !== 'lemma') return value
  const lemma = checkLemma(value)
  return typeof lemma === 'string' ? lemma : value
}

/**
 * What a merge patch changes: each changed member with its whole new value. Members that
 * cannot be changed pass when they equal the current value, since clients send back what they read; else they are refused.
 */
export const contentChange = (
  entry: Standing,
  id: string,
  patch: JsonObject,
  commandId: string,
  revision?: string,
): EntryContentChange | Refusal<EntryRefusal | CommonRefusal> => {
  const fixed: Readonly<Record<StandingMember, Json>> = {
    id,
    language: entry.language,
    lemma: entry.lemma,
    partOfSpeech: entry.partOfSpeech,
    homograph: entry.homograph,
    status: entry.status,
    licence: entry.licence,
    source: entry.source ?? null,
    rank: entry.rank,
    contributors: [...entry.contributors],
    createdAt: entry.createdAt,
    updatedAt: entry.updatedAt,
    replacedBy: entry.replacedBy ?? null,
    held: entry.holds ? [...entry.holds] : null,
    author: entry.author ?? null,
    revision: revision ?? null,
  }
  for (const [member, value] of Object.entries(patch)) {
    if (editable.has(member) || (value !== undefined && sameJson(owned(fixed, member), normalMember(member, value))))
      continue
    const errors = [{ pointer: `/${member}`, code: 'read-only', detail: `${member} cannot be changed.` }]
    return identityMembers.has(member)
      ? refuse(
          'identity-fixed',
          `${member} is part of the identity: draft another entry and retire this one in its favour.`,
          { errors },
        )
      : refuse('read-only-member', `${member} is read-only.`, { errors })
  }
  const changedMembers = Object.fromEntries(Object.entries(patch).filter(([member]) => editable.has(member)))
  const merged = mergePatch(entry.content, changedMembers)
  if (!isInput(merged)) return {}
  const content = contentOf(merged, entry.content.senses, commandId)
  if (isRefusal(content)) return content
  const changes: { -readonly [M in keyof EntryContentChange]: EntryContentChange[M] } = {}
  if (!sameJson(content.variants, entry.content.variants)) changes.variants = content.variants
  if (!sameJson(content.senses, entry.content.senses)) changes.senses = content.senses
  if (!sameJson(content.forms, entry.content.forms)) changes.forms = content.forms
  if (!sameJson(content.pronunciations, entry.content.pronunciations)) changes.pronunciations = content.pronunciations
  if (!sameJson(content.etymology, entry.content.etymology)) changes.etymology = content.etymology ?? null
  if (!sameJson(content.categories, entry.content.categories)) changes.categories = content.categories
  return changes
}

/** A reason in normal form; a blank one is refused as missing. */
export const checkReason = (reason: string): string | Refusal<EntryRefusal | CommonRefusal> => {
  const { text: normal, fault } = readText(reason.trim(), lines(limits.reason))
  if (normal === '')
    return refuse('reason-required', 'Say why: a reason is kept in the history.', {
      errors: [{ pointer: '/reason', code: 'required', detail: 'The reason is missing or blank.' }],
    })
  return fault !== undefined
    ? refuse('text-invalid', 'The reason cannot be taken.', {
        errors: [{ pointer: '/reason', code: 'text-invalid', detail: fault }],
      })
    : normal
}
