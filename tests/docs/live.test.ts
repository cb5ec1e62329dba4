/** The examples of docs/live.md, run as they stand there: one by Node, one in a browser. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import t from 'tap'
import { openTestApp, type TestApp } from '../support/app.ts'
import { startProcess } from '../support/processes.ts'
import { HANGS_MS, until } from '../support/until.ts'

const guide = readFileSync(join(fileURLToPath(new URL('../..', import.meta.url)), 'docs/live.md'), 'utf8')
const example = (mark: string): string => {
  const code = new RegExp(`\`\`\`js ${mark}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1]
  if (code === undefined) throw new Error(`docs/live.md has no example for ${mark}`)
  return code
}

const publish = async ({ url }: TestApp, token: string, lemma: string): Promise<void> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: 'A thing.' }] })
  const drafted = await fetch(`${url}/v1/entries`, { method: 'POST', headers, body })
  const path = `${url}${drafted.headers.get('location')}/publish`
  const done = await fetch(path, { method: 'POST', headers: { ...headers, 'if-match': '*' }, body: '{}' })
  if (done.status !== 200) throw new Error(`${done.status}: ${await done.text()}`)
}

t.test('the example for Node says what is published', async t => {
  const first = await openTestApp(t)
  const address = first.url.replace('http://', '')
  const code = example('node').replaceAll('localhost:8080', address)
  const { output } = startProcess(t, process.execPath, ['--input-type=module', '-e', code])
  const editor = await first.token('editor')
  let count = 0
  await until('an event', async saw => {
    count += 1
    await publish(first, editor, `word${count}`)
    saw(output)
    return output.out.includes('EntryPublished')
  })
  t.equal(output.err, '')
})

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
    await page.evaluate(`(() => { ${example('browser')} })()`)
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
