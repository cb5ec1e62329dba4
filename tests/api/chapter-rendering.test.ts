/** The HTML of chapters: made once, by another thread than that which answers, the shortest text first, and kept until a removal. */
import t from 'tap'
import { openRenderings, type Renderings } from '../../src/adapters/rendering/renderings.ts'
import { openRenderingThread, type RenderingThread } from '../../src/adapters/rendering/thread.ts'
import { isDeeperThan } from '../../src/domain/chapter/nesting.ts'
import { type Rendering, render } from '../../src/domain/chapter/rendering.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { markupParsed } from '../support/work.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const { token: ada } = await signIn({ app, api, folder }, 'ada', 'contributor')

/** A thread that renders when it is told to: `asked` are the texts that it was given. */
const slowThread = () => {
  const asked: string[] = []
  const ends: ((error?: Error) => void)[] = []
  const thread: RenderingThread = {
    render: text => {
      asked.push(text)
      return new Promise((resolve, reject) =>
        ends.push(error => (error ? reject(error) : resolve({ html: `<p>${text}</p>` }))),
      )
    },
    close: async () => undefined,
  }
  return { asked, thread, end: (error?: Error) => ends.shift()?.(error) }
}
const openKept = () => {
  const kept = new Map<string, Rendering>()
  return { kept, open: (thread: RenderingThread): Renderings => openRenderings({ thread, kept }) }
}

t.test('a text is rendered once, whoever asks, and kept', async t => {
  const { asked, thread, end } = slowThread()
  const { kept, open } = openKept()
  const renderings = open(thread)
  const both = [renderings.of('a', 'text'), renderings.of('a', 'text')]
  end()
  t.strictSame(await Promise.all(both), [{ html: '<p>text</p>' }, { html: '<p>text</p>' }])
  t.strictSame(await renderings.of('a', 'text'), { html: '<p>text</p>' })
  t.strictSame(asked, ['text'])
  t.equal(kept.size, 1)
})

t.test('the shortest is next, and who comes when too many wait is told so', async t => {
  const { asked, thread, end } = slowThread()
  const renderings = openKept().open(thread)
  const long = Array.from({ length: 65 }, (_, at) => renderings.of(`long ${at}`, `${'x'.repeat(100)}${at}`))
  t.equal(await renderings.of('one more', 'short'), 'busy')
  const file = renderings.whenever('of a file', 'short')
  end()
  await long[0]
  t.equal(asked[1], 'short', 'before all that came earlier and are longer')
  end()
  t.strictSame(await file, { html: '<p>short</p>' })
  for (const each of long.slice(1)) {
    end()
    await each
  }
  const again = renderings.of('one more', 'short')
  end()
  t.strictSame(await again, { html: '<p>short</p>' }, 'and later it has its turn')
})

t.test('what fails is not kept, nor what a removal met on its way', async t => {
  const { asked, thread, end } = slowThread()
  const { kept, open } = openKept()
  const renderings = open(thread)
  const failing = renderings.of('a', 'text')
  end(new Error('died'))
  await t.rejects(failing, { message: 'died' })
  const removed = renderings.of('a', 'text')
  renderings.forget()
  end()
  await removed
  t.equal(kept.size, 0)
  const fresh = renderings.of('a', 'text')
  end()
  await fresh
  t.equal(kept.size, 1)
  t.equal(asked.length, 3)
  renderings.forget()
  t.equal(kept.size, 0)
})

t.test('the thread gives what rendering gives, and ends', async t => {
  const thread = openRenderingThread()
  const text = 'It is *new*. ![a](https://e.org/x.png)'
  t.strictSame(await thread.render(text), render(text))
  const left = t.rejects(thread.render('x'), { message: /closed/ })
  await thread.close()
  await left
  await t.rejects(thread.render('y'), { message: /closed/ })
})

const must = (answer: Received): Received => {
  if (answer.status >= 300) throw new Error(answer.text)
  return answer
}

t.test('no text is rendered by the thread that answers, whatever its size', async t => {
  const { json } = must(
    await api('POST', '/v1/stories', { as: ada, body: { language: 'en', title: 'The Sea', visibility: 'public' } }),
  )
  const story = `/v1/stories/${String(json['id'])}`
  for (const size of [100, 10_000]) {
    const made = must(await api('POST', `${story}/chapters`, { as: ada, body: { title: 'One' } }))
    const chapter = `${story}/chapters/${String(made.json['id'])}`
    const body = { title: 'One', text: '[a](b) ![c](https://e.org/x.png) word\n\n'.repeat(size) }
    const parsed = await markupParsed(async () => {
      must(await api('PUT', `${chapter}/draft`, { as: ada, body, headers: { 'if-match': '*' } }))
      const done = must(await api('POST', `${chapter}/publish`, { as: ada, body: {} }))
      if (size === 100) must(await api('POST', `${story}/publish`, { as: ada, body: {} }))
      const headers = { 'sync-token': done.headers.get('sync-token') ?? '' }
      const read = must(await api('GET', chapter, { as: ada, headers }))
      t.match(read.json['html'], size === 100 ? '<a href="b"' : /<a href="b"|\[a\]\(b\)/)
      t.match((await api('GET', `${chapter}?images=true`, { as: ada, headers })).json['html'], /<img |!\[c\]/)
      must(await api('GET', `${story}/export?format=markdown`, { as: ada, headers }))
    })
    t.equal(parsed, 0, `${size}`)
  }
})

t.test('a draft is parsed for its depth only where it is cheap, and refused without where it is not', async t => {
  const parsed = (text: string) => markupParsed(async () => void isDeeperThan(text, 100))
  for (const times of [500, 5_000]) t.equal(await parsed('*a b '.repeat(times)), 1, `${times} signs`)
  for (const times of [50_000, 200_000]) t.equal(await parsed('*a b '.repeat(times)), 0, `${times} signs`)
})

t.test('everything was as documented', async t => t.same(api.faults, []))
