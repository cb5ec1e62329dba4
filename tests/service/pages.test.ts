/** The pages for people, in a browser: what they let one do, in light and dark, on a telephone, by keyboard, and by the rules of WCAG 2.2. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { HANGS_MS } from '../support/until.ts'

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(each => existsSync(each))
const skip = path === undefined ? { skip: 'Chromium is not installed: .ci/run brings it' } : {}
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What the library of the routes' page does that cannot be mended from outside: decision 83. */
const NAMED = ['nested-interactive']

type Violation = { readonly id: string; readonly nodes: readonly { readonly target: readonly string[] }[] }
/** Of the routes one section is looked at: the others are made alike, and there are two hundred operations. */
const violationsOf = async (page: Page): Promise<readonly string[]> => {
  await page.addScriptTag({ content: axe })
  return page.evaluate(async rules => {
    const { axe } = globalThis as typeof globalThis & {
      axe: { run(of: unknown, options: unknown): Promise<{ readonly violations: readonly Violation[] }> }
    }
    const of = { exclude: [['#swagger-ui span:not(:first-child) > .opblock-tag-section']] }
    const { violations } = await axe.run(of, { runOnly: rules })
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.target.join(' ')}`)
  }, RULES)
}

t.test('the pages for people', skip, async t => {
  const app = await openTestApp(t, { LEXICHRON_PORT: '0' })
  const api = await openApi(app.url)
  const editor = await app.token('editor')
  const browser: Browser = await chromium.launch({ executablePath: path ?? '', args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const publish = async (lemma: string): Promise<void> => {
    const body = { language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: `what ${lemma} means` }] }
    const drafted = await api('POST', '/v1/entries', { as: editor, body })
    const headers = { 'if-match': drafted.headers.get('etag') ?? '' }
    const published = await api('POST', `/v1/entries/${drafted.json['id']}/publish`, { as: editor, headers })
    t.equal(published.status, 200, published.text)
    await api('GET', `/v1/search?q=${lemma}`, { headers: { 'sync-token': published.headers.get('sync-token') ?? '' } })
  }
  const open = async (where: string, options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(HANGS_MS)
    page.on('pageerror', error => t.fail(error.message))
    page.on('console', message => {
      if (/Content Security/.test(message.text())) t.fail(`${where}: ${message.text()}`)
    })
    await page.goto(app.url + where)
    return page
  }

  await t.test('the first one looks words up, by keyboard alone', async t => {
    await publish('serendipity')
    const page = await open('/')
    for (const place of ['Lexichron', 'Start', 'Routes', 'Live feed']) {
      await page.keyboard.press('Tab')
      t.equal((await page.locator(':focus').textContent())?.trim(), place)
    }
    await page.keyboard.press('Tab')
    await page.keyboard.type('serendipty')
    await page.keyboard.press('Enter')
    await page.locator('output', { hasText: 'One entry.' }).waitFor()
    t.match(await page.locator('#found').textContent(), /serendipity noun, en \(fuzzy\)what serendipity means/)
    t.match(await page.locator('#found a').getAttribute('href'), /^\/v1\/entries\/[0-9a-f-]{36}$/)
    await page.locator('input').fill('*')
    await page.keyboard.press('Enter')
    await page.locator('output', { hasText: /letter/ }).waitFor()
    t.equal(await page.locator('#found li').count(), 0, 'a fault shows nothing that was found before')
    await page.context().close()
  })

  await t.test('for programs it is what it was', async t => {
    const json = await fetch(app.url, { headers: { accept: '*/*' } })
    t.match(await json.json(), { service: 'lexichron', docs: '/docs', live: '/docs/live' })
    t.equal((await fetch(app.url, { headers: { accept: 'image/png' } })).status, 406)
  })

  await t.test('the live feed is heard', async t => {
    const page = await open('/docs/live')
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.locator('#heard', { hasText: 'subscribed' }).waitFor()
    await publish('petrichor')
    await page.locator('#heard', { hasText: 'EntryPublished' }).waitFor()
    await page.getByRole('button', { name: 'Disconnect' }).click()
    await page.locator('output', { hasText: 'The connection has ended.' }).waitFor()
    await page.getByLabel('Filter').fill('type=Nope')
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.locator('#heard', { hasText: 'error: filter-invalid' }).waitFor()
    await page.getByRole('button', { name: 'Disconnect' }).click()
    await page.getByLabel('Filter').fill('')
    await page.getByLabel('Channel').fill('events')
    await page.getByLabel('Access token').fill(await app.token('auditor'))
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.locator('#heard li', { hasText: 'caught-up' }).first().waitFor()
    t.notMatch(await page.locator('#heard').textContent(), /permission-denied/)
    await page.context().close()
  })

  await t.test('the routes have a lock where nothing is to be had without a token', async t => {
    const page = await open('/docs')
    const locks = (id: string) => page.locator(`[id$="-${id}"] .authorization__btn`).count()
    await page.locator('[id$="-draft-entry"]').waitFor()
    t.equal(await locks('draft-entry'), 1)
    t.equal(await locks('search-entries'), 0)
    t.equal(await locks('get-entry'), 0)
    t.equal(await page.locator('header nav a[aria-current=page]').textContent(), 'Routes')
    await page.context().close()
  })

  for (const [colorScheme, width] of [
    ['light', 320],
    ['dark', 1280],
  ] as const)
    await t.test(`by the rules, ${colorScheme}, ${width} wide`, async t => {
      for (const where of ['/', '/docs', '/docs/live', '/problems/busy']) {
        const page = await open(where, { colorScheme, viewport: { width, height: 800 }, bypassCSP: true })
        if (where === '/docs') {
          await page.locator('.opblock-summary-control').first().click()
          await page.locator('.opblock.is-open .responses-table').waitFor()
        }
        const found = await violationsOf(page)
        t.same(
          found.filter(each => where !== '/docs' || !NAMED.some(name => each.startsWith(name))),
          [],
          where,
        )
        t.ok((await page.$eval('html', ({ scrollWidth }) => scrollWidth)) <= width, `${where} fits`)
        await page.context().close()
      }
    })
})
