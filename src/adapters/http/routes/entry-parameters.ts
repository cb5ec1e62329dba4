/** Path and query parameters of the dictionary's routes. Lists in a query string are separated by commas, or come a parameter an item. */
import Type, { type TSchema } from 'typebox'
import { PartOfSpeechSchema, StatusSchema } from '../../../domain/entry/content.ts'
import { DAY, UUID } from '../../../domain/forms.ts'
import { registeredLanguage } from '../../../domain/text/registered-languages.ts'
import { listSorts } from '../../../queries/entry-lists.ts'
import { EntrySchema } from '../../../queries/entry-view.ts'
import { ProblemError } from '../problems.ts'
import { instantOf } from '../times.ts'

/** Anything else is no entry: 404, not 400. */
export const EntryParams = Type.Object({ id: Type.String({ pattern: UUID, description: 'The id of the entry.' }) })

// `explode: false`: swagger shows lists as the comma-separated text that they are.
const query = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false, explode: false })

const text = (description: string, maxLength = 200) =>
  Type.Optional(Type.String({ description, minLength: 1, maxLength }))
const language = text('BCP 47, such as en or pt-BR.', 35)
const partOfSpeech = Type.Optional(PartOfSpeechSchema)
const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
)
const cursor = text('`next` of the page before.', 4096)
const fields = Type.Optional(
  Type.Array(Type.Enum(Object.keys(EntrySchema.properties)), {
    uniqueItems: true,
    description: 'Members to answer with, by commas or a parameter each.',
  }),
)
const filters = { language, partOfSpeech, category: text('A category.'), label: text('A label of a sense.') }

export const NoQuery = query({})

export const GetEntryQuery = query({
  asOf: text('A time (RFC 3339) or a Sync-Token: the entry as it was then.', 4096),
  fields,
})

export const ListEntriesQuery = query({
  ...filters,
  status: Type.Optional(StatusSchema),
  contributor: Type.Optional(Type.String({ pattern: UUID, description: 'The id of a contributor.' })),
  source: text('What it was imported from.'),
  updatedSince: text('A time (RFC 3339).', 40),
  sort: Type.Optional(Type.Enum([...listSorts])),
  limit,
  cursor,
  fields,
})

export const HistoryQuery = query({ limit, cursor })

export const SearchQuery = query({
  q: Type.String({ minLength: 1, maxLength: 128, description: 'A word; * and ? are wildcards.' }),
  ...filters,
  in: Type.Optional(Type.Array(Type.Enum(['lemma', 'form', 'definition']), { uniqueItems: true })),
  fuzzy: Type.Optional(Type.Enum(['auto', '0', '1', '2'])),
  facets: Type.Optional(Type.Array(Type.Enum(['language', 'partOfSpeech']), { uniqueItems: true })),
  limit,
  cursor,
})

export const SuggestQuery = query({
  q: Type.String({ minLength: 1, maxLength: 128, description: 'What was typed so far.' }),
  language,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, description: '20 by default.' })),
})

export const RandomQuery = query({ seed: text('The same seed draws the same entry.'), ...filters })

export const WordOfTheDayQuery = query({
  language,
  date: Type.Optional(
    Type.String({
      pattern: DAY,
      description:
        'A day: that of UTC by default. A word is chosen for a day that is today somewhere, from UTC-12 to UTC+14.',
    }),
  ),
})

export const ExportQuery = query({ language, cursor: text('The last `cursor` that came.', 4096) })

/** A query parameter that its schema cannot refuse, in words. */
export const invalid = (name: string, detail: string): ProblemError =>
  new ProblemError('validation', `The query is not what this route takes. /${name}: ${detail}`, {
    errors: [{ pointer: `/${name}`, code: 'format', detail }],
  })

/** The language in canonical form. @throws {ProblemError} validation. */
export const languageOf = (tag: string): string => {
  const registered = registeredLanguage(tag)
  if (registered === undefined) throw invalid('language', 'This is not a BCP 47 tag with a registered language.')
  return registered
}

/** How many edits a word found may be away. */
export const fuzzyOf = (value: string | undefined): 'auto' | 0 | 1 | 2 =>
  value === '0' ? 0 : value === '1' ? 1 : value === '2' ? 2 : 'auto'

/** True of texts that are to be read as times: Sync-Tokens never look like one. */
export const looksLikeTime = (value: string): boolean => /^[0-9]{4}-[0-9]{2}/.test(value)

/** A real instant in RFC 3339. @throws {ProblemError} validation. */
export const timeOf = (name: string, value: string): Date => {
  const time = instantOf(value)
  if (typeof time === 'string') throw invalid(name, time)
  return time
}

/** A real calendar day. @throws {ProblemError} validation. */
export const dateOf = (name: string, value: string): string => {
  try {
    timeOf(name, `${value}T00:00:00Z`)
  } catch {
    throw invalid(name, 'This is no day of the calendar, such as 2026-11-23.')
  }
  return value
}
