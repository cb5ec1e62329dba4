/** A search index that answers by brute force, and entries to be found in it. */
import { plan } from '../../src/core/project/planner.ts'
import type { Entry } from '../../src/domain/entry/entry.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import { compareKeysets, keysetOf, matches } from '../../src/ports/conditions.ts'
import type { Indexes, Query } from '../../src/ports/read-store.ts'
import { type SearchDocument, searchDocument, searchProjection } from '../../src/projections/search.ts'
import type { SearchIndex } from '../../src/queries/search-steps.ts'

/** An entry of one gloss and one form. */
export type Word = {
  readonly lemma: string
  readonly language: string
  readonly gloss: string
  readonly form: string
  readonly rank: number
}

const entryOf = ({ lemma, language, gloss, form, rank }: Word): Entry => ({
  language,
  lemma,
  partOfSpeech: 'noun',
  homograph: 1,
  status: 'published',
  licence: 'CC0-1.0',
  edited: true,
  rank,
  content: {
    variants: [],
    pronunciations: [],
    categories: [],
    forms: form === '' ? [] : [{ form, tags: [] }],
    senses: [
      {
        id: 's',
        gloss,
        labels: { register: [], region: [], domain: [] },
        examples: [],
        relations: [],
        translations: [],
      },
    ],
  },
  contributors: [],
  createdAt: '',
  updatedAt: '',
  removed: false,
})

export const documentsOf = (words: readonly Word[]): { id: string; body: SearchDocument }[] =>
  words.map((word, n) => ({ id: idOf(n), body: searchDocument(entryOf(word)) }))
export const idOf = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-5000-8000-000000000000`

type Held<D> = { readonly id: string; readonly body: D }

/** Answers by looking at every document. Every query is planned first, so that one without an index fails here. */
export const bruteForce = <D extends JsonObject>(documents: readonly Held<D>[], indexes: Indexes) => {
  const find = async (query: Query) => {
    plan(query, indexes)
    const found = documents
      .filter(({ body }) => query.where.every(condition => matches(body, condition)))
      .map(document => ({ document, key: keysetOf(query.order, document.id, document.body) }))
      .toSorted((a, b) => compareKeysets(query.order, a.key, b.key))
      .filter(({ key }) => query.after === undefined || compareKeysets(query.order, key, query.after) > 0)
    const page = found.slice(0, query.limit)
    return {
      documents: page.map(({ document }) => document),
      next: found.length > query.limit ? (page.at(-1)?.key ?? null) : null,
      examined: page.length,
    }
  }
  return {
    find,
    select: async (query: Query, members: readonly string[]) => {
      const page = await find(query)
      const rows = page.documents.map(({ id, body }) => {
        const document: JsonObject = body
        return { id, members: members.map(member => document[member] ?? null) }
      })
      return { ...page, documents: rows }
    },
    get: async (ids: readonly string[]) =>
      new Map(documents.filter(({ id }) => ids.includes(id)).map(document => [document.id, document])),
    count: async (query: Pick<Query, 'where' | 'order'>, limit: number) => {
      plan({ ...query, limit: 1 }, indexes)
      const counted = documents.filter(({ body }) => query.where.every(condition => matches(body, condition)))
      return Math.min(limit, counted.length)
    },
  }
}

export const indexOf = (documents: readonly Held<SearchDocument>[]): SearchIndex =>
  bruteForce(documents, searchProjection.indexes)
