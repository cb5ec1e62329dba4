/** The example of docs/live.md for a browser, run as it stands there; that for Node is in guides.test.ts. */
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import t from 'tap'
import { openTestApp, type TestApp } from '../support/app.ts'
import { blocksOf, page } from '../support/documents.ts'
import { HANGS_MS, until } from '../support/until.ts'

const [example = ''] = blocksOf(page('docs/live.md'), 'js browser')

const publish = async ({ url }: TestApp, token: string, lemma: string): Promise<void> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: 'A thing.' }] })
  const drafted = await fetch(`${url}/v1/entries`, { method: 'POST', headers, body })
  const path = `${url}${drafted.headers.get('location')}/publish`
  const done = await fetch(path, { method: 'POST', headers: { ...headers, 'if-match': '*' }, body: '{}' })
  if (done.status !== 200) throw new Error(`${done.status}: ${await done.text()}`)
}

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(path => existsSync(path))

t.test(
  'the example for a browser says what is published',
  browser === undefined ? { skip: 'Chromium is not installed: .ci/run brings it' } : {},
  async t => {
    const app = await openTestApp(t)
    const editor = await app.token('editor')
    const launched = await chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox'] })
    t.teardown(() => launched.close())
    const page = await launched.newPage()
    page.setDefaultTimeout(HANGS_MS)
    const said: string[] = []
    page.on('console', message => said.push(message.text()))
    await page.goto(`${app.url}/docs`)
    await page.evaluate(`(() => { ${example} })()`)
    let count = 0
    await until('an event in the browser', async () => {
      count += 1
      await publish(app, editor, `browsed${count}`)
      const seen: unknown = await page.evaluate('1')
      return seen === 1 && said.length > 0
    })
    said.length = 0
    const shown = await page.goto(`${app.url}/docs/live`)
    t.equal(shown?.status(), 200)
    t.match(await page.textContent('body'), /\/v1\/live[\s\S]*subscribe/)
    t.notOk(
      said.some(line => /Content Security Policy|Refused/.test(line)),
      said.join('\n'),
    )
  },
)
