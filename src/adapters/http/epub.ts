/**
 * Books as EPUB 3.3: a ZIP of XHTML documents with a package document and a table of contents. It is streamed, chapter by chapter:
 * a story may be of hundreds of megabytes.
 */
import { strToU8, Zip, ZipDeflate, ZipPassThrough } from 'fflate'
import { element, emptyElement, escaped } from './markup.ts'

export const EPUB = 'application/epub+zip'

export type BookChapter = {
  readonly id: string
  readonly title: string
  /** Sanitised, with every element closed: it stands in XHTML as it is. */
  readonly html: string
}

export type Book = {
  /** A UUID. */
  readonly id: string
  readonly title: string
  /** BCP 47. */
  readonly language: string
  readonly authors: readonly string[]
  readonly summary?: string
  readonly tags: readonly string[]
  /** Of the last change (RFC 3339). */
  readonly updated: string
  /** In their order, before their texts are read. */
  readonly contents: readonly Pick<BookChapter, 'id' | 'title'>[]
}

// The earliest that a ZIP can say: the same story makes the same bytes wherever the machine's clock stands.
const ZIP_TIME = new Date(1980, 0, 1)
const XML = '<?xml version="1.0" encoding="utf-8"?>\n'
const OPS = 'http://www.idpf.org/2007/ops'
const XHTML = 'http://www.w3.org/1999/xhtml'

const CONTAINER = `${XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`

const fileOf = (id: string): string => `chapter-${id}.xhtml`

const packageOf = (book: Book): string => {
  const { id, title, language, authors, summary, tags, updated, contents } = book
  return [
    `${XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="${escaped(language)}">`,
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">',
    element('dc:identifier', `urn:uuid:${id}`, { id: 'id' }),
    element('dc:title', title),
    element('dc:language', language),
    ...authors.map(name => element('dc:creator', name)),
    ...(summary === undefined ? [] : [element('dc:description', summary)]),
    ...tags.map(tag => element('dc:subject', tag)),
    // To the second (EPUB 3.3, 5.5.4).
    element('meta', updated.replace(/\.\d+Z$/, 'Z'), { property: 'dcterms:modified' }),
    '</metadata>',
    '<manifest>',
    emptyElement('item', { id: 'nav', href: 'nav.xhtml', 'media-type': 'application/xhtml+xml', properties: 'nav' }),
    ...contents.map(chapter =>
      emptyElement('item', {
        id: `c-${chapter.id}`,
        href: fileOf(chapter.id),
        'media-type': 'application/xhtml+xml',
      }),
    ),
    '</manifest>',
    '<spine>',
    ...contents.map(chapter => emptyElement('itemref', { idref: `c-${chapter.id}` })),
    '</spine>',
    '</package>',
  ].join('\n')
}

const documentOf = ({ language, title }: { readonly language: string; readonly title: string }, body: string): string =>
  `${XML}<html xmlns="${XHTML}" xmlns:epub="${OPS}" lang="${escaped(language)}" xml:lang="${escaped(language)}"><head>${element('title', title)}</head><body>${body}</body></html>`

const contentsOf = ({ title, language, contents }: Book): string => {
  const items = contents.map(chapter => `<li>${element('a', chapter.title, { href: fileOf(chapter.id) })}</li>`)
  const list = `<nav epub:type="toc" id="toc">${element('h1', title)}<ol>${items.join('')}</ol></nav>`
  return documentOf({ language, title }, list)
}

const chapterOf = ({ language }: Book, { title, html }: BookChapter): string =>
  documentOf({ language, title }, `<section epub:type="chapter">${element('h1', title)}${html}</section>`)

/** The book's bytes, as they are made. @throws what `chapters` throws. */
export async function* epubOf(book: Book, chapters: AsyncIterable<BookChapter>): AsyncGenerator<Uint8Array> {
  const made: Uint8Array[] = []
  let failure: Error | undefined
  const zip = new Zip((error, bytes) => {
    if (error) failure = error
    else made.push(bytes)
  })
  const taken = (): readonly Uint8Array[] => {
    if (failure) throw failure
    return made.splice(0)
  }
  const add = (name: string, text: string): void => {
    const file = new ZipDeflate(name, { level: 6 })
    file.mtime = ZIP_TIME
    zip.add(file)
    file.push(strToU8(text), true)
  }
  // First, and stored as it is (OCF 3.3, 4.2.5): by these bytes the file is known for what it is.
  const type = new ZipPassThrough('mimetype')
  type.mtime = ZIP_TIME
  zip.add(type)
  type.push(strToU8(EPUB), true)
  add('META-INF/container.xml', CONTAINER)
  add('book/package.opf', packageOf(book))
  add('book/nav.xhtml', contentsOf(book))
  yield* taken()
  for await (const chapter of chapters) {
    add(`book/${fileOf(chapter.id)}`, chapterOf(book, chapter))
    yield* taken()
  }
  zip.end()
  yield* taken()
}
