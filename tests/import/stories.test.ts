/** Stories from files: once each, by the commands that people give, and nothing of what is hostile. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { strToU8, type Zippable, zipSync } from 'fflate'
import t from 'tap'
import type { ImportFault, StoryImportOptions, StoryImportReport } from '../../src/adapters/cli/app-port.ts'
import { SourceError } from '../../src/adapters/import/source.ts'
import { MOST_INFLATED } from '../../src/adapters/import/zip.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const ada = await signIn({ app, api, folder }, 'ada', 'contributor')
const eve = await signIn({ app, api, folder }, 'eve', 'contributor')
const { must, read } = openFollowing(api)

const said: string[] = []
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const lines = (name: string, stories: readonly object[]): string =>
  file(name, stories.map(story => `${JSON.stringify(story)}\n`).join(''))
const given = (more: Partial<StoryImportOptions> = {}): StoryImportOptions => {
  const say = (what: string) => (fault: ImportFault) => said.push(`${what} ${fault.line}: ${fault.reason}`)
  return {
    author: ada.id,
    isPublished: false,
    strict: false,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onFault: say('wrong'),
    onKept: say('kept'),
    ...more,
  }
}
const load = async (path: string, more: Partial<StoryImportOptions> = {}): Promise<StoryImportReport> => {
  said.length = 0
  const done = await app.program.importStories(path, given(more))
  if (isRefusal(done)) throw new Error(done.detail)
  return done
}
const countsOf = ({ written, unchanged, kept, faults }: StoryImportReport): readonly number[] => [
  written,
  unchanged,
  kept,
  faults,
]
type Story = { readonly id: string; readonly title: string; readonly words: number; readonly revision: string }
/** What the import has written beside the service is seen by who has seen what was written after it. */
let isMore = false
const caughtUp = async (): Promise<void> => {
  isMore = !isMore
  const body = { adult: isMore }
  must(await api('PATCH', '/v1/me/preferences', { as: ada.token, body, headers: { 'if-match': '*' } }))
}
const own = async (): Promise<readonly Story[]> => {
  await caughtUp()
  const { json } = await read('/v1/me/stories?limit=100', ada.token)
  return Array.isArray(json['items']) ? json['items'] : []
}
const named = async (title: string): Promise<Story> => {
  const found = (await own()).filter(story => story.title === title)
  t.equal(found.length, 1, title)
  const [story] = found
  if (!story) throw new Error(`there is no ${title}`)
  return story
}
const chaptersOf = async ({ id }: Story): Promise<readonly { readonly id: string; readonly title: string }[]> => {
  const { json } = await read(`/v1/stories/${id}/chapters`, ada.token)
  return Array.isArray(json['items']) ? json['items'] : []
}

const chapters = [
  { id: 'a', title: 'One', text: 'It was *calm* at sea.', note: 'At first.' },
  { id: 'b', title: 'Two', text: 'Then it was not.' },
]
const sea = {
  id: 'sea',
  language: 'en',
  title: 'The Sea',
  summary: 'Of the sea.',
  tags: ['Sea'],
  visibility: 'public',
  published: true,
  completed: true,
  chapters,
}

t.test('lines of stories become stories, and become them once', async t => {
  const path = lines('sea.ndjson', [
    sea,
    { language: 'de', title: 'Entwurf', chapters: [{ title: 'Eins', text: 'x' }] },
  ])
  t.same(countsOf(await load(path)), [2, 0, 0, 0])
  const story = await named('The Sea')
  t.match(story, { published: true, completed: true, tags: ['Sea'], chapters: 2, authors: [ada.id] })
  const [first] = await chaptersOf(story)
  t.match((await read(`/v1/stories/${story.id}/chapters/${first?.id}`)).json, {
    text: chapters[0]?.text,
    note: 'At first.',
  })
  t.match(await named('Entwurf'), { published: false, visibility: 'private', drafts: 1 })
  t.same(countsOf(await load(path)), [0, 2, 0, 0])
  t.same((await named('The Sea')).revision, story.revision, 'nothing was written')
  t.same(countsOf(await load(path, { author: eve.id })), [2, 0, 0, 0], 'of another author they are others')
})

t.test('what people have made of it since stays', async t => {
  const path = lines('kept.ndjson', [{ ...sea, id: 'kept', title: 'Kept' }])
  await load(path)
  const story = await named('Kept')
  const [first, second] = await chaptersOf(story)
  const at = `/v1/stories/${story.id}/chapters/`
  const write = (method: string, to: string, body: object) =>
    api(method, to, { as: ada.token, body, headers: { 'if-match': '*' } })
  must(await write('PUT', `${at}${first?.id}/draft`, { title: 'One', text: 'It was stormy at sea.' }))
  must(await write('POST', `${at}${first?.id}/publish`, {}))
  t.same(countsOf(await load(path)), [0, 0, 1, 0])
  t.same(said, ['kept 1: The story is not as the source has it: it was edited since, here or there.'])
  t.match((await read(`${at}${first?.id}`)).json, { text: 'It was stormy at sea.' })
  must(await write('DELETE', `${at}${second?.id}`, {}))
  must(await write('POST', `/v1/stories/${story.id}/unpublish`, {}))
  t.same(countsOf(await load(path)), [0, 0, 1, 0], 'nothing comes back')
  t.match(await named('Kept'), { published: false })
  must(await write('DELETE', `/v1/stories/${story.id}`, {}))
  t.same(countsOf(await load(path)), [0, 0, 1, 0])
  t.same(
    (await own()).filter(({ title }) => title === 'Kept'),
    [],
  )
})

t.test('a chapter that is new in the source is added', async t => {
  const record = { ...sea, id: 'grown', title: 'Grown', chapters: chapters.slice(0, 1) }
  await load(lines('grown.ndjson', [record]))
  t.same(countsOf(await load(lines('grown.ndjson', [{ ...record, chapters }]))), [1, 0, 0, 0])
  t.match(await named('Grown'), { chapters: 2 })
})

t.test('what broke off at any step is completed', async t => {
  const record = { ...sea, id: 'broken', title: 'Broken' }
  const path = lines('broken.ndjson', [record])
  // As a killed import leaves it: the story, and nothing of its chapters.
  await load(lines('begun.ndjson', [{ ...record, published: false, completed: false, chapters: [] }]))
  t.match(await named('Broken'), { published: false, chapters: 0 })
  t.same(countsOf(await load(path)), [1, 0, 0, 0])
  t.match(await named('Broken'), { published: true, completed: true, chapters: 2 })
  t.same(countsOf(await load(path)), [0, 1, 0, 0])
})

t.test('what is wrong is named with all that is wrong, and nothing of it written', async t => {
  const before = (await own()).length
  const bad = [
    { ...sea, id: 'x', title: 'x'.repeat(256), language: 'english', tags: Array.from({ length: 76 }, String) },
    {
      ...sea,
      id: 'y',
      chapters: [
        { title: '', text: '\ud800' },
        { title: 'Two', text: 'short' },
      ],
    },
    { ...sea, id: 'z', chapters: [] },
    { ...sea, id: 'd', chapters: [chapters[0], chapters[0]] },
    { ...sea, id: 'q', chapters: [{ title: 'Deep', text: '>'.repeat(10_000) }] },
    { language: 'en' },
  ]
  const path = file('bad.ndjson', `${bad.map(each => JSON.stringify(each)).join('\n')}\n{"a"\n${'['.repeat(20)}\n`)
  const done = await load(path)
  t.same([countsOf(done), done.complete], [[0, 0, 0, 8], false])
  for (const part of ['/language', '/title', '/tags', '/chapters/0/title', '/chapters/0/text', '/chapters/1/text'])
    t.ok(
      said.some(line => line.includes(part)),
      part,
    )
  t.match(said.at(-2), 'The line is not JSON.')
  t.match(said.at(-1), 'deeper than 8 levels')
  t.equal((await own()).length, before)
  t.same(
    countsOf(
      await load(
        lines('twice.ndjson', [
          { ...sea, id: 'tw', title: 'Tw' },
          { ...sea, id: 'tw' },
        ]),
      ),
    ),
    [1, 0, 0, 1],
  )
  const strict = await load(path, { strict: true })
  t.same([countsOf(strict), strict.complete], [[0, 0, 0, 1], false])
})

t.test('an author has to be there', async t => {
  const path = lines('nobody.ndjson', [sea])
  for (const author of ['nobody', '00000000-0000-4000-8000-000000000000'])
    t.match(await app.program.importStories(path, given({ author })), { refused: 'account-not-found' })
  await t.rejects(app.program.importStories(join(folder, 'absent'), given()), SourceError)
  await t.rejects(
    app.program.importStories(file('empty.ndjson', ''), given()),
    new SourceError(`${join(folder, 'empty.ndjson')} is empty.`),
  )
})

t.test('what the service exports comes in again', async t => {
  const text = '## A heading\n\nIt was *calm*, and **so** on.\n\n* one\n* two\n\n> `x` & <y>\n\n```\n## code\n```'
  const record = {
    ...sea,
    id: 'out',
    title: 'Out & *About*',
    chapters: [
      { title: 'Ein <1>', text },
      { title: 'B', text: `${text}\n\nEnd.` },
    ],
  }
  await load(lines('out.ndjson', [record]))
  const story = await named('Out & *About*')
  const bytes = async (format: string): Promise<Uint8Array> =>
    new Uint8Array(await (await fetch(`${app.url}/v1/stories/${story.id}/export?format=${format}`)).arrayBuffer())
  const original = await chaptersOf(story)
  const shown = async (of: Story) => {
    const list = await chaptersOf(of)
    const found: unknown[] = []
    for (const { id } of list) {
      const { json } = await read(`/v1/stories/${of.id}/chapters/${id}`, eve.token)
      found.push([json['title'], String(json['html']).replaceAll(/\s+/g, ' '), json['text']])
    }
    return found
  }
  t.equal(original.length, 2)
  const html = (all: readonly unknown[]) => all.map(each => (Array.isArray(each) ? each.slice(0, 2) : each))
  const copyOf = async (path: string, more: Partial<StoryImportOptions>): Promise<Story> => {
    t.same(
      countsOf(await load(path, { author: eve.id, visibility: 'unlisted', isPublished: true, ...more })),
      [1, 0, 0, 0],
      path,
    )
    await caughtUp()
    const { json } = await read('/v1/me/stories?limit=100', eve.token)
    const items: readonly Story[] = Array.isArray(json['items']) ? json['items'] : []
    const [copy] = items.filter(({ title }) => title === 'Out & *About*')
    if (!copy) throw new Error('it did not come')
    return copy
  }
  const epub = file('out.epub', await bytes('epub'))
  const book = await copyOf(epub, {})
  t.match(book, { summary: 'Of the sea.', tags: ['Sea'], language: 'en' })
  t.same(html(await shown(book)), html(await shown(story)), 'as a book: the same HTML')
  t.same(countsOf(await load(epub, { author: eve.id, visibility: 'unlisted', isPublished: true })), [0, 1, 0, 0])
  must(await api('DELETE', `/v1/stories/${book.id}`, { as: eve.token }))
  const markdown = await copyOf(file('out.md', await bytes('markdown')), { language: 'en' })
  t.same(await shown(markdown), await shown(story), 'as CommonMark: the same text')
  t.match(markdown, { summary: 'Of the sea.' })
})

const container = (path = 'book.opf') =>
  strToU8(`<container><rootfiles><rootfile full-path="${path}"/></rootfiles></container>`)
const opf = (more = '', items = '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/>') =>
  strToU8(
    `<package><metadata><dc:title xmlns:dc="x">B</dc:title><dc:language>en</dc:language>${more}</metadata><manifest>${items}</manifest><spine><itemref idref="c"/></spine></package>`,
  )
const page = strToU8('<html><body><h1>C</h1><p>It was calm.</p></body></html>')
const plain: Zippable = { 'META-INF/container.xml': container(), 'book.opf': opf(), 'c.xhtml': page }
const book = (name: string, files: Zippable): string => file(name, zipSync(files))
const refusedBook = async (path: string): Promise<string> => {
  try {
    return JSON.stringify(countsOf(await load(path)))
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    return error.message
  }
}

t.test('books that are hostile, or none, are refused in words', async t => {
  t.equal(await refusedBook(book('plain.epub', plain)), '[1,0,0,0]')
  t.match(await named('B'), { chapters: 0, drafts: 1 })
  const before = (await own()).length
  const bomb = new Uint8Array(MOST_INFLATED + 1)
  const zipped = zipSync(plain)
  const cases: Readonly<Record<string, readonly [string | RegExp, Zippable | Uint8Array]>> = {
    bomb: [/has more than 64000000 bytes of text once it is unpacked\.$/, { ...plain, 'd.xhtml': bomb }],
    path: [/leads out of it: "\.\.\/\.\.\/etc\/x\.xhtml"\.$/, { ...plain, '../../etc/x.xhtml': page }],
    absolute: [/leads out of it/, { ...plain, '/etc/x.xhtml': page }],
    entities: [
      /declares entities, which are not expanded here\.$/,
      { ...plain, 'c.xhtml': strToU8('<!DOCTYPE html [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><p>&b;</p>') },
    ],
    external: [
      /declares entities/,
      { ...plain, 'book.opf': strToU8('<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><package>&x;</package>') },
    ],
    deep: [/nests more than 200 elements deep\.$/, { ...plain, 'c.xhtml': strToU8('<div>'.repeat(10_000)) }],
    many: [
      /more than 4000 files in it\.$/,
      Object.fromEntries(Array.from({ length: 4_001 }, (_, n) => [`f${n}`, new Uint8Array()])),
    ],
    protected: [
      /protected against being read/,
      {
        ...plain,
        'META-INF/encryption.xml': strToU8('<e><CipherData><CipherReference URI="c.xhtml"/></CipherData></e>'),
      },
    ],
    'no container': [/no EPUB book that can be read: it has no META-INF\/container\.xml\.$/, { 'a.xml': page }],
    'no package': [/it has no package document\.$/, { 'META-INF/container.xml': container('x.opf') }],
    'no chapter': [/it has no file "c\.xhtml"\.$/, { 'META-INF/container.xml': container(), 'book.opf': opf() }],
    'no text': [/no text in its order of reading\.$/, { ...plain, 'book.opf': opf('', '') }],
    'not whole': [/breaks off, or is damaged|cannot be unpacked/, zipped.subarray(0, Math.floor(zipped.length / 3))],
    damaged: [
      /breaks off|cannot be unpacked|no EPUB/,
      zipped.map((byte, at) => (at > 60 && at < 90 ? byte ^ 0x55 : byte)),
    ],
  }
  for (const [name, [expected, files]] of Object.entries(cases)) {
    const path = files instanceof Uint8Array ? file(`${name}.epub`, files) : book(`${name}.epub`, files)
    t.match(await refusedBook(path), expected, name)
  }
  t.match(await refusedBook(file('no-language.md', '# A\n\n## B\n\nIt was calm.')), /name it with --language\.$/)
  t.match(await refusedBook(file('no-title.md', 'It was calm.')), /does not begin with a title/)
  t.match(await refusedBook(file('no-chapter.md', '# A\n\nIt was calm.')), /has no chapter|language/)
  t.equal((await own()).length, before)
})

t.test('text alone comes of a book: what runs and what loads does not', async t => {
  const dirty = strToU8(
    '<html><head><style>p{}</style></head><body onload="x()"><h2>Dirty</h2><script>alert(1)</script><p onclick="x()">It was <a href="javascript:alert(1)">calm</a>.<img src="http://x.example/a.png" alt="sea"/></p></body></html>',
  )
  const said2 = opf('<dc:identifier>dirty</dc:identifier>')
  t.same(
    countsOf(await load(book('dirty.epub', { ...plain, 'book.opf': said2, 'c.xhtml': dirty }), { isPublished: true })),
    [1, 0, 0, 0],
  )
  const story = (await own()).find(({ id, title }) => title === 'B' && id !== '')
  t.ok(story)
  const all: Received[] = []
  for (const each of await own())
    for (const { id } of each.title === 'B' ? await chaptersOf(each) : [])
      all.push(await read(`/v1/stories/${each.id}/chapters/${id}/draft`, ada.token))
  t.ok(all.some(({ json }) => json['text'] === 'It was calm.sea' && json['title'] === 'Dirty'))
})

t.test('an import that is stopped goes on', async t => {
  const stop = new AbortController()
  const three = ['s1', 's2', 's3'].map(id => ({ ...sea, id, title: id }))
  const path = lines('stopped.ndjson', three)
  const broken = await load(path, { signal: stop.signal, onProgress: () => stop.abort() })
  t.same([countsOf(broken), broken.complete], [[1, 0, 0, 0], false])
  t.same(countsOf(await load(path)), [2, 1, 0, 0])
})
