/**
 * The content of an entry by its places: a pointer (RFC 6901) for each text and each list, in which senses are named by their ids and not by
 * where they stand. What somebody changes of an entry is told, compared and merged by these.
 */
import Type, { type Static } from 'typebox'
import type { Json } from '../event.ts'
import { isObject, pointerMember, sameJson } from '../json.ts'
import {
  type EntryContent,
  type EntrySense,
  Example,
  Form,
  type Labels,
  Pronunciation,
  Relation,
  Translation,
} from './content.ts'

const text = Type.String({ minLength: 1 })

/** What a place can hold: a text, or a list. `/senses` holds ids, in their order. */
const Place = Type.Union([
  text,
  Type.Array(text, { maxItems: 200 }),
  Type.Array(Example, { maxItems: 100 }),
  Type.Array(Relation, { maxItems: 1000 }),
  Type.Array(Translation, { maxItems: 500 }),
  Type.Array(Form, { maxItems: 500 }),
  Type.Array(Pronunciation, { maxItems: 50 }),
])
export type PlaceValue = string | readonly Json[]
export const PlaceValue = Type.Unsafe<PlaceValue>(Place)

/** What changed at one place; `from` is absent where nothing stood there, `to` where nothing does any more. */
export const Change = Type.Object(
  { pointer: Type.String({ minLength: 1 }), from: Type.Optional(PlaceValue), to: Type.Optional(PlaceValue) },
  { additionalProperties: false },
)
export type Change = Static<typeof Change>

export type Places = ReadonlyMap<string, PlaceValue>

export const SENSES = '/senses'
const labels = ['register', 'region', 'domain'] as const

const placesOfSense = (sense: EntrySense): readonly (readonly [string, PlaceValue])[] => {
  const at = `${SENSES}/${pointerMember(sense.id)}`
  return [
    [`${at}/gloss`, sense.gloss],
    ...labels.map(label => [`${at}/labels/${label}`, sense.labels[label]] as const),
    [`${at}/examples`, sense.examples],
    [`${at}/relations`, sense.relations],
    [`${at}/translations`, sense.translations],
  ]
}

export const placesOf = (content: EntryContent): Places =>
  new Map<string, PlaceValue>([
    ['/variants', content.variants],
    [SENSES, content.senses.map(({ id }) => id)],
    ...content.senses.flatMap(placesOfSense),
    ['/forms', content.forms],
    ['/pronunciations', content.pronunciations],
    ...(content.etymology === undefined ? [] : [['/etymology', content.etymology] as const]),
    ['/categories', content.categories],
  ])

/** What stands there, if it is what may. */
type Reading<T> = (value: PlaceValue | undefined) => T
const listOf =
  <T extends Json>(isItem: (item: Json) => item is T): Reading<T[]> =>
  (value = []) =>
    typeof value === 'string' ? [] : value.filter(isItem)

const isText = (item: unknown): item is string => typeof item === 'string'
/** Whatever stands at its place was checked by the schema of that place. */
const hasText =
  <T extends Json>(member: string) =>
  (item: Json): item is T =>
    isObject(item) && typeof item[member] === 'string'
const textsAt = listOf(isText)
const examplesAt = listOf(hasText<Static<typeof Example>>('text'))
const relationsAt = listOf(hasText<Static<typeof Relation>>('kind'))
const translationsAt = listOf(hasText<Static<typeof Translation>>('language'))
const formsAt = listOf(hasText<Static<typeof Form>>('form'))
const pronunciationsAt = listOf(hasText<Static<typeof Pronunciation>>('ipa'))

const senseAt = (places: Places, id: string): EntrySense => {
  const at = `${SENSES}/${pointerMember(id)}`
  const gloss = places.get(`${at}/gloss`)
  const labelled = (label: (typeof labels)[number]) => textsAt(places.get(`${at}/labels/${label}`))
  const named: Static<typeof Labels> = {
    register: labelled('register'),
    region: labelled('region'),
    domain: labelled('domain'),
  }
  return {
    id,
    gloss: isText(gloss) ? gloss : '',
    labels: named,
    examples: examplesAt(places.get(`${at}/examples`)),
    relations: relationsAt(places.get(`${at}/relations`)),
    translations: translationsAt(places.get(`${at}/translations`)),
  }
}

/** The content that has these places. */
export const contentAtPlaces = (places: Places): EntryContent => {
  const etymology = places.get('/etymology')
  return {
    variants: textsAt(places.get('/variants')),
    senses: textsAt(places.get(SENSES)).map(id => senseAt(places, id)),
    forms: formsAt(places.get('/forms')),
    pronunciations: pronunciationsAt(places.get('/pronunciations')),
    ...(isText(etymology) ? { etymology } : {}),
    categories: textsAt(places.get('/categories')),
  }
}

const pointersOf = (...all: readonly Places[]): readonly string[] =>
  [...new Set(all.flatMap(places => [...places.keys()]))].sort()

const change = (pointer: string, from: PlaceValue | undefined, to: PlaceValue | undefined): Change => ({
  pointer,
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
})

/** What makes the second of the first, by pointers in their order: the same difference is always told the same way. */
export const differenceOf = (before: EntryContent, after: EntryContent): readonly Change[] => {
  const [from, to] = [placesOf(before), placesOf(after)]
  return pointersOf(from, to).flatMap(pointer => {
    const [was, is] = [from.get(pointer), to.get(pointer)]
    return sameJson(was, is) ? [] : [change(pointer, was, is)]
  })
}

/** The content as the changes have it at their places, whatever stood there. */
export const changed = (content: EntryContent, changes: readonly Change[]): EntryContent => {
  const places = new Map(placesOf(content))
  for (const { pointer, to } of changes)
    if (to === undefined) places.delete(pointer)
    else places.set(pointer, to)
  return contentAtPlaces(places)
}

/** Both sides of a place that cannot be merged; absent where nothing stands. */
export type Overlap = {
  readonly pointer: string
  readonly base?: Json
  readonly theirs?: Json
  readonly ours?: Json
}
