/**
 * What has to be known of all of WordNet before its first entry can be written: the words of each synset, so that
 * relations resolve in one pass, and where each synset's line is. Texts and pointers stay in the files.
 */
import { join } from 'node:path'
import type { SourceItem } from '../../domain/entry/import.ts'
import { entryId, importedSenseId } from '../../domain/ids.ts'
import { readLines } from './lines.ts'
import { fileNumber, parseSynset, partOfSpeechOf, senseKey, wordnetFiles } from './wordnet-format.ts'

/** Synsets and words by number: `synsets.first[s]` is the first word of synset s, and `first[s + 1]` the end of its words. */
export type Lexicon = {
  readonly synsets: {
    readonly file: number[]
    readonly line: number[]
    readonly start: number[]
    readonly length: number[]
    readonly first: number[]
  }
  /** The synset of a pointer, if there is one. */
  find(file: number, offset: number): number | undefined
  /** True for an offset whose line was faulty and has been reported. */
  isBroken(file: number, offset: number): boolean
  lemma(word: number): string
  /** Id of the entry, and of its sense, that a word of a synset is. */
  entryOf(word: number): string
  senseOf(word: number): string
  readonly language: string
}

/** Offsets have eight digits: file and offset make one safe integer. */
const place = (file: number, offset: number): number => file * 1e8 + offset

/**
 * The same text in one piece of its own. A slice keeps the whole line alive that it was cut from, and a text joined from
 * parts keeps the parts: kept by the hundred thousand, that is ten times the memory.
 */
const flat = (text: string): string => Buffer.from(text, 'utf8').toString('utf8')

/** Reads the data files once. Faulty lines are reported through `onFault`. */
export const readLexicon = async (
  dir: string,
  onFault: (fault: SourceItem) => void,
  signal?: AbortSignal,
): Promise<Lexicon> => {
  const file: number[] = []
  const line: number[] = []
  const start: number[] = []
  const length: number[] = []
  const first: number[] = []
  const heads: number[] = []
  const types: string[] = []
  const lexfiles: number[] = []
  const lemmas: string[] = []
  const lexIds: number[] = []
  const synsetOf: number[] = []
  const byPlace = new Map<number, number>()
  const broken = new Set<number>()
  const shared = new Map<string, string>()

  for (const [number, name] of wordnetFiles.entries())
    for await (const lines of readLines(join(dir, `data.${name}`), signal))
      for (const each of lines) {
        const fault = (reason: string) => onFault({ kind: 'fault', file: `data.${name}`, line: each.line, reason })
        if (!('text' in each)) {
          fault(each.fault)
          continue
        }
        if (each.text.startsWith('  ') || each.text === '') continue
        const synset = parseSynset(each.text)
        const misplaced = typeof synset !== 'string' && fileNumber(synset.type) !== number
        if (typeof synset === 'string' || misplaced || byPlace.has(place(number, synset.offset))) {
          const offset = Number(each.text.slice(0, 8))
          if (typeof synset === 'string' || misplaced) broken.add(place(number, offset))
          fault(
            typeof synset === 'string'
              ? synset
              : misplaced
                ? `A synset of type ${synset.type} does not belong in this file.`
                : 'Another synset has the same offset.',
          )
          continue
        }
        const index = file.length
        byPlace.set(place(number, synset.offset), index)
        file.push(number)
        line.push(each.line)
        start.push(each.offset)
        length.push(each.length)
        first.push(lemmas.length)
        types.push(synset.type)
        lexfiles.push(synset.lexfile)
        const head = synset.type === 's' ? synset.pointers.find(pointer => pointer.symbol === '&') : undefined
        heads.push(head ? place(head.file, head.offset) : -1)
        for (const word of synset.words) {
          let lemma = shared.get(word.lemma)
          if (lemma === undefined) {
            lemma = flat(word.lemma)
            shared.set(lemma, lemma)
          }
          lemmas.push(lemma)
          lexIds.push(word.lexId)
          synsetOf.push(index)
        }
      }
  first.push(lemmas.length)
  shared.clear()

  const language = 'en'
  const entryIds: (string | undefined)[] = new Array(lemmas.length)
  const senseIds: (string | undefined)[] = new Array(lemmas.length)
  const wordAt = (word: number | undefined) =>
    word === undefined ? undefined : { lemma: lemmas[word] ?? '', lexId: lexIds[word] ?? 0 }

  const entryOf = (word: number): string => {
    const known = entryIds[word]
    if (known !== undefined) return known
    const name = wordnetFiles[file[synsetOf[word] ?? 0] ?? 0] ?? 'noun'
    const identity = { language, lemma: lemmas[word] ?? '', partOfSpeech: partOfSpeechOf[name], homograph: 1 }
    const id = flat(entryId(identity))
    entryIds[word] = id
    return id
  }
  const senseOf = (word: number): string => {
    const known = senseIds[word]
    if (known !== undefined) return known
    const synset = synsetOf[word] ?? 0
    const head = byPlace.get(heads[synset] ?? -1)
    const key = senseKey(
      { lemma: lemmas[word] ?? '', lexId: lexIds[word] ?? 0 },
      { type: types[synset] ?? 'n', lexfile: lexfiles[synset] ?? 0 },
      head === undefined ? undefined : wordAt(first[head]),
    )
    const id = flat(importedSenseId(entryOf(word), key))
    senseIds[word] = id
    return id
  }

  return {
    synsets: { file, line, start, length, first },
    find: (number, offset) => byPlace.get(place(number, offset)),
    isBroken: (number, offset) => broken.has(place(number, offset)),
    lemma: word => lemmas[word] ?? '',
    entryOf,
    senseOf,
    language,
  }
}
