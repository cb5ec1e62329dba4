/** From a synset's line to the sense that one of its words has: gloss, examples, labels and relations with their ids. */
import { type EntrySense, relationKinds } from '../../domain/entry/content.ts'
import { type Pointer, type Synset, splitGloss, subjectOf } from './wordnet-format.ts'
import type { Lexicon } from './wordnet-lexicon.ts'

type RelationKind = (typeof relationKinds)[number]
type Relation = EntrySense['relations'][number]

/** Pointer symbols of wninput(5WN). Verb groups, similar adjectives, attributes, causes and entailments are "see also". */
const kinds: ReadonlyMap<string, RelationKind> = new Map([
  ['!', 'antonym'],
  ['@', 'hypernym'],
  ['@i', 'hypernym'],
  ['~', 'hyponym'],
  ['~i', 'hyponym'],
  ['#m', 'holonym'],
  ['#s', 'holonym'],
  ['#p', 'holonym'],
  ['%m', 'meronym'],
  ['%s', 'meronym'],
  ['%p', 'meronym'],
  ['+', 'derived'],
  ['\\', 'derived'],
  ['<', 'derived'],
  ['=', 'see-also'],
  ['*', 'see-also'],
  ['>', 'see-also'],
  ['^', 'see-also'],
  ['$', 'see-also'],
  ['&', 'see-also'],
])

/** The domain of a synset becomes a label. */
const labelled: ReadonlyMap<string, 'domain' | 'region' | 'register'> = new Map([
  [';c', 'domain'],
  [';r', 'region'],
  [';u', 'register'],
])

/** The other end of a label: the members carry it already, and a domain such as "trade name" has more than fit. */
const inverse = new Set(['-c', '-r', '-u'])

/** How many relations one sense may have: the schema's limit. */
const MAX_RELATIONS = 1000

const targetOf = (lexicon: Lexicon, pointer: Pointer): number | undefined => {
  const synset = lexicon.find(pointer.file, pointer.offset)
  if (synset === undefined) return undefined
  const first = lexicon.synsets.first[synset] ?? 0
  const end = lexicon.synsets.first[synset + 1] ?? first
  const word = first + Math.max(pointer.target, 1) - 1
  return word < end ? word : undefined
}

/** The sense of word `nth` (from 0) of synset `index`, whose line has been parsed. */
export const senseOf = (
  lexicon: Lexicon,
  index: number,
  synset: Synset,
  nth: number,
  onFault: (reason: string) => void,
): EntrySense => {
  const first = lexicon.synsets.first[index] ?? 0
  const { definition, examples } = splitGloss(synset.gloss)
  const labels: { register: string[]; region: string[]; domain: string[] } = { register: [], region: [], domain: [] }
  const marker = synset.words[nth]?.marker
  if (marker !== undefined) labels.register.push(marker)
  const subject = subjectOf(synset.lexfile)
  if (subject !== undefined) labels.domain.push(subject)

  const relations: Relation[] = []
  const seen = new Set<number>()
  const relate = (kind: RelationKind, word: number) => {
    const pair = word * relationKinds.length + relationKinds.indexOf(kind)
    if (seen.has(pair)) return
    seen.add(pair)
    relations.push({ kind, text: lexicon.lemma(word), entryId: lexicon.entryOf(word), senseId: lexicon.senseOf(word) })
  }
  for (let other = 0; other < synset.words.length; other += 1) if (other !== nth) relate('synonym', first + other)
  for (const pointer of synset.pointers) {
    if (pointer.source !== 0 && pointer.source !== nth + 1) continue
    if (inverse.has(pointer.symbol)) continue
    const kind = kinds.get(pointer.symbol)
    const label = labelled.get(pointer.symbol)
    if (kind === undefined && label === undefined) {
      onFault(`${JSON.stringify(pointer.symbol.slice(0, 20))} is not a pointer symbol.`)
      continue
    }
    const target = targetOf(lexicon, pointer)
    if (target === undefined) {
      if (!lexicon.isBroken(pointer.file, pointer.offset))
        onFault(`A pointer leads to word ${pointer.target} of synset ${pointer.offset}, which is not there.`)
      continue
    }
    if (kind !== undefined) relate(kind, target)
    else if (label !== undefined && !labels[label].includes(lexicon.lemma(target)))
      labels[label].push(lexicon.lemma(target))
  }
  if (relations.length > MAX_RELATIONS)
    onFault(`The sense has ${relations.length} relations; the first ${MAX_RELATIONS} are kept.`)
  return {
    id: lexicon.senseOf(first + nth),
    gloss: definition,
    labels,
    examples: examples.map(each => ({ ...each })),
    relations: relations.slice(0, MAX_RELATIONS),
    translations: [],
  }
}
