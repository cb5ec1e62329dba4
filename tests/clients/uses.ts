/** What a program with a generated client writes; it has to compile against both. `tests/service/clients.test.ts` makes them. */
import { draftEntry, type Entry, readEvents, type SearchPage, searchEntries } from './generated/hey-api/index.js'
import type { components, paths } from './generated/openapi-typescript.js'

type Found = paths['/v1/search']['get']['responses'][200]['content']['application/json']
type Draft = NonNullable<paths['/v1/entries']['post']['requestBody']>['content']['application/json']
type Problem = components['schemas']['Problem']

export const starts = (found: Found): readonly number[] =>
  found.items.flatMap(item => item.highlights.flatMap(highlight => highlight.ranges.map(({ start }) => start)))

export const draft: Draft = {
  language: 'en',
  lemma: 'word',
  partOfSpeech: 'noun',
  senses: [{ gloss: 'a unit of language' }],
}

/** A part of speech is one of a closed list: were it any text, this would be false. */
export const isClosed: string extends Draft['partOfSpeech'] ? false : true = true

export const codesOf = ({ code, errors = [] }: Problem): readonly string[] => [code, ...errors.map(each => each.code)]

export const search = async (q: string): Promise<readonly number[]> => {
  const { data } = await searchEntries({ query: { q, in: ['lemma', 'definition'], limit: 5 } })
  const page: SearchPage | undefined = data
  const filling: number | undefined = page?.filling
  return [
    filling ?? 100,
    ...(page?.items ?? []).flatMap(each => each.highlights.flatMap(({ ranges }) => ranges.map(({ end }) => end))),
  ]
}

export const write = async (lemma: string): Promise<Entry['id'] | undefined> => {
  const { data } = await draftEntry({ body: { language: 'en', lemma, partOfSpeech: 'noun' } })
  return data && 'id' in data ? data.id : undefined
}

export const audited = async (): Promise<readonly string[]> => {
  const { data } = await readEvents({ query: { category: 'entry', order: 'asc' } })
  return typeof data === 'object' ? data.items.map(event => event.type) : []
}
