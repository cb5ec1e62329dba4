/** Atom and EPUB as they are written: well-formed whatever people wrote, and by the letter of their formats. */
import { unzipSync } from 'fflate'
import t from 'tap'
import { atomOf, type Feed } from '../../src/adapters/http/atom.ts'
import { type Book, type BookChapter, EPUB, epubOf } from '../../src/adapters/http/epub.ts'
import { elementsOf } from '../support/xml.ts'

const nasty = `</title><script>alert("1")</script> & 'q' ]]> \u{1f409}`
const id = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
const at = '2026-01-05T10:00:00.123Z'

const feed = (more: Partial<Feed> = {}): Feed => ({
  id,
  title: nasty,
  self: 'https://x.example/v1/tags/a%26b/feed?a=1&b=2',
  link: 'https://x.example/v1/stories',
  updated: at,
  entries: [
    { id, title: nasty, link: 'https://x.example/v1/stories/1', updated: at, authors: [nasty], tags: [nasty] },
    {
      id,
      title: 'Plain',
      link: '/x',
      published: at,
      updated: at,
      authors: [],
      summary: nasty,
      tags: [],
      language: 'es',
    },
  ],
  ...more,
})

t.test('the checker of tests tells what is no XML', async t => {
  for (const broken of [
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a>&nbsp;</a>',
    '<a b="1" b="2"/>',
    '<a>\u0001</a>',
    '<a b=1/>',
    'x',
  ])
    t.throws(() => elementsOf(broken), broken)
  t.strictSame(elementsOf('<?xml version="1.0"?><a><b c="&lt;"/>&#39;</a>'), ['a', 'b'])
})

t.test('a feed is well-formed, and has what RFC 4287 asks for', async t => {
  const text = atomOf(feed())
  const names = elementsOf(text)
  t.equal(names.filter(name => name === 'entry').length, 2)
  t.notOk(names.includes('script'), 'what people write is text')
  for (const [, entry = ''] of text.matchAll(/(<entry.*?<\/entry>)/gs)) {
    const within = elementsOf(entry)
    for (const needed of ['id', 'title', 'updated', 'author', 'name']) t.ok(within.includes(needed), needed)
  }
  t.match(text, `<id>urn:uuid:${id}</id>`)
  t.match(text, '<entry xml:lang="es">')
  t.match(text, '<author><name>Author not named</name></author>')
  t.match(text, 'href="https://x.example/v1/tags/a%26b/feed?a=1&amp;b=2"')
  elementsOf(atomOf(feed({ title: 'bell \u0007 half \ud800 none \uffff', entries: [] })))
})

const chapters: readonly BookChapter[] = [
  { id: 'c1', title: nasty, html: '<p>One &amp; <em>all</em><br /></p>' },
  { id: 'c2', title: 'Two', html: '<hr />' },
]
const book: Book = {
  id,
  title: nasty,
  language: 'en',
  authors: ['Ada', nasty],
  summary: nasty,
  tags: ['dragons'],
  updated: at,
  contents: chapters,
}
const bytesOf = async (from: Book, texts: readonly BookChapter[]): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  const read = async function* () {
    yield* texts
  }
  for await (const part of epubOf(from, read())) parts.push(part)
  return Buffer.concat(parts)
}

t.test('a book is a ZIP that begins with its type, and well-formed in every part', async t => {
  const bytes = await bytesOf(book, chapters)
  // A local file header: name at 30, then the content as it is.
  t.equal(Buffer.from(bytes.subarray(30, 30 + 8 + EPUB.length)).toString(), `mimetype${EPUB}`)
  t.equal(bytes[8], 0, 'stored, not compressed')
  t.strictSame([...bytes.subarray(10, 14)], [0, 0, 0x21, 0], 'as of 1980-01-01, whatever the clock says')
  const files = unzipSync(bytes)
  t.strictSame(Object.keys(files), [
    'mimetype',
    'META-INF/container.xml',
    'book/package.opf',
    'book/nav.xhtml',
    'book/chapter-c1.xhtml',
    'book/chapter-c2.xhtml',
  ])
  const textOf = (name: string): string => Buffer.from(files[name] ?? []).toString()
  for (const name of Object.keys(files).slice(1)) t.notOk(elementsOf(textOf(name)).includes('script'), name)
  const opf = textOf('book/package.opf')
  t.match(opf, '<meta property="dcterms:modified">2026-01-05T10:00:00Z</meta>')
  t.match(opf, '<spine>\n<itemref idref="c-c1"/>\n<itemref idref="c-c2"/>')
  t.match(opf, 'href="chapter-c2.xhtml"')
  t.match(textOf('book/nav.xhtml'), '<a href="chapter-c2.xhtml">Two</a>')
  t.match(textOf('book/chapter-c1.xhtml'), '<p>One &amp; <em>all</em><br /></p>')
  t.strictSame(await bytesOf(book, chapters), bytes, 'the same story makes the same book')
})

t.test('a chapter that cannot be read ends the book', async t => {
  const failing = async function* (): AsyncGenerator<BookChapter> {
    yield { id: 'c1', title: 'One', html: '' }
    throw new Error('away')
  }
  const read = async (): Promise<void> => {
    for await (const _ of epubOf(book, failing()));
  }
  await t.rejects(read(), { message: 'away' })
})
