/** Atom feeds (RFC 4287). */
import { element, emptyElement } from './markup.ts'

export const ATOM = 'application/atom+xml; charset=utf-8'

/** `id`: a UUID, which stays whatever the address becomes. Times are RFC 3339; `authors` display names. */
export type FeedEntry = {
  readonly id: string
  readonly title: string
  readonly link: string
  readonly published?: string
  readonly updated: string
  readonly authors: readonly string[]
  readonly summary?: string
  readonly tags: readonly string[]
  /** BCP 47. */
  readonly language?: string
}

export type Feed = {
  readonly id: string
  readonly title: string
  /** Its own address, and that of what it is about. */
  readonly self: string
  readonly link: string
  readonly updated: string
  readonly entries: readonly FeedEntry[]
}

const urn = (id: string): string => `urn:uuid:${id}`
/** Every entry has an author (4.1.2): where nobody is named, it is said so. */
const NOBODY = 'Author not named'

const entryOf = ({ id, title, link, published, updated, authors, summary, tags, language }: FeedEntry): string =>
  [
    language === undefined ? '<entry>' : `<entry xml:lang="${language}">`,
    element('id', urn(id)),
    element('title', title),
    emptyElement('link', { rel: 'alternate', type: 'application/json', href: link }),
    ...(published === undefined ? [] : [element('published', published)]),
    element('updated', updated),
    ...(authors.length > 0 ? authors : [NOBODY]).map(name => `<author>${element('name', name)}</author>`),
    ...(summary === undefined ? [] : [element('summary', summary)]),
    ...tags.map(term => emptyElement('category', { term })),
    '</entry>',
  ].join('')

export const atomOf = ({ id, title, self, link, updated, entries }: Feed): string =>
  [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    element('id', urn(id)),
    element('title', title),
    emptyElement('link', { rel: 'self', type: 'application/atom+xml', href: self }),
    emptyElement('link', { rel: 'alternate', type: 'application/json', href: link }),
    element('updated', updated),
    ...entries.map(entryOf),
    '</feed>',
  ].join('\n')
