/** What somebody types into the search, read into patterns and keys. Pure, and the same on every engine. */
import { foldingLanguages } from './languages.ts'
import { accentKey, ascii, checkText, normalise, stem, stemsOf, words } from './text.ts'

export const MAX_QUERY = 128
export const MAX_WILDCARDS = 3

/** `und` folds as most languages do. */
const everywhere: readonly string[] = ['und', ...foldingLanguages]

/** One way the query reads under the folding of one language or more. */
export type SearchQuery = {
  /** NFC, as typed, without space around. */
  readonly text: string
  readonly language: string | undefined
  /** Distinct accent keys in ASCII, by the foldings of the languages that are searched. */
  readonly keys: readonly string[]
  /** Keys of the stemmed query, each word stemmed; empty with wildcards. */
  readonly stems: readonly string[]
  /** Stems that a definition must have, all of one set: a set for each language's reading of the query. */
  readonly definitions: readonly (readonly string[])[]
  /** With wildcards: literal text, `?` one character, `*` any number. */
  readonly pattern: boolean
  /** Edits allowed. */
  readonly distance: 0 | 1 | 2
}

export type QueryFault = {
  readonly fault: 'pattern-too-broad' | 'pattern-invalid' | 'text-invalid'
  readonly detail: string
}

/** Edits that a word of so many letters may be apart: none below four, one below seven, else two. */
export const distanceFor = (letters: number): 0 | 1 | 2 => (letters < 4 ? 0 : letters < 7 ? 1 : 2)

const fault = (code: QueryFault['fault'], detail: string): QueryFault => ({ fault: code, detail })

const patternFault = (text: string): QueryFault | undefined => {
  const wildcards = text.match(/[*?]/g)?.length ?? 0
  if (wildcards > MAX_WILDCARDS) return fault('pattern-invalid', `A pattern has ${MAX_WILDCARDS} wildcards at most.`)
  const isWild = (char: string | undefined): boolean => char === '*' || char === '?'
  if (isWild(text.at(0)) && isWild(text.at(-1)))
    return fault(
      'pattern-too-broad',
      'A pattern begins or ends with a letter: wildcards on both sides would search everything.',
    )
  return undefined
}

/** The words of a query or a lemma, stemmed and joined. */
export const stemKey = (text: string, language: string): string =>
  ascii(
    words(text)
      .map(each => stem(each, language))
      .join(' '),
  )

/** The languages whose stemmers read a query that names none: the widely used ones, each distinct stem counts once. */
const stemLanguages: readonly string[] = ['en', 'de', 'es', 'fr', 'it', 'pt', 'nl', 'sv', 'ru', 'tr']

const distinct = (sets: readonly (readonly string[])[]): readonly (readonly string[])[] => [
  ...new Map(sets.filter(each => each.length > 0).map(each => [each.join(' '), each])).values(),
]

export const parseQuery = (
  given: string,
  options: { readonly language?: string | undefined; readonly fuzzy: 'auto' | 0 | 1 | 2 },
): SearchQuery | QueryFault => {
  const { language, fuzzy } = options
  const text = normalise(given).trim()
  const problem = checkText(text, { max: MAX_QUERY, multiline: false })
  if (problem) return fault('text-invalid', `q cannot be searched: ${problem}`)
  const pattern = /[*?]/.test(text)
  const wrong = pattern ? patternFault(text) : undefined
  if (wrong) return wrong
  const languages = language === undefined ? everywhere : [language]
  const keys = [...new Set(languages.map(each => ascii(accentKey(text, each))))]
  const spoken = language === undefined ? stemLanguages : [language]
  const longest = Math.min(...keys.map(key => lettersOf(key)))
  const auto = distanceFor(longest)
  const distance = pattern ? 0 : fuzzy === 'auto' ? auto : fuzzy < auto ? fuzzy : auto
  return {
    ...{ text, language, keys, pattern, distance },
    stems: pattern ? [] : [...new Set(spoken.map(each => stemKey(text, each)))].filter(Boolean),
    definitions: pattern ? [] : distinct(spoken.map(each => definitionStems(text, each))),
  }
}

/** The stems of a definition's text in ASCII; glosses are stemmed in the language of their entry. */
export const definitionStems = (text: string, language: string): readonly string[] => stemsOf(text, language).map(ascii)

/** Letters of an ASCII key: an escape of seven characters stands for one. */
export const lettersOf = (key: string): number => key.length - 6 * (key.split('~').length - 1)

/** The pattern as a regular expression over ASCII keys, where an escaped letter counts as one character. */
export const patternOf = (key: string): RegExp => {
  const source = key
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('?', '(?:~[0-9a-f]{6}|[^~])')
    .replaceAll('*', '.*')
  return new RegExp(`^${source}$`)
}
