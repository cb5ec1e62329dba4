/** From an event to what a mail server has: rules and jobs, words and layout, SMTP that refuses, dawdles and hangs up. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import t from 'tap'
import { openOutbox } from '../../src/adapters/mail/outbox.ts'
import { renderMail } from '../../src/adapters/mail/render.ts'
import { openSmtp } from '../../src/adapters/mail/smtp.ts'
import { mailTemplates } from '../../src/adapters/mail/templates.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { type NewJob, PermanentFailure } from '../../src/ports/jobs.ts'
import { locales, type Mail, MailError } from '../../src/ports/mailer.ts'
import { type MailRule, mailJobs, mailSubscriber } from '../../src/subscribers/mail.ts'
import { temporaryFolder } from '../support/service.ts'
import { startSmtp } from '../support/smtp.ts'

const from = 'Lexichron <mail@dictionary.example>'
const mail: Mail = {
  ...{ messageId: 'abc@dictionary.example', date: new Date('2026-01-05T10:00:00Z'), to: 'ada@example.org' },
  ...{ subject: 'Grüße, señora', text: 'One line.\n', html: '<p>One line.</p>' },
  headers: { 'List-Unsubscribe': '<mailto:mail@dictionary.example?subject=unsubscribe>' },
}

t.test('words: every mail in every language, escaped in HTML and plain in text', async t => {
  for (const template of mailTemplates)
    for (const locale of locales) {
      const { subject, text, html } = renderMail(template, locale, template.sample)
      t.ok(subject.length > 10 && !/<%|undefined/.test(subject + text + html), `${template.name} ${locale}`)
      t.match(html, `lang="${locale}"`)
    }
  const words = {
    ...{ subject: 'To <%= it.who %>', lines: ['Hello <%= it.who %>!'], why: 'Because <%= it.who %>.' },
    action: { label: 'Go, <%= it.who %>', href: '<%= it.url %>' },
  }
  const template = {
    name: 'x',
    sample: {},
    words: { en: words, es: words },
  }
  const evil = { who: '<script>"&\r\nBcc: all@example.org', url: 'https://dictionary.example/a?b=1&c="><b>' }
  const { subject, text, html } = renderMail(template, 'en', evil)
  t.equal(subject, 'To <script>"& Bcc: all@example.org', 'one line, whatever the data holds')
  t.match(text, 'Hello <script>"&')
  t.notMatch(html, /<script>|"><b>/)
  t.match(html, 'Hello &lt;script&gt;&quot;&amp;')
  t.match(html, 'Go, &lt;script&gt;')
  t.throws(() => renderMail(template, 'en', { who: 'a', url: 'javascript:alert(1)' }), /links to http/)
  t.throws(() => renderMail(template, 'en', { url: 'https://a.example' }), /who is missing/)
})

const event = (over: Partial<Recorded> = {}): Recorded => ({
  ...{
    id: 'e1',
    stream: 'account-1',
    revision: 4n,
    position: 9n,
    recordedAt: '',
    type: 'Welcomed',
    data: { name: 'Ada' },
  },
  meta: {
    ...{ actor: { kind: 'account', id: 'u1' }, commandId: 'c', correlationId: 'c', causationId: 'c', schema: 1 },
    ...{ at: '2026-01-05T10:00:00.000Z', route: { visibility: 'public' } },
  },
  ...over,
})

t.test(
  'an event and a recipient make one job, which holds neither address nor text, and is done as things are then',
  async t => {
    let recipients = ['Ada@Example.org', 'bob@example.org']
    let data: JsonObject | undefined = { name: 'Ada' }
    const rule: MailRule = {
      ...{ type: 'Welcomed', category: 'account', template: 'welcome', priority: 7 },
      to: async () => recipients.map(address => ({ address, locale: 'es' })),
      data: () => data,
      unsubscribe: () => 'https://dictionary.example/account/unsubscribe#secret',
    }
    const added: NewJob[] = []
    const keys = new Set<string>()
    const jobs = {
      add: async (job: NewJob) => {
        if (keys.has(job.key)) return false
        keys.add(job.key)
        added.push(job)
        return true
      },
    }
    const log = {
      readStream: async function* (stream: string, options: { readonly from?: bigint } = {}) {
        if (stream === 'account-1' && options.from === 4n) yield [event()]
      },
    }
    const secret = Buffer.alloc(32, 1)
    const subscriber = mailSubscriber([rule], { log, jobs: async () => jobs, secret })
    t.equal(subscriber.from, 'now')
    const { signal } = new AbortController()
    await subscriber.handle([event(), event({ id: 'e2', type: 'Other' })], signal)
    await subscriber.handle([event()], signal)
    t.equal(added.length, 2, 'given twice, added once')
    t.notMatch(JSON.stringify(added), /ada|bob|example/i)
    t.match(added[0], { kind: 'mail', priority: 7, data: { stream: 'account-1', revision: '4', template: 'welcome' } })

    const sent: Mail[] = []
    let failure: MailError | undefined
    let held = true
    const told: unknown[] = []
    const kind = mailJobs([rule], {
      ...{ log, secret, now: () => new Date('2026-01-05T10:00:01Z'), domain: 'dictionary.example', concurrency: 1 },
      mailer: {
        send: async each => {
          if (failure) throw failure
          sent.push(each)
        },
      },
      render: (template, locale, given) => ({
        subject: `${template} ${locale}`,
        text: String(given['name']),
        html: '',
      }),
      onSent: each => void told.push(each),
    })
    const work = async (at = 0, more: JsonObject = {}): Promise<void> => {
      const job = added[at]
      if (!job) throw new Error('no job')
      await kind.handle({ key: job.key, data: { ...job.data, ...more }, signal, held: async () => held })
    }
    await work()
    await work(0)
    t.equal(sent[0]?.messageId, sent[1]?.messageId, 'a repetition can be told')
    t.match(sent[0], {
      ...{ to: 'Ada@Example.org', subject: 'welcome es', text: 'Ada' },
      headers: {
        'List-Unsubscribe': '<https://dictionary.example/account/unsubscribe#secret>',
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
    })
    t.notMatch(JSON.stringify(told), /example\.org/, 'what is logged names nobody')
    held = false
    await t.rejects(work(), /another node/, 'a node that slept through its lock sends nothing')
    held = true
    failure = new MailError('permanent', 'MAIL: the server answered 550')
    await t.rejects(work(), PermanentFailure)
    failure = new MailError('temporary', 'MAIL: the server answered 451')
    await t.rejects(work(), { name: 'MailError' })
    failure = undefined
    await t.rejects(work(0, { revision: '5' }), PermanentFailure, 'no such event')
    await t.rejects(work(0, { revision: 'x' }), PermanentFailure)
    const before = sent.length
    recipients = ['bob@example.org']
    await work()
    t.equal(sent.length, before, 'who is no longer to be told is not told')
    data = undefined
    await work(1)
    t.equal(sent.length, before, 'what was erased is not told')
  },
)

t.test('the outbox: one file a mail, whatever is repeated, for its owner alone', async t => {
  const folder = join(temporaryFolder(t), 'outbox')
  const mailer = openOutbox({ folder, from })
  await mailer.send(mail)
  await mailer.send({ ...mail, text: 'Another attempt.\n' })
  const [name = '', ...others] = readdirSync(folder)
  t.same(others, [])
  t.match(name, /^2026-01-05-[0-9a-f]{24}\.eml$/)
  t.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  const raw = readFileSync(join(folder, name), 'utf8')
  const read = await PostalMime.parse(raw)
  t.match(read, {
    ...{ subject: mail.subject, messageId: '<abc@dictionary.example>', text: 'Another attempt.\n' },
    ...{ from: { name: 'Lexichron', address: 'mail@dictionary.example' }, to: [{ address: 'ada@example.org' }] },
  })
  t.match(raw, /^Auto-Submitted: auto-generated\r$/m)
  t.match(raw, /^List-Unsubscribe: <mailto:/m)
  await mailer.check()
  t.equal(readdirSync(folder).length, 1, 'looking leaves nothing behind')
  await mailer.close()
  const nowhere = openOutbox({ folder: join(folder, name), from })
  await t.rejects(nowhere.send(mail), {
    kind: 'temporary',
    message: /MAIL file:.*the outbox cannot be written \((ENOTDIR|EEXIST)\)/,
  })
})

t.test('SMTP: what was taken, what never will be, what is worth another try, what nobody knows', async t => {
  const server = await startSmtp(t, { login: { user: 'us@r', pass: 'p:ss/word' } })
  const mailer = openSmtp({ url: server.url, from })
  t.teardown(() => mailer.close())
  await mailer.check()
  await Promise.all(Array.from({ length: 12 }, (_, n) => mailer.send({ ...mail, messageId: `m${n}@x.example` })))
  t.equal(server.seen.length, 12)
  t.match(server.seen[0], { to: ['ada@example.org'], mail: { subject: mail.subject, text: 'One line.\n' } })
  await mailer.send({ ...mail, to: 'a@b.example, c@d.example\r\nBcc: e@f.example' }).catch(() => undefined)
  t.notOk(
    server.seen.some(each => each.to.includes('e@f.example')),
    'an address brings no others',
  )

  const kindOf = async (url = server.url): Promise<{ kind: string; message: string }> => {
    const other = openSmtp({ url, from })
    try {
      await other.send(mail)
    } catch (error) {
      if (error instanceof MailError) return { kind: error.kind, message: error.message }
      throw error
    } finally {
      await other.close()
    }
    return { kind: 'taken', message: '' }
  }
  server.behave('refuse')
  t.match(await kindOf(), { kind: 'permanent', message: /answered 550 to RCPT/ })
  server.behave('later')
  t.match(await kindOf(), { kind: 'temporary', message: /answered 451 to RCPT/ })
  server.behave('hang-up')
  const before = server.seen.length
  const unknown = await kindOf()
  t.match(unknown, { kind: 'unknown', message: /before the server answered for the text/ })
  t.equal(server.seen.length, before + 1, 'sent once: whether again is not for the pool to say')
  server.behave('take')
  const wrong = await kindOf(server.url.replace('word', 'wrong'))
  t.match(wrong, { kind: 'temporary', message: /refuses the user or the password/ })
  const gone = await startSmtp(t)
  await gone.close()
  t.match(await kindOf(gone.url), { kind: 'temporary', message: /ECONNREFUSED|nothing listens/ })
  t.match(await kindOf('smtp://no-such-host.invalid'), {
    kind: 'temporary',
    message: /name is not found|no connection/,
  })
  // What is about the session is mended by an operator, and no mail is lost for it.
  const scripts: readonly (readonly [greeting: string, answers: Readonly<Record<string, string>>, says: RegExp])[] = [
    ['554 no service here', {}, /answered 554 to CONN/],
    ['220 hello', { EHLO: '250 hello', MAIL: '530 start TLS first' }, /answered 530 to MAIL/],
    ['220 hello', { EHLO: '250 hello', MAIL: '550 sender not allowed' }, /answered 550 to MAIL/],
    ['220 hello', { EHLO: '250 hello', MAIL: '250 ok', RCPT: '530 sign in first' }, /answered 530 to RCPT/],
  ]
  for (const [greeting, answers, says] of scripts) {
    const scripted = createServer(socket => {
      socket.on('error', () => undefined).write(`${greeting}\r\n`)
      socket.on('data', line => socket.write(`${answers[String(line).slice(0, 4)] ?? '250 ok'}\r\n`))
    }).listen(0, '127.0.0.1')
    await once(scripted, 'listening')
    const address = scripted.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    t.match(await kindOf(`smtp://127.0.0.1:${port}`), { kind: 'temporary', message: says })
    scripted.close()
  }
  for (const { message } of [wrong, unknown])
    t.notMatch(message, /p:ss|wrong|us@r|ada@/, 'neither credentials nor people')

  const folder = temporaryFolder(t)
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', [...args, '-keyout', `${folder}/key`, '-out', `${folder}/cert`, '-subj', '/CN=localhost'], {
    stdio: 'ignore',
  })
  const [key, cert] = ['key', 'cert'].map(each => readFileSync(join(folder, each)))
  const secure = await startSmtp(t, { secure: true, ...(key && { key }), ...(cert && { cert }) })
  t.match(await kindOf(secure.url), { kind: 'temporary', message: /certificate is not trusted/ })
  t.equal(secure.seen.length, 0, 'nothing goes to a server that cannot be trusted')
})
