/** The content of a dictionary entry: schemas and types that events, commands, queries and documents share. */
import Type, { type Static } from 'typebox'

export const partsOfSpeech = [
  'noun',
  'verb',
  'adjective',
  'adverb',
  'pronoun',
  'preposition',
  'conjunction',
  'interjection',
  'determiner',
  'numeral',
  'particle',
  'affix',
  'abbreviation',
  'phrase',
  'proper-noun',
  'other',
] as const
export type PartOfSpeech = (typeof partsOfSpeech)[number]

export const relationKinds = [
  'synonym',
  'antonym',
  'hypernym',
  'hyponym',
  'meronym',
  'holonym',
  'derived',
  'see-also',
] as const

/** `held`: it was published, and decisions of moderators hold it back. */
export const statuses = ['draft', 'submitted', 'published', 'retired', 'held'] as const
export type EntryStatus = (typeof statuses)[number]

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const names = Type.Array(text, { maxItems: 50 })
const literals = <const T extends readonly string[]>(values: T) => Type.Enum([...values] as T[number][])

export const PartOfSpeechSchema = literals(partsOfSpeech)
export const StatusSchema = literals(statuses)

export const Labels = Type.Object({ register: names, region: names, domain: names }, strict)
export const Example = Type.Object({ text, translation: Type.Optional(text), reference: Type.Optional(text) }, strict)
export const Relation = Type.Object(
  {
    kind: literals(relationKinds),
    entryId: Type.Optional(text),
    senseId: Type.Optional(text),
    text,
  },
  strict,
)
export const Translation = Type.Object({ language: text, text, entryId: Type.Optional(text) }, strict)

/** A sense as stored: it has its id. As people send it, everything but the gloss may be left out. */
export const Sense = Type.Object(
  {
    id: text,
    gloss: text,
    labels: Labels,
    examples: Type.Array(Example, { maxItems: 100 }),
    relations: Type.Array(Relation, { maxItems: 1000 }),
    translations: Type.Array(Translation, { maxItems: 500 }),
  },
  strict,
)
export const SenseInput = Type.Object(
  {
    id: Type.Optional(text),
    gloss: text,
    labels: Type.Optional(Type.Partial(Labels, strict)),
    examples: Type.Optional(Type.Array(Example, { maxItems: 100 })),
    relations: Type.Optional(Type.Array(Relation, { maxItems: 1000 })),
    translations: Type.Optional(Type.Array(Translation, { maxItems: 500 })),
  },
  strict,
)
export const Form = Type.Object({ form: text, tags: names }, strict)
export const FormInput = Type.Object({ form: text, tags: Type.Optional(names) }, strict)
export const Pronunciation = Type.Object(
  { ipa: text, region: Type.Optional(text), audioUrl: Type.Optional(text), rhymes: Type.Optional(text) },
  strict,
)

/** The editable members as stored. `etymology` is absent when there is none. */
export const Content = Type.Object(
  {
    variants: names,
    senses: Type.Array(Sense, { maxItems: 200 }),
    forms: Type.Array(Form, { maxItems: 500 }),
    pronunciations: Type.Array(Pronunciation, { maxItems: 50 }),
    etymology: Type.Optional(text),
    categories: names,
  },
  strict,
)

/** Members that an edit sets, each to its whole new value; null removes `etymology`. */
export const ContentChange = Type.Object(
  {
    variants: Type.Optional(names),
    senses: Type.Optional(Type.Array(Sense, { maxItems: 200 })),
    forms: Type.Optional(Type.Array(Form, { maxItems: 500 })),
    pronunciations: Type.Optional(Type.Array(Pronunciation, { maxItems: 50 })),
    etymology: Type.Optional(Type.Union([text, Type.Null()])),
    categories: Type.Optional(names),
  },
  strict,
)

export type EntryContent = Static<typeof Content>
export type EntryContentChange = Static<typeof ContentChange>
export type EntrySense = Static<typeof Sense>
export type EntrySenseInput = Static<typeof SenseInput>

export const emptyContent: EntryContent = { variants: [], senses: [], forms: [], pronunciations: [], categories: [] }

export const applyChange = (content: EntryContent, change: EntryContentChange): EntryContent => {
  const { etymology, ...members } = { ...content, ...change }
  return typeof etymology === 'string' ? { ...members, etymology } : members
}
