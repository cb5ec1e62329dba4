/** Examples for the OpenAPI document. A test sends each of them, so they are true. */
import type { Json, JsonObject } from '../../domain/event.ts'
import { entryId } from '../../domain/ids.ts'

export const exampleIdentity = { language: 'en', lemma: 'serendipity', partOfSpeech: 'noun', homograph: 1 } as const
export const exampleId = entryId(exampleIdentity)
export const ofExample = { id: exampleId }
/** Makes the id of the event that the history's example names. */
export const exampleKey = { 'idempotency-key': 'example' }
export const anyRevision = { 'if-match': '*' }

const senseId = '0b8a5b1e-6f0c-5c1b-9d3e-2f6a7b8c9d0e'
const author = '5d9c68c6-c50e-5d3d-a2a5-1b2c3d4e5f60'
const gloss = 'the faculty of making fortunate discoveries by accident'

export const draftExample: JsonObject = {
  ...exampleIdentity,
  senses: [{ gloss, examples: [{ text: 'They found it by pure serendipity.' }] }],
  pronunciations: [{ ipa: 'ˌsɛɹənˈdɪpɪti' }],
}

export const entryExample = (status: string, revision: string): JsonObject => ({
  id: exampleId,
  ...exampleIdentity,
  status,
  variants: [],
  senses: [
    {
      id: senseId,
      gloss,
      labels: { register: [], region: [], domain: [] },
      examples: [{ text: 'They found it by pure serendipity.' }],
      relations: [],
      translations: [],
    },
  ],
  forms: [],
  pronunciations: [{ ipa: 'ˌsɛɹənˈdɪpɪti' }],
  categories: [],
  licence: 'CC-BY-SA-4.0',
  rank: 0,
  author,
  contributors: [author],
  revision,
  createdAt: '2026-11-23T10:00:00.000Z',
  updatedAt: '2026-11-23T10:00:00.000Z',
})

const published = entryExample('published', '2')

export const listExample: Json = { items: [published], next: null }

export const historyExample: Json = {
  items: [
    {
      revision: '2',
      type: 'EntryPublished',
      at: '2026-11-23T10:05:00.000Z',
      actor: { kind: 'service', id: author },
      status: 'published',
      differences: [{ pointer: '/status', before: 'submitted', after: 'published' }],
    },
  ],
  next: null,
}

export const searchExample: Json = {
  items: [
    {
      entry: published,
      matched: 'fuzzy',
      distance: 1,
      highlights: [{ pointer: '/lemma', text: 'serendipity', ranges: [{ start: 0, end: 11 }] }],
    },
  ],
  next: null,
  total: 1,
  totalRelation: 'eq',
}
