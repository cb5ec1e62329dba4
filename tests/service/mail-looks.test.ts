/** Mails as they are looked at: in a browser, light and dark, and on a screen of 320 pixels. MAIL_SHOTS names a folder for pictures. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import PostalMime from 'postal-mime'
import t from 'tap'
import { openSmtp } from '../../src/adapters/mail/smtp.ts'
import { mails } from '../../src/app/mail.ts'
import { locales } from '../../src/ports/mailer.ts'
import { startSmtp } from '../support/smtp.ts'
import { HANGS_MS } from '../support/until.ts'

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(each => existsSync(each))
const shots = process.env['MAIL_SHOTS']

/** Of two colours as the browser has them: WCAG 2.2, relative luminance and contrast. */
const contrastOf = (page: Page, selector: string): Promise<number> =>
  page.$eval(selector, element => {
    const rgb = (colour: string): readonly number[] => (colour.match(/[\d.]+/g) ?? []).map(Number)
    const luminance = ([r = 0, g = 0, b = 0]: readonly number[]): number => {
      const linear = [r, g, b].map(value => {
        const share = value / 255
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0)
    }
    const view = globalThis as typeof globalThis & {
      getComputedStyle(of: unknown): { readonly color: string; readonly backgroundColor: string }
    }
    const main = (element as { closest(selector: string): unknown }).closest('main')
    const [text, ground] = [
      luminance(rgb(view.getComputedStyle(element).color)),
      luminance(rgb(view.getComputedStyle(main).backgroundColor)),
    ]
    return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05)
  })

const skip = path === undefined ? { skip: 'Chromium is not installed: .ci/run brings it' } : {}

t.test('every mail, as a server has it, in light and dark and on a narrow screen', skip, async t => {
  const server = await startSmtp(t)
  const mailer = openSmtp({ url: server.url, from: 'Lexichron <mail@dictionary.example>' })
  t.teardown(() => mailer.close())
  const browser: Browser = await chromium.launch({ executablePath: path ?? '', args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  if (shots !== undefined) mkdirSync(shots, { recursive: true })
  // One page for all: a new one takes longer than what is looked at in it.
  const page = await browser.newPage({ viewport: { width: 320, height: 640 } })
  page.setDefaultTimeout(HANGS_MS)
  let asked: string[] = []
  page.on('request', request => asked.push(request.url()))
  for (const name of mails.names)
    for (const locale of locales) {
      await mailer.send({
        ...mails.preview(name, locale, 'Europe/Madrid'),
        messageId: `${name}.${locale}@dictionary.example`,
        date: new Date('2026-01-05T10:00:00Z'),
        to: 'ada@example.org',
        headers: {},
        keys: [],
      })
      const { html = '', text = '' } = await PostalMime.parse(server.seen.at(-1)?.raw ?? '')
      t.ok(text.length > 40, `${name} ${locale}: as text too`)
      asked = []
      await page.setContent(html)
      t.equal(
        await page.$$eval('script, img, iframe, form', found => found.length),
        0,
        `${name} ${locale}: nothing runs`,
      )
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme })
        const about = `${name} ${locale} ${scheme}`
        const { scrollWidth } = await page.$eval('html', element => ({ scrollWidth: element.scrollWidth }))
        t.ok(scrollWidth <= 320, `${about}: ${scrollWidth} pixels wide`)
        for (const selector of ['main p', '.why', ...(html.includes('<a ') ? ['a'] : [])]) {
          const contrast = await contrastOf(page, selector)
          t.ok(contrast >= 4.5, `${about}: ${selector} has a contrast of ${contrast.toFixed(1)}`)
        }
        t.same(
          asked.filter(url => !url.startsWith('about:')),
          [],
          `${about}: nothing is fetched`,
        )
        if (shots !== undefined) {
          await page.screenshot({ path: join(shots, `${name}-${locale}-${scheme}-320.png`), fullPage: true })
          await page.setViewportSize({ width: 800, height: 600 })
          await page.screenshot({ path: join(shots, `${name}-${locale}-${scheme}-800.png`), fullPage: true })
          await page.setViewportSize({ width: 320, height: 640 })
        }
      }
    }
})
