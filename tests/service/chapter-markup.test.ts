/** What people write in chapters, in a real browser: the corpus of tests/fixtures/xss-vectors.json is shown, and nothing happens. */
import { existsSync, readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import t from 'tap'
import { render } from '../../src/domain/chapter/rendering.ts'
import { HANGS_MS } from '../support/until.ts'

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(each => existsSync(each))
const skip = path === undefined ? { skip: 'Chromium is not installed: .ci/run brings it' } : {}
const vectors: readonly string[] = JSON.parse(
  readFileSync(new URL('../fixtures/xss-vectors.json', import.meta.url), 'utf8'),
)
/** A page of a site that reads the service: without a policy of its own, so that what could run does. */
const SITE = 'https://reader.example/'

t.test('no vector runs, loads or leads anywhere but by a click on an address', skip, async t => {
  const browser = await chromium.launch({ executablePath: path ?? '', args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  page.setDefaultTimeout(HANGS_MS)
  const happened: string[] = []
  page.on('dialog', dialog => {
    happened.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  let html = ''
  await page.route('**/*', route => {
    const url = route.request().url()
    if (url === SITE) return route.fulfill({ contentType: 'text/html; charset=utf-8', body: html })
    happened.push(`a request: ${url}`)
    return route.abort()
  })
  const show = async (bodies: readonly string[]): Promise<void> => {
    const articles = bodies.map((body, i) => `<article data-vector="${i}">${body}</article>`).join('\n')
    html = `<!doctype html><meta charset="utf-8"><title>reader</title><main>${articles}</main>`
    await page.goto(SITE)
    // What waits for the pointer, for focus or for a key has its chance.
    await page.$$eval('main *', elements => {
      for (const element of elements)
        for (const type of ['mouseover', 'focus', 'load', 'error', 'toggle', 'keydown', 'animationstart'])
          element.dispatchEvent(new Event(type))
    })
  }

  await show(['<img src="x" onerror="alert(1)">'])
  t.ok(happened.length > 0, 'what runs is noticed')
  happened.length = 0

  await show(vectors.map(vector => render(vector).html))
  t.strictSame(happened, [])
  const found = await page.$$eval('main *', elements =>
    elements.map(element => ({
      name: element.tagName.toLowerCase(),
      attributes: element.getAttributeNames(),
      protocol: String(Reflect.get(element, 'protocol') ?? ''),
    })),
  )
  t.ok(found.length > vectors.length)
  const allowed = 'article p h1 h2 h3 h4 h5 h6 blockquote ul ol li em strong a br hr code pre'.split(' ')
  t.strictSame(
    found.filter(({ name }) => !allowed.includes(name)),
    [],
    'as a browser reads it, it has no other element',
  )
  t.strictSame(
    found.flatMap(({ attributes }) => attributes).filter(name => /^on|^style$|^id$|^name$|^class$/.test(name)),
    [],
  )
  t.strictSame(
    found.filter(({ protocol }) => !['', 'http:', 'https:', 'mailto:'].includes(protocol)),
    [],
    'and no link to anything that runs',
  )
  t.equal(await page.locator('main > article').count(), vectors.length, 'none breaks out of its place')

  await show(vectors.map(vector => render(vector).withImages ?? ''))
  t.strictSame(
    happened.filter(each => !each.startsWith('a request: https://e.example/')),
    [],
    'images that a reader asked for are loaded, and nothing else',
  )
})
