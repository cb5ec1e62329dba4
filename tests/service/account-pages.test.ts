/** The pages that mails lead to, in a browser: from the link of a mail to where it should end, in two languages. */
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { codeAt } from '../support/authenticator.ts'
import { openOutbox } from '../support/outbox.ts'
import { temporaryFolder } from '../support/service.ts'
import { HANGS_MS } from '../support/until.ts'

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(each => existsSync(each))
const skip = path === undefined ? { skip: 'Chromium is not installed: .ci/run brings it' } : {}

t.test('a click in each page, from the link of its mail', skip, async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, { LEXICHRON_PORT: '0' }, { folder })
  const api = await openApi(app.url)
  const browser: Browser = await chromium.launch({ executablePath: path ?? '', args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const context: BrowserContext = await browser.newContext({
    viewport: { width: 320, height: 640 },
    colorScheme: 'dark',
  })
  const mails = openOutbox(folder)
  const linkIn = (address: string, subject: RegExp): Promise<string> =>
    inTime(app, `a mail to ${address}`, async () => {
      const [mail] = await mails(address, subject).catch(() => [])
      return /https?:\S+\/account\/\S+/.exec(mail?.text ?? '')?.[0]
    })
  const open = async (url: string): Promise<Page> => {
    const page = await context.newPage()
    page.setDefaultTimeout(HANGS_MS)
    page.on('dialog', () => t.fail('something ran'))
    page.on('pageerror', error => t.fail(error.message))
    page.on(
      'console',
      message => message.type() === 'error' && /Content Security/.test(message.text()) && t.fail(message.text()),
    )
    await page.goto(url)
    return page
  }
  const said = async (page: Page, text: RegExp): Promise<void> => {
    await page.locator('output', { hasText: text }).waitFor()
    t.match(await page.locator('output').textContent(), text)
  }
  const press = (page: Page): Promise<void> => page.locator('button:visible').click()
  const signIn = (email: string, given: string) => api('POST', '/v1/sessions', { body: { email, password: given } })
  const password = 'horse staple battery'
  const [email, next] = ['ada@dictionary.example', 'augusta@dictionary.example']

  await t.test('verify, in Spanish, on a telephone in the dark', async t => {
    await api('POST', '/v1/accounts', { body: { email, locale: 'es' } })
    const link = await linkIn(email, /Abra su cuenta/)
    t.match(link, `${app.url}/account/verify?lang=es#`, 'the port that is listened on')
    const page = await open(link)
    t.equal(await page.locator('html').getAttribute('lang'), 'es')
    t.equal(await page.locator('h1').textContent(), 'Abra su cuenta')
    t.ok((await page.$eval('html', ({ scrollWidth }) => scrollWidth)) <= 320)
    const ground = await page.locator('main').evaluate(main => {
      const view = globalThis as typeof globalThis & {
        getComputedStyle(of: unknown): { readonly backgroundColor: string }
      }
      return view.getComputedStyle(main).backgroundColor
    })
    t.equal(ground, 'rgb(18, 18, 18)')
    await page.locator('input[name=password]').fill('demasiado')
    await press(page)
    await said(page, /no sirve/)
    t.equal((await signIn(email, password)).code, 'credentials-wrong')
    await page.locator('input[name=password]').fill(password)
    await press(page)
    await said(page, /Su cuenta está abierta/)
    const known = (await context.cookies()).find(each => each.name === '__Host-device')
    t.match(known, { httpOnly: true, secure: true, sameSite: 'Strict' }, 'the browser is known')
    t.equal((await signIn(email, password)).status, 201)
    const again = await open(link)
    await again.locator('input[name=password]').fill('horse staple battery 2')
    await press(again)
    await said(again, /ya se ha usado/)
  })

  await t.test('reset', async t => {
    const page = await open(`${app.url}/account/reset`)
    await page.getByText('This page is opened by a link in a mail').waitFor()
    t.equal(await page.locator('input[name=password]').isVisible(), false, 'no form that can only fail')
    await page.locator('input[name=email]').fill(email)
    await press(page)
    await said(page, /Look there/)
    const form = await open(await linkIn(email, /Elija otra contraseña/))
    await form.locator('input[name=password]').fill('grapes by the harbour')
    await press(form)
    await said(form, /La contraseña está puesta/)
    t.equal((await signIn(email, password)).code, 'credentials-wrong')
    t.equal((await signIn(email, 'grapes by the harbour')).status, 201)
  })

  await t.test('email, and back', async t => {
    const given = 'grapes by the harbour'
    const as = String((await signIn(email, given)).json['accessToken'])
    await api('POST', '/v1/me/email', { as, body: { email: next, password: given } })
    const offered = await api('POST', '/v1/me/totp', { as, body: {} })
    const secret = String(offered.json['secret'])
    const on = { code: codeAt(app.clock.now(), secret) }
    t.equal((await api('POST', '/v1/me/totp/confirm', { as, body: on })).status, 204)
    await app.clock.advance(30_000)
    const page = await open(await linkIn(next, /Confirme su nueva dirección/))
    const fill = (name: string, text: string) => page.locator(`input[name=${name}]`).fill(text)
    await fill('password', 'not the password')
    await press(page)
    await said(page, /no es la contraseña/)
    t.equal(await page.locator('input[name=code]').isVisible(), false, 'asked for where there is one')
    await fill('password', given)
    await press(page)
    await said(page, /La contraseña es correcta/)
    await fill('code', codeAt(app.clock.now(), secret))
    await press(page)
    await said(page, /Su dirección ha cambiado/)
    t.equal((await signIn(next, given)).code, 'second-factor-required')
    const back = await open(await linkIn(email, /dirección de su cuenta ha cambiado/))
    await press(back)
    await said(back, /otra vez esta dirección/)
    t.equal((await signIn(next, given)).code, 'credentials-wrong')
  })

  await t.test('keep', async t => {
    const made = await app.account('contributor', 'kept@dictionary.example')
    const as = String((await signIn('kept@dictionary.example', made.password ?? '')).json['accessToken'])
    await api('DELETE', '/v1/me', { as, body: { content: 'anonymised' } })
    const page = await open(await linkIn('kept@dictionary.example', /to be erased/))
    t.equal(await page.locator('html').getAttribute('lang'), 'en')
    await press(page)
    await said(page, /stays as it is/)
    t.equal((await api('DELETE', '/v1/me/erasure', { as })).status, 204, 'nothing is left to take back')
  })

  await t.test('nothing runs from the fragment, and nothing is sent without a click', async t => {
    const asked: string[] = []
    context.on('request', request => asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
    for (const purpose of ['verify', 'reset', 'email', 'revert', 'keep']) {
      for (const fragment of ['<img src=x onerror=alert(1)>', 'javascript:alert(1)', `1.${'x'.repeat(43)}`, '']) {
        const page = await open(`${app.url}/account/${purpose}#${fragment}`)
        await page.getByText('This page is opened by a link in a mail').waitFor()
        t.equal(await page.locator('img, iframe').count(), 0)
        t.equal(await page.locator('#use').isVisible(), false)
        await page.close()
      }
      const page = await open(`${app.url}/account/${purpose}#1.${'x'.repeat(43)}.${'x'.repeat(42)}w`)
      await page.locator('#use').waitFor()
      await page.close()
    }
    t.strictSame([...new Set(asked.map(each => each.split(' ')[0]))], ['GET'])
  })
  t.same(api.faults, [])
})
