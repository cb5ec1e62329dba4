/** A search index that answers by brute force, and entries to be found in it. */
import { plan } from '../../src/core/project/planner.ts'
import type { Entry } from '../../src/domain/entry/entry.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import { compareKeysets, keysetOf, matches } from '../../src/ports/conditions.ts'
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

/** Answers by looking at every document. Every query is planned first, so that one without an index fails here. */
export const indexOf = (documents: { id: string; body: SearchDocument }[]): SearchIndex => ({
  find: async query => {
    plan(query, searchProjection.indexes)
    const found = documents
      .filter(({ body }) => query.where.every(condition => matches(body, condition)))
      .map(document => ({ document, key: keysetOf(query.order, document.id, document.body) }))
      .toSorted((a, b) => compareKeysets(query.order, a.key, b.key))
      .filter(({ key }) => query.after === undefined || compareKeysets(query.order, key, query.after) > 0)
    const page = found.slice(0, query.limit)
    return {
      documents: page.map(each => each.document),
      next: found.length > query.limit ? (page.at(-1)?.key ?? null) : null,
      examined: page.length,
    }
  },
  select: async (query, members) => {
    const page = await indexOf(documents).find(query)
    const rows = page.documents.map(({ id, body }) => {
      const document: JsonObject = body
      return { id, members: members.map(member => document[member] ?? null) }
    })
    return { ...page, documents: rows }
  },
  get: async ids => new Map(documents.filter(each => ids.includes(each.id)).map(each => [each.id, each])),
  count: async (query, limit) => {
    plan({ ...query, limit: 1 }, searchProjection.indexes)
    return Math.min(
      limit,
      documents.filter(({ body }) => query.where.every(condition => matches(body, condition))).length,
    )
  },
})
