/** WordNet in its own database format (WNDB), from a folder with data.*, index.* and, where present, tag counts and *.exc. */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { EntrySense } from '../../domain/entry/content.ts'
import type { SourceItem } from '../../domain/entry/import.ts'
import { type Line, readLines } from './lines.ts'
import { type Reading, type Source, SourceError } from './source.ts'
import { lexicographerFiles, parseSynset, partOfSpeechOf, type WordnetFile, wordnetFiles } from './wordnet-format.ts'
import { type Lexicon, readLexicon } from './wordnet-lexicon.ts'
import { senseOf } from './wordnet-senses.ts'
import { type Exceptions, readExceptions, readTagCounts, type TagCounts } from './wordnet-tables.ts'

/** What WordNet's licence is called. */
const LICENCE = 'WordNet'

const exists = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  )

/** The version stands in the licence at the head of every file. */
const versionOf = async (dir: string): Promise<string> => {
  for await (const lines of readLines(join(dir, 'data.noun'))) {
    for (const line of lines) {
      const found = 'text' in line ? /WordNet (\d+(?:\.\d+)*) Copyright/.exec(line.text) : undefined
      if (found?.[1] !== undefined) return found[1]
    }
    break
  }
  throw new SourceError(`${join(dir, 'data.noun')} does not say which WordNet it is; its first lines are the licence.`)
}

/** The offsets of a line of an index file in the order of the senses, or undefined when the line is not of that form. */
const parseIndex = (text: string): { readonly lemma: string; readonly offsets: readonly number[] } | undefined => {
  const parts = text.trimEnd().split(' ')
  const count = Number(parts[2])
  const pointers = Number(parts[3])
  if (!(count > 0) || parts.length !== 6 + pointers + count) return undefined
  const offsets = parts.slice(-count).map(Number)
  const [lemma = ''] = parts
  return offsets.some(Number.isNaN) || lemma === '' ? undefined : { lemma, offsets }
}

type Tables = { readonly lexicon: Lexicon; readonly tags: TagCounts; readonly exceptions: Exceptions }

/** A place in the index, and the line itself. */
type IndexLine = { readonly file: WordnetFile; readonly line: number; readonly text: string }

type Found = { readonly synset: number; readonly nth: number; readonly rank: number }

/** The words of an index line by their lemma as written: each is an entry of its own. */
const gather = (tables: Tables, { file }: IndexLine, lemma: string, offsets: readonly number[]) => {
  const { lexicon, tags } = tables
  const low = lemma.replaceAll('_', ' ').toLowerCase()
  const entries = new Map<string, Found[]>()
  const missing: number[] = []
  const number = wordnetFiles.indexOf(file)
  for (const [i, offset] of offsets.entries()) {
    const synset = lexicon.find(number, offset)
    if (synset === undefined) {
      if (!lexicon.isBroken(number, offset)) missing.push(offset)
      continue
    }
    const rank = tags.of(file, lemma, i + 1)
    const first = lexicon.synsets.first[synset] ?? 0
    const end = lexicon.synsets.first[synset + 1] ?? first
    let found = false
    for (let word = first; word < end; word += 1) {
      const written = lexicon.lemma(word)
      if (written.toLowerCase() !== low) continue
      found = true
      const senses = entries.get(written)
      if (!senses) entries.set(written, [{ synset, nth: word - first, rank }])
      else if (!senses.some(sense => sense.synset === synset)) senses.push({ synset, nth: word - first, rank })
    }
    if (!found) missing.push(offset)
  }
  return { entries, missing }
}

/** Opens a folder of WordNet. @throws {SourceError} when it is none. */
export const openWordnet = async (dir: string, options: { readonly signal?: AbortSignal } = {}): Promise<Source> => {
  const { signal } = options
  const needed = wordnetFiles.flatMap(file => [`data.${file}`, `index.${file}`])
  for (const file of needed)
    if (!(await exists(join(dir, file)))) throw new SourceError(`${dir} has no ${file}: it is no folder of WordNet.`)
  const name = `wordnet-${await versionOf(dir)}`
  let total = 0
  for (const file of wordnetFiles) total += (await stat(join(dir, `index.${file}`))).size
  let done = 0
  const descriptors: number[] = []

  /**
   * Parsed again from its line where it is used: all synsets at once would not fit the memory. Read synchronously, since
   * the pages are in the system's cache by then: 3 us a line, and a thread's round trip is ten times that.
   */
  const synsetReader = (lexicon: Lexicon) => {
    let buffer = Buffer.allocUnsafe(16_384)
    return (synset: number) => {
      const { file, start, length } = lexicon.synsets
      const bytes = length[synset] ?? 0
      if (buffer.length < bytes) buffer = Buffer.allocUnsafe(bytes)
      readSync(descriptors[file[synset] ?? 0] ?? -1, buffer, 0, bytes, start[synset] ?? 0)
      return parseSynset(buffer.toString('utf8', 0, bytes))
    }
  }

  /** What one line of an index comes to: an entry for each way in which its lemma is written. */
  function* entriesOf(tables: Tables, read: ReturnType<typeof synsetReader>, index: IndexLine): Generator<SourceItem> {
    const { lexicon, exceptions } = tables
    const { file, line, text } = index
    const at = { file: `index.${file}`, line }
    const parsed = parseIndex(text)
    if (!parsed) {
      yield { kind: 'fault', ...at, reason: 'The line is not of an index: lemma, part of speech, counts, offsets.' }
      return
    }
    const { entries, missing } = gather(tables, index, parsed.lemma, parsed.offsets)
    for (const offset of missing)
      yield { kind: 'fault', ...at, reason: `Synset ${offset} is not there or does not have the word.` }
    const faults: SourceItem[] = []
    for (const [lemma, found] of entries) {
      const senses: EntrySense[] = []
      const categories = new Set<string>()
      for (const { synset, nth } of found) {
        const parsedSynset = read(synset)
        if (typeof parsedSynset === 'string') continue
        const place = { file: `data.${file}`, line: lexicon.synsets.line[synset] ?? 0 }
        senses.push(
          senseOf(lexicon, synset, parsedSynset, nth, reason => faults.push({ kind: 'fault', ...place, reason })),
        )
        categories.add(lexicographerFiles[parsedSynset.lexfile] ?? '')
      }
      yield {
        kind: 'record',
        ...at,
        record: {
          identity: { language: lexicon.language, lemma, partOfSpeech: partOfSpeechOf[file], homograph: 1 },
          content: {
            variants: [],
            senses,
            forms: exceptions(file, lemma),
            pronunciations: [],
            categories: [...categories],
          },
          rank: found.reduce((sum, { rank }) => sum + rank, 0),
          licence: LICENCE,
          source: name,
        },
      }
    }
    yield* faults
  }

  /** The lines of the index files that are no licence, a file after another, each with how often its lemma is used. */
  async function* indexLines({ tags }: Tables): AsyncGenerator<Line & { file: WordnetFile; used: number }> {
    for (const file of wordnetFiles)
      for await (const lines of readLines(join(dir, `index.${file}`), signal))
        for (const line of lines) {
          if (!('text' in line)) yield { ...line, file, used: 0 }
          else if (!line.text.startsWith('  ') && line.text !== '')
            yield { ...line, file, used: tags.total(file, line.text.slice(0, line.text.indexOf(' '))) }
        }
  }

  /** The most used words first: who looks while they are written finds what most people look for. */
  async function* items(): AsyncGenerator<SourceItem> {
    const faults: SourceItem[] = []
    const lexicon = await readLexicon(dir, fault => faults.push(fault), signal)
    yield* faults.splice(0)
    const tables = { lexicon, tags: await readTagCounts(dir), exceptions: await readExceptions(dir) }
    for (const file of wordnetFiles) descriptors.push(openSync(join(dir, `data.${file}`), 'r'))
    const read = synsetReader(lexicon)
    // One lemma in six is tagged at all: some megabytes.
    const used: (IndexLine & { readonly length: number; readonly used: number })[] = []
    for await (const line of indexLines(tables)) if ('text' in line && line.used > 0) used.push(line)
    for (const line of used.splice(0).toSorted((a, b) => b.used - a.used)) {
      done += line.length + 1
      yield* entriesOf(tables, read, line)
    }
    for await (const line of indexLines(tables)) {
      if (line.used > 0) continue
      done += line.length + 1
      if ('text' in line) yield* entriesOf(tables, read, line)
      else yield { kind: 'fault', file: `index.${line.file}`, line: line.line, reason: line.fault }
    }
    done = total
  }

  return {
    name,
    licence: LICENCE,
    items: items(),
    reading: (): Reading => ({ done, total }),
    close: async () => {
      for (const descriptor of descriptors.splice(0)) closeSync(descriptor)
    },
  }
}
