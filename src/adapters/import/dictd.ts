/** A dictionary of the DICT server: FILE.index beside FILE.dict or FILE.dict.dz. */
import { isUtf8 } from 'node:buffer'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { defined } from '../../domain/defined.ts'
import type { PartOfSpeech } from '../../domain/entry/content.ts'
import { type SourceItem, type SourceRecord, sourceName } from '../../domain/entry/import.ts'
import { entryId, importedSenseId } from '../../domain/ids.ts'
import { registeredLanguage } from '../../domain/text/registered-languages.ts'
import { headerName, type Languages, languagesOf, licenceOf } from './dictd-about.ts'
import { type ArticleSense, bare, MAX_WORD, parseArticle } from './dictd-article.ts'
import { type Located, readIndex, readSpans } from './dictd-index.ts'
import { nameless, nameOfFile, type Source, SourceError } from './source.ts'

export type DictdOptions = {
  /** Language of the headwords, and of the glosses where it is another: by default from the name or the title. */
  readonly language?: string
  readonly target?: string
  /** By default what the dictionary's notice names. */
  readonly licence?: string
  readonly source?: string
  readonly signal?: AbortSignal
}

/** Everything a headword's articles say of it as one part of speech. */
type Gathered = {
  lemma: string
  part: PartOfSpeech
  ipas: Set<string>
  variants: Set<string>
  senses: ArticleSense[]
  line: number
}

/** An article that waits for others of its headword: as text, which is a tenth of what it means in objects. */
type Waiting = { readonly text: string; readonly words: readonly string[]; readonly line: number }

const MAX_VARIANTS = 50

const CANDIDATE_BITS = 1 << 24

/** FNV-1a: which bit of a table a word sets. */
const hash = (word: string): number => {
  let value = 0x811c9dc5
  for (let i = 0; i < word.length; i += 1) value = Math.imul(value ^ word.charCodeAt(i), 0x01000193)
  return (value >>> 0) % CANDIDATE_BITS
}

/**
 * How many articles each word has that has several: they wait for each other. A first pass finds which words may have,
 * so that only those few are counted by name.
 */
const articlesByWord = (articles: () => Iterable<Located>): Map<string, number> => {
  const once = new Uint8Array(CANDIDATE_BITS / 8)
  const twice = new Uint8Array(CANDIDATE_BITS / 8)
  for (const { words } of articles())
    for (const word of new Set(words.map(bare))) {
      const bit = hash(word)
      const mask = 1 << (bit & 7)
      const at = bit >> 3
      twice[at] = (twice[at] ?? 0) | ((once[at] ?? 0) & mask)
      once[at] = (once[at] ?? 0) | mask
    }
  const counts = new Map<string, number>()
  for (const { words } of articles())
    for (const word of new Set(words.map(bare))) {
      const bit = hash(word)
      if (((twice[bit >> 3] ?? 0) >> (bit & 7)) & 1) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  for (const [word, count] of counts) if (count === 1) counts.delete(word)
  return counts
}

const findFiles = async (path: string) => {
  const base = path.replace(/\.(index|dict|dict\.dz)$/, '')
  for (const text of [`${base}.dict`, `${base}.dict.dz`])
    if (await stat(text).catch(() => undefined)) {
      if (!(await stat(`${base}.index`).catch(() => undefined))) throw new SourceError(`There is no ${base}.index.`)
      return { base, text, index: `${base}.index` }
    }
  throw new SourceError(`There is neither ${base}.dict nor ${base}.dict.dz.`)
}

const chosenLanguages = (options: DictdOptions, found: Languages | undefined, path: string): Languages => {
  const named = (tag: string | undefined, option: string) => {
    if (tag === undefined) return undefined
    const language = registeredLanguage(tag)
    if (language === undefined)
      throw new SourceError(`${option} ${JSON.stringify(tag)} is not a BCP 47 tag of a registered language.`, 'usage')
    return language
  }
  const language = named(options.language, '--language') ?? found?.language
  if (language === undefined)
    throw new SourceError(`${path} does not say its language: state it with --language.`, 'usage')
  const target = named(options.target, '--target') ?? (options.language === undefined ? found?.target : undefined)
  return { language, ...defined({ target: target !== undefined && target !== language ? target : undefined }) }
}

const recordOf = (gathered: Gathered, language: string, licence: string, source: string): SourceRecord => {
  const identity = { language, lemma: gathered.lemma, partOfSpeech: gathered.part, homograph: 1 }
  const entry = entryId(identity)
  const times = new Map<string, number>()
  return {
    identity,
    content: {
      variants: [...gathered.variants].slice(0, MAX_VARIANTS),
      // A sense is known by what it says: its article's place changes with every edition.
      senses: gathered.senses.map(sense => {
        const nth = (times.get(sense.gloss) ?? 0) + 1
        times.set(sense.gloss, nth)
        return { id: importedSenseId(entry, `gloss:${sense.gloss}:${nth}`), ...sense }
      }),
      forms: [],
      pronunciations: [...gathered.ipas].map(ipa => ({ ipa })),
      categories: [],
    },
    rank: 0,
    licence,
    source,
  }
}

/** The entries of one headword, from all of its articles. */
const gather = (articles: readonly Waiting[], target: string | undefined): Iterable<Gathered> => {
  const found = new Map<string, Gathered>()
  for (const { text, words, line } of articles) {
    const article = parseArticle(text, words, target)
    for (const part of article?.partsOfSpeech ?? []) {
      if (!article) continue
      const { lemma, senses, ipa } = article
      const key = `${part} ${lemma}`
      const entry = found.get(key) ?? { lemma, part, ipas: new Set(), variants: new Set(), senses: [], line }
      found.set(key, entry)
      entry.senses.push(...senses)
      if (ipa !== undefined) entry.ipas.add(ipa)
      for (const word of words)
        if (bare(word) !== bare(lemma) && word.trim() !== '' && word.length <= MAX_WORD) entry.variants.add(word)
    }
  }
  return found.values()
}

/** Opens a dictionary by any of its files. @throws {SourceError} when a file, the language or the licence is missing. */
export const openDictd = async (path: string, options: DictdOptions = {}): Promise<Source> => {
  const { base, text: textFile, index: indexFile } = await findFiles(path)
  const name = options.source ?? nameOfFile(basename(base))
  if (!sourceName.test(name)) throw new SourceError(nameless(options.source, path), 'usage')
  const index = await readIndex(indexFile, options.signal)
  if (index.size === 0) throw new SourceError(`${indexFile} is no index of a dictd dictionary.`)
  const isHeader = ({ words }: Located) => words.some(word => headerName(word) !== undefined)
  const articles = function* (): Generator<Located> {
    for (const each of index.articles()) if (!isHeader(each)) yield each
  }
  let total = 0
  const headers: Located[] = []
  for (const each of index.articles()) {
    if (isHeader(each)) headers.push(each)
    else total = Math.max(total, each.offset + each.length)
  }

  const about = new Map<string, string>()
  for await (const [{ words }, bytes] of readSpans(textFile, headers))
    for (const word of words) about.set(headerName(word) ?? '', bytes?.toString('utf8') ?? '')
  const languages = chosenLanguages(options, languagesOf(basename(base), about.get('short') ?? ''), path)
  const licence = options.licence ?? licenceOf(about.get('info') ?? '')
  if (licence === undefined)
    throw new SourceError(`${path} does not name a known licence: state it with --licence.`, 'usage')

  let done = 0

  async function* items(): AsyncGenerator<SourceItem> {
    for (const fault of index.faults) yield { kind: 'fault', file: basename(indexFile), ...fault }
    const left = articlesByWord(articles)
    const held = new Map<string, Waiting[]>()
    const file = basename(indexFile)
    const emit = function* (waiting: readonly Waiting[]): Generator<SourceItem> {
      for (const each of gather(waiting, languages.target))
        yield { kind: 'record', file, line: each.line, record: recordOf(each, languages.language, licence ?? '', name) }
    }
    for await (const [{ offset, length, line, words }, bytes] of readSpans(textFile, articles())) {
      done = offset + length
      const fault = (reason: string): SourceItem => ({ kind: 'fault', file, line, reason })
      const text = bytes && isUtf8(bytes) ? bytes.toString('utf8') : undefined
      const lemma = text === undefined ? undefined : parseArticle(text, words, languages.target)?.lemma
      if (!bytes) yield fault('The article lies beyond the end of the file.')
      else if (text === undefined) yield fault('The article is not UTF-8.')
      else if (lemma === undefined) yield fault('The article says nothing of a headword.')
      const primary = bare(lemma ?? words[0] ?? '')
      if (text !== undefined && lemma !== undefined) {
        const others = held.get(primary)
        if (others) others.push({ text, words, line })
        else held.set(primary, [{ text, words, line }])
      }
      const named = new Set(words.map(bare))
      for (const word of named) {
        const rest = (left.get(word) ?? 1) - 1
        if (rest > 0) left.set(word, rest)
        else left.delete(word)
      }
      for (const word of named.add(primary)) {
        const complete = left.has(word) ? undefined : held.get(word)
        if (!complete) continue
        held.delete(word)
        yield* emit(complete)
      }
    }
    for (const rest of held.values()) yield* emit(rest)
  }

  return {
    name,
    licence,
    items: items(),
    reading: () => ({ done, total }),
    close: async () => {},
  }
}
