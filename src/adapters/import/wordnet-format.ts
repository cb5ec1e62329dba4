/** The WNDB format (wndb(5WN), senseidx(5WN), lexnames(5WN)): one line of a data file, its gloss, its pointers. */

import { defined } from '../../domain/defined.ts'
import type { PartOfSpeech } from '../../domain/entry/content.ts'
import { withoutEnds } from '../../domain/text/text.ts'

/** The files of the database by part of speech. Satellites of adjectives stand among the adjectives. */
export const wordnetFiles = ['noun', 'verb', 'adj', 'adv'] as const
export type WordnetFile = (typeof wordnetFiles)[number]

export const partOfSpeechOf: Readonly<Record<WordnetFile, PartOfSpeech>> = {
  noun: 'noun',
  verb: 'verb',
  adj: 'adjective',
  adv: 'adverb',
}

/** The number of each synset type within a sense key. */
const typeNumbers: ReadonlyMap<string, number> = new Map([
  ['n', 1],
  ['v', 2],
  ['a', 3],
  ['r', 4],
  ['s', 5],
])

const fileOfType: ReadonlyMap<string, number> = new Map([
  ['n', 0],
  ['v', 1],
  ['a', 2],
  ['s', 2],
  ['r', 3],
])

/** Index into `wordnetFiles` of the file that has synsets of this type. */
export const fileNumber = (type: string): number | undefined => fileOfType.get(type)

/** Lexicographer files by number: lexnames(5WN). */
export const lexicographerFiles = [
  'adj.all',
  'adj.pert',
  'adv.all',
  'noun.Tops',
  'noun.act',
  'noun.animal',
  'noun.artifact',
  'noun.attribute',
  'noun.body',
  'noun.cognition',
  'noun.communication',
  'noun.event',
  'noun.feeling',
  'noun.food',
  'noun.group',
  'noun.location',
  'noun.motive',
  'noun.object',
  'noun.person',
  'noun.phenomenon',
  'noun.plant',
  'noun.possession',
  'noun.process',
  'noun.quantity',
  'noun.relation',
  'noun.shape',
  'noun.state',
  'noun.substance',
  'noun.time',
  'verb.body',
  'verb.change',
  'verb.cognition',
  'verb.communication',
  'verb.competition',
  'verb.consumption',
  'verb.contact',
  'verb.creation',
  'verb.emotion',
  'verb.motion',
  'verb.perception',
  'verb.possession',
  'verb.social',
  'verb.stative',
  'verb.weather',
  'adj.ppl',
] as const

/** Lexicographer files that say nothing of the subject. */
const general = new Set(['all', 'pert', 'ppl', 'Tops'])

/** The subject a lexicographer file stands for, such as `animal`. */
export const subjectOf = (lexfile: number): string | undefined => {
  const subject = lexicographerFiles[lexfile]?.split('.')[1]
  return subject === undefined || general.has(subject) ? undefined : subject
}

/** The syntactic markers of adjectives, as dictionaries print them. */
const markers: ReadonlyMap<string, string> = new Map([
  ['a', 'attributive'],
  ['p', 'predicative'],
  ['ip', 'postpositive'],
])

/** `lemma` has spaces for underscores and no marker, as written otherwise. */
export type SynsetWord = { readonly lemma: string; readonly lexId: number; readonly marker?: string }

/** `source` and `target` count words from 1; both are 0 when the pointer is one of whole synsets. */
export type Pointer = {
  readonly symbol: string
  readonly file: number
  readonly offset: number
  readonly source: number
  readonly target: number
}

export type Synset = {
  readonly offset: number
  readonly lexfile: number
  readonly type: string
  readonly words: readonly SynsetWord[]
  readonly pointers: readonly Pointer[]
  readonly gloss: string
}

const offsetPattern = /^\d{8}$/
const markerPattern = /\((a|p|ip)\)$/

const parseWord = (written: string, lexId: string): SynsetWord => {
  const marker = markerPattern.exec(written)
  const bare = marker ? written.slice(0, -marker[0].length) : written
  const label = marker?.[1] === undefined ? undefined : markers.get(marker[1])
  return {
    lemma: bare.replaceAll('_', ' ').normalize('NFC'),
    lexId: Number.parseInt(lexId, 16),
    ...defined({ marker: label }),
  }
}

/** One line of a data file, or what is wrong with it. */
export const parseSynset = (line: string): Synset | string => {
  const bar = line.indexOf(' | ')
  if (bar < 0) return 'The synset has no gloss.'
  const parts = line.slice(0, bar).split(' ')
  const [offset = '', lexfile = '', type = '', wordCount = ''] = parts
  if (!offsetPattern.test(offset)) return 'The line does not begin with a synset offset of eight digits.'
  if (!typeNumbers.has(type)) return `${JSON.stringify(type.slice(0, 20))} is not a synset type.`
  const lexname = Number(lexfile)
  if (lexicographerFiles[lexname] === undefined) return `There is no lexicographer file ${lexfile.slice(0, 20)}.`
  const count = Number.parseInt(wordCount, 16)
  const after = 4 + 2 * count
  const pointerCount = Number(parts[after])
  if (!(count > 0) || !Number.isInteger(pointerCount))
    return 'The synset does not say how many words or pointers it has.'
  if (parts.length < after + 1 + 4 * pointerCount) return 'The synset has fewer words or pointers than it says.'
  const words: SynsetWord[] = []
  for (let i = 4; i < after; i += 2) words.push(parseWord(parts[i] ?? '', parts[i + 1] ?? ''))
  if (words.some(word => word.lemma === '' || Number.isNaN(word.lexId))) return 'A word of the synset is not readable.'
  const pointers: Pointer[] = []
  for (let i = 0, at = after + 1; i < pointerCount; i += 1, at += 4) {
    const file = fileOfType.get(parts[at + 2] ?? '')
    const ends = parts[at + 3] ?? ''
    const pointer = {
      symbol: parts[at] ?? '',
      file: file ?? -1,
      offset: Number(parts[at + 1]),
      source: Number.parseInt(ends.slice(0, 2), 16),
      target: Number.parseInt(ends.slice(2), 16),
    }
    if (file === undefined || !offsetPattern.test(parts[at + 1] ?? '') || Number.isNaN(pointer.source + pointer.target))
      return `Pointer ${i + 1} of the synset is not readable.`
    pointers.push(pointer)
  }
  return { offset: Number(offset), lexfile: lexname, type, words, pointers, gloss: line.slice(bar + 3).trim() }
}

/** The sense key of a word: it stays the same when the database is built again, which offsets do not. */
export const senseKey = (
  word: { readonly lemma: string; readonly lexId: number },
  synset: { readonly type: string; readonly lexfile: number },
  head: { readonly lemma: string; readonly lexId: number } | undefined,
): string => {
  const two = (n: number) => String(n).padStart(2, '0')
  const low = (lemma: string) => lemma.toLowerCase().replaceAll(' ', '_')
  const satellite = head ? `${low(head.lemma)}:${two(head.lexId)}` : ':'
  return `${low(word.lemma)}%${typeNumbers.get(synset.type)}:${two(synset.lexfile)}:${two(word.lexId)}:${satellite}`
}

export type Gloss = {
  readonly definition: string
  readonly examples: readonly { readonly text: string; readonly reference?: string }[]
}

const firstExample = /(?:^|[;:,]\s*)"/
const trimSeparators = (text: string): string => withoutEnds(text, /[\s;,:]/)

/**
 * Splits a gloss into its definition and its examples, which stand in quotes after it; what follows the quotes with a
 * dash is where the example is from, any other text between them belongs to the definition.
 */
export const splitGloss = (gloss: string): Gloss => {
  const start = firstExample.exec(gloss)
  if (!start) return { definition: trimSeparators(gloss), examples: [] }
  const definitions = [trimSeparators(gloss.slice(0, start.index))]
  const examples: { text: string; reference?: string }[] = []
  const pieces = gloss.slice(start.index + start[0].length - 1).split('"')
  for (let i = 1; i < pieces.length; i += 2) {
    const text = (pieces[i] ?? '').trim()
    const rest = (pieces[i + 1] ?? '').trim()
    const dash = /^(?:--?|–|—)\s*([^;]+)/.exec(rest)
    const reference = dash?.[1]?.trim()
    if (text !== '') examples.push({ text, ...defined({ reference: reference ? reference : undefined }) })
    definitions.push(trimSeparators(dash ? rest.slice(dash[0].length) : rest))
  }
  const definition = definitions.filter(part => /[\p{L}\p{N}]/u.test(part)).join('; ')
  return definition === '' ? { definition: trimSeparators(gloss), examples: [] } : { definition, examples }
}
