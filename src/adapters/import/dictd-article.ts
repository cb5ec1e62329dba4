/** From the text of a dictd article to what it says of its headword. FreeDict's layout is known, and Webster's headlines. */

import { defined } from '../../domain/defined.ts'
import type { EntrySense, PartOfSpeech } from '../../domain/entry/content.ts'

export type ArticleSense = Omit<EntrySense, 'id'>
export type Article = {
  readonly lemma: string
  /** Usually one; two where the article says "adj, adv". */
  readonly partsOfSpeech: readonly PartOfSpeech[]
  readonly ipa: string | undefined
  readonly senses: readonly ArticleSense[]
}

/** FreeDict's grammar marks, and the abbreviations of English dictionaries. */
const partOf: ReadonlyMap<string, PartOfSpeech> = new Map([
  ...['n', 'pl', 'masc', 'fem', 'neut', 'm', 'f'].map(mark => [mark, 'noun'] as const),
  ...['v', 'vt', 'vi', 'v. t', 'v. i'].map(mark => [mark, 'verb'] as const),
  ...['adj', 'a'].map(mark => [mark, 'adjective'] as const),
  ['adv', 'adverb'],
  ...['pron'].map(mark => [mark, 'pronoun'] as const),
  ['prep', 'preposition'],
  ['conj', 'conjunction'],
  ...['int', 'interj', 'intj'].map(mark => [mark, 'interjection'] as const),
  ...['art', 'det'].map(mark => [mark, 'determiner'] as const),
  ['num', 'numeral'],
  ...['part', 'ptcl', 'particle'].map(mark => [mark, 'particle'] as const),
  ...['prefix', 'suffix', 'affix', 'pref', 'suff'].map(mark => [mark, 'affix'] as const),
  ...['abbr', 'acron', 'init'].map(mark => [mark, 'abbreviation'] as const),
  ...['phra', 'phrase', 'idiom', 'prov'].map(mark => [mark, 'phrase'] as const),
  ...['pn', 'propn', 'prop. n'].map(mark => [mark, 'proper-noun'] as const),
])

/** Marks that refine the part of speech without changing it, in words. */
const labelOf: ReadonlyMap<string, string> = new Map([
  ['masc', 'masculine'],
  ['fem', 'feminine'],
  ['neut', 'neuter'],
  ['pl', 'plural'],
  ['trans', 'transitive'],
  ['intr', 'intransitive'],
  ['refl', 'reflexive'],
])
/** A gender is a noun's only where nothing else is said: `<masc, pron>` is a pronoun. */
const weak = new Set(['pl', 'masc', 'fem', 'neut', 'm', 'f'])

const marksIn = (text: string): string[] => text.split(',').map(mark => mark.trim())

const partsIn = (marks: readonly string[]): PartOfSpeech[] => {
  const strong = marks.filter(mark => !weak.has(mark) && partOf.has(mark))
  const chosen = strong.length > 0 ? strong : marks.filter(mark => partOf.has(mark)).slice(0, 1)
  return [...new Set(chosen.flatMap(mark => partOf.get(mark) ?? []))]
}

/** Characters of a gloss at most: the limit of the content's rules, below which a long text is cut into several senses. */
const MAX_GLOSS = 4_900
/** Characters of a word, a translation or a pronunciation at most. */
export const MAX_WORD = 200

/** Cuts at the ends of lines, so that nothing of a long text is lost. */
const cut = (text: string): string[] => {
  if (text.length <= MAX_GLOSS) return [text]
  const parts: string[] = []
  let rest = text
  while (rest.length > MAX_GLOSS) {
    const newline = rest.lastIndexOf('\n', MAX_GLOSS)
    const space = rest.lastIndexOf(' ', MAX_GLOSS)
    const at = newline > MAX_GLOSS / 2 ? newline : space > 0 ? space : MAX_GLOSS
    parts.push(rest.slice(0, at).trim())
    rest = rest.slice(at).trim()
  }
  return rest === '' ? parts : [...parts, rest]
}

/** The equivalents in a line of a bilingual dictionary: apart by commas outside brackets, without marks and remarks. */
export const equivalents = (line: string): string[] => {
  const found = new Set<string>()
  let depth = 0
  let word = ''
  const push = () => {
    const text = word
      .replace(/<[^<>]*>|\[[^\][]*\]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
    if (text !== '' && text.length <= MAX_WORD) found.add(text)
    word = ''
  }
  for (const character of line) {
    if ('([{<'.includes(character)) depth += 1
    else if (')]}>'.includes(character)) depth = Math.max(0, depth - 1)
    if (depth === 0 && (character === ',' || character === ';' || character === '\n')) push()
    else word += character
  }
  push()
  return [...found]
}

/** `  "An example" - its translation`: the quotes end where nothing or a dash follows. */
const exampleOf = (line: string): { readonly text: string; readonly translation?: string } | undefined => {
  const quoted = line.trimStart()
  if (quoted === line || !quoted.startsWith('"')) return undefined
  for (let end = quoted.indexOf('"', 2); end > 0; end = quoted.indexOf('"', end + 1)) {
    const rest = quoted.slice(end + 1)
    const translation = /^\s+-\s(.+)$/.exec(rest)?.[1]?.trim()
    if (rest === '' || translation !== undefined) return { text: quoted.slice(1, end), ...defined({ translation }) }
  }
  return undefined
}
const relationLine = /^\s*(Synonyms?|Antonyms?|see(?: also)?):\s*(?=\{)/i
const numberedLine = /^\s{0,5}\d{1,3}\.\s+(?=\S)/

type Draft = {
  lines: string[]
  examples: ArticleSense['examples'][number][]
  relations: ArticleSense['relations'][number][]
}
const begin = (): Draft => ({ lines: [], examples: [], relations: [] })

/** One body as drafts of senses: numbered lines begin one; examples and references belong to the one before them. */
const drafts = (lines: readonly string[]): Draft[] => {
  const found: Draft[] = [begin()]
  let kind: 'synonym' | 'antonym' | 'see-also' | undefined
  for (const line of lines) {
    let current = found.at(-1) ?? begin()
    const relation = relationLine.exec(line)
    const example = exampleOf(line)
    if (relation || (kind !== undefined && /^\s*\{/.test(line))) {
      const word = relation?.[1]?.toLowerCase() ?? ''
      if (relation) kind = word.startsWith('syn') ? 'synonym' : word.startsWith('ant') ? 'antonym' : 'see-also'
      for (const [, text = ''] of line.matchAll(/\{([^{}]+)\}/g))
        if (text.trim().length > MAX_WORD) current.lines.push(`${word}: ${text.trim()}`)
        else if (kind && text.trim() !== '') current.relations.push({ kind, text: text.trim() })
      if (!line.trimEnd().endsWith(',')) kind = undefined
      continue
    }
    kind = undefined
    if (example) {
      current.examples.push(example)
      continue
    }
    if (numberedLine.test(line) && (current.lines.length > 0 || current.examples.length > 0)) {
      current = begin()
      found.push(current)
    }
    const text = line.replace(numberedLine, '').trimEnd()
    if (text.trim() !== '' || current.lines.length > 0) current.lines.push(text)
  }
  return found
}

const dedent = (lines: readonly string[]): string => {
  const indents = lines.slice(1).flatMap(line => (line.trim() === '' ? [] : [line.length - line.trimStart().length]))
  const least = Math.min(...indents, 40)
  return lines
    .map((line, i) => (i === 0 ? line.trim() : line.slice(Number.isFinite(least) ? least : 0)))
    .join('\n')
    .trim()
}

const senses = (lines: readonly string[], target: string | undefined, register: readonly string[]): ArticleSense[] =>
  drafts(lines).flatMap(({ lines: glossLines, examples, relations }) => {
    const whole = dedent(glossLines)
    if (whole === '' && examples.length === 0 && relations.length === 0) return []
    const references = relations.map(({ text }) => text).join(', ')
    // A mere reference has no gloss of its own, and a sense needs one.
    const text = whole !== '' ? whole : references !== '' ? `see ${references}` : (examples[0]?.text ?? '')
    const labels = { register: [...register], region: [], domain: [] }
    const translations = target === undefined ? [] : equivalents(whole).map(each => ({ language: target, text: each }))
    return cut(text).map((gloss, i) =>
      i === 0
        ? { gloss, labels, examples, relations, translations }
        : { gloss, labels, examples: [], relations: [], translations: [] },
    )
  })

/** Letters and digits alone, in lower case: how an index may have folded its words. */
export const bare = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '')

/** `word /pronunciation/ <marks>`, of which only the word need be there; read from its end. */
const freedictOf = (line: string): { readonly first: string; readonly ipa?: string; readonly marks?: string } => {
  const whole = line.trimEnd()
  const open = whole.endsWith('>') ? whole.lastIndexOf('<') : -1
  const marked = open < 0 ? '' : whole.slice(open + 1, -1)
  const marks = marked === '' || marked.includes('>') ? undefined : marked
  const spoken = marks === undefined ? whole : whole.slice(0, open).trimEnd()
  const slash = spoken.endsWith('/') ? spoken.search(/\s\//) : -1
  const ipa = slash < 0 ? '' : spoken.slice(slash + 2, -1)
  if (ipa === '') return { first: spoken, ...defined({ marks }) }
  return { first: spoken.slice(0, slash).trimEnd(), ipa, ...defined({ marks }) }
}

/** `Word \\pronunciation\\ (origin), n. ...`: the word, and what follows. */
const websterOf = (line: string): { readonly word: string; readonly rest: string } | undefined => {
  const open = line.search(/\s\\/)
  const close = open < 1 ? -1 : line.indexOf('\\', open + 2)
  return close < 0 ? undefined : { word: line.slice(0, open).trimEnd(), rest: line.slice(close + 1) }
}
const websterPart = /(?:^|[\s,;])(prop\. n|v\. t|v\. i|interj|pron|prep|conj|adj|adv|n|a|v)\.(?=\s|,|;|&|$)/

/** The headline is taken as one when it names one of the words that the index has for the article. */
const headOf = (line: string, words: readonly string[]) => {
  const isNamed = (lemma: string) => lemma !== '' && words.some(word => bare(word) === bare(lemma))
  const { first, ipa, marks } = freedictOf(line)
  if (isNamed(first) || (first !== '' && ipa !== undefined)) return { lemma: first, ipa, marks: marksIn(marks ?? '') }
  const quoted = websterOf(line)
  if (quoted && isNamed(quoted.word)) {
    const rest = quoted.rest.replace(/\([^()]*\)|\[[^\][]*\]?/g, ' ')
    const part = websterPart.exec(rest)?.[1]
    return { lemma: quoted.word, ipa: undefined, marks: part === undefined ? [] : [part] }
  }
  return undefined
}

/**
 * Reads an article. `words` are those that the index leads here with; `target` is the language of the glosses when it is
 * another than the headword's. Undefined when nothing is said of anything.
 */
export const parseArticle = (
  text: string,
  words: readonly string[],
  target: string | undefined,
): Article | undefined => {
  const lines = text.replaceAll('\r', '').split('\n')
  while (lines[0]?.trim() === '') lines.shift()
  const headline = (lines[0] ?? '').trim()
  const head = headOf(headline, words)
  const lemma = head?.lemma ?? words.find(word => word.trim() !== '')?.trim() ?? ''
  const marks = head?.marks ?? []
  const isPlain = head !== undefined && (head.ipa !== undefined || headline === lemma || marks.length > 0)
  const keepsHeadline = head === undefined || (!isPlain && headline !== lemma) || websterOf(headline) !== undefined
  const body = keepsHeadline ? lines : lines.slice(1)
  const register = marks.flatMap(mark => labelOf.get(mark) ?? [])
  const found = senses(body, target, register)
  if (lemma === '' || found.length === 0) return undefined
  // A spoken sentence is longer than a pronunciation may be; the entry is worth more than it.
  const ipa = head?.ipa?.trim() ?? ''
  const pronunciation = ipa === '' || ipa.length > MAX_WORD ? undefined : ipa
  const own = partsIn(marks)
  // Without a mark of its own the headword is what all its equivalents are, where they agree.
  const theirs = partsIn([...body.join(' ').matchAll(/<([^<>]+)>/g)].flatMap(([, each = '']) => marksIn(each)))
  const guessed = theirs.length === 1 ? theirs : []
  const parts = own.length > 0 ? own : guessed
  return {
    lemma,
    partsOfSpeech: parts.length > 0 ? parts : ['other'],
    ipa: pronunciation,
    senses: found,
  }
}
