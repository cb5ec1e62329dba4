/** What somebody types into the search, read into patterns and keys. Pure, and the same on every engine. */
import { foldingLanguages, primaryOf, stemmerOf } from '../text/languages.ts'
import { accentKey, ascii, LONGEST_WORD, readText, stem, stemsOf, withoutUnseen, words } from '../text/text.ts'

export const MAX_QUERY = LONGEST_WORD
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
  /** Distinct keys of the query, each word stemmed; empty with wildcards. */
  readonly stems: readonly string[]
  /** Stems that a definition must have, all of one set: a set for each language's reading of the query. */
  readonly definitions: readonly (readonly string[])[]
  /** Of two words or more. */
  readonly isPhrase: boolean
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

const patternFault = (text: string, keys: readonly string[]): QueryFault | undefined => {
  const wildcards = text.match(/[*?]/g)?.length ?? 0
  if (wildcards > MAX_WILDCARDS) return fault('pattern-invalid', `A pattern has ${MAX_WILDCARDS} wildcards at most.`)
  const isWild = (char: string | undefined): boolean => char === '*' || char === '?'
  // The keys are what is searched: a mark at an end of the text may leave nothing there.
  if (keys.some(key => isWild(key.at(0)) && isWild(key.at(-1))))
    return fault(
      'pattern-too-broad',
      'A pattern begins or ends with a letter: wildcards on both sides would search everything.',
    )
  if (!/[\p{L}\p{N}]/u.test(text)) return fault('pattern-too-broad', 'A pattern has one letter at least.')
  return undefined
}

/** The words of a query or a lemma, stemmed and joined. */
export const stemKey = (text: string, language: string): string =>
  ascii(
    words(text)
      .map(each => stem(each, language))
      .join(' '),
  )

/**
 * The languages that read a query that names none: the widely used ones, and `und` for those without a stemmer. A stemmer
 * takes 50 us a word, so the others stem when they are named.
 */
export const stemLanguages: readonly string[] = ['en', 'de', 'es', 'fr', 'it', 'pt', 'nl', 'sv', 'ru', 'tr', 'und']
/** Those fold in their own way and have no stemmer: their stems are the folded words. */
const unstemmed: readonly string[] = foldingLanguages.filter(each => stemmerOf(each) === undefined)

/** Each once, none of nothing. */
export const distinct = (sets: readonly (readonly string[])[]): readonly (readonly string[])[] => [
  ...new Map(sets.filter(each => each.length > 0).map(each => [each.join(' '), each])).values(),
]

export const parseQuery = (
  given: string,
  options: { readonly language?: string | undefined; readonly fuzzy: 'auto' | 0 | 1 | 2 },
): SearchQuery | QueryFault => {
  const { language, fuzzy } = options
  // No lemma has two spaces in a row.
  const typed = withoutUnseen(given)
    .trim()
    .replaceAll(/\p{Zs}+/gu, ' ')
  const { text, fault: problem } = readText(typed, { max: MAX_QUERY, multiline: false, keyed: true })
  if (problem) return fault('text-invalid', `q cannot be searched: ${problem}`)
  const pattern = /[*?]/.test(text)
  const languages = language === undefined ? everywhere : [language]
  const keys = [...new Set(languages.map(each => ascii(accentKey(text, each))))]
  const wrong = pattern ? patternFault(text, keys) : undefined
  if (wrong) return wrong
  const spoken = language === undefined ? stemLanguages : [language]
  const others = language === undefined ? unstemmed : []
  const auto = distanceFor(Math.min(...keys.map(lettersOf)))
  const distance = pattern ? 0 : fuzzy === 'auto' ? auto : fuzzy < auto ? fuzzy : auto
  return {
    text,
    language,
    keys,
    isPhrase: words(text).length > 1,
    pattern,
    distance,
    stems: pattern ? [] : [...new Set([...spoken, ...others].map(each => stemKey(text, each)))].filter(Boolean),
    definitions: pattern ? [] : distinct(spoken.map(each => definitionStems(text, each))),
  }
}

/** The stems of a definition's text in ASCII; glosses are stemmed in the language of their entry. */
export const definitionStems = (text: string, language: string): readonly string[] => stemsOf(text, language).map(ascii)

/** Letters of an ASCII key: an escape of seven characters stands for one. */
export const lettersOf = (key: string): number => key.length - 6 * (key.split('~').length - 1)

/** The query as one language folds and stems it. `stem` is undefined where the query is not stemmed in that language. */
export type Reading = { readonly key: string; readonly stem: string | undefined; readonly pattern: RegExp | undefined }

const readings = new WeakMap<SearchQuery, Map<string, Reading>>()

const stemIn = (query: SearchQuery, language: string): string | undefined => {
  if (query.pattern) return undefined
  const known = query.language !== undefined || stemLanguages.includes(language)
  if (!known && stemmerOf(language) !== undefined) return undefined
  return stemKey(query.text, language) || undefined
}

/** What an entry of the language is compared with: never another language's reading. Made once for a query. */
export const readingOf = (query: SearchQuery, language: string): Reading => {
  const primary = primaryOf(language)
  const made = readings.get(query) ?? new Map<string, Reading>()
  const known = made.get(primary)
  if (known) return known
  const key = ascii(accentKey(query.text, primary))
  const reading = { key, stem: stemIn(query, primary), pattern: query.pattern ? patternOf(key) : undefined }
  readings.set(query, made.set(primary, reading))
  return reading
}

/** The pattern as a regular expression over ASCII keys, where an escaped letter counts as one character. */
export const patternOf = (key: string): RegExp => {
  const source = key
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('?', '(?:~[0-9a-f]{6}|[^~])')
    .replaceAll('*', '.*')
  return new RegExp(`^${source}$`)
}
