/** Entries to try the interface with, each of another word: drafted by one token, or published by an editor's. */
import type { Api } from './api.ts'

export const openDrafts = (api: Api, { author, editor }: { readonly author: string; readonly editor: string }) => {
  let count = 0
  const word = (): string => {
    count += 1
    return `word${count}`
  }
  const drafted = async (more: Record<string, unknown> = {}, as = author) => {
    const body = { language: 'en', lemma: word(), partOfSpeech: 'noun', senses: [{ gloss: 'a thing' }], ...more }
    const made = await api('POST', '/v1/entries', { as, body })
    const { headers, json } = made
    return { ...made, path: headers.get('location') ?? '', etag: headers.get('etag') ?? '', id: json['id'] }
  }
  const published = async (more: Record<string, unknown> = {}) => {
    const draft = await drafted(more, editor)
    const { headers } = await api('POST', `${draft.path}/publish`, { as: editor, headers: { 'if-match': draft.etag } })
    return { ...draft, etag: headers.get('etag') ?? '', sync: headers.get('sync-token') ?? '' }
  }
  return { word, drafted, published }
}

/** Where a problem says that something is wrong. */
export const pointers = (json: Record<string, unknown>): readonly unknown[] =>
  Array.isArray(json['errors']) ? json['errors'].map(each => each.pointer) : []
