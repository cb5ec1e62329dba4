/** From an event to a mail: rules and jobs, words and layout, the outbox. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import t from 'tap'
import { openOutbox } from '../../src/adapters/mail/outbox.ts'
import { localeOf, renderMail } from '../../src/adapters/mail/render.ts'
import type { MailTemplate } from '../../src/adapters/mail/template.ts'
import { mailTemplates } from '../../src/adapters/mail/templates.ts'
import { tellFailure } from '../../src/app/mail.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { JobsError, type NewJob, PermanentFailure } from '../../src/ports/jobs.ts'
import { locales, type Mail, MailError } from '../../src/ports/mailer.ts'
import type { Recipient } from '../../src/ports/recipients.ts'
import {
  type MailData,
  type MailRule,
  mailJobs,
  mailSubscriber,
  type Refused,
  type SendingDeps,
} from '../../src/subscribers/mail.ts'
import { fakeClock } from '../support/clocks.ts'
import { from, sampleMail } from '../support/mails.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const mail: Mail = { ...sampleMail, keys: ['document:1.2', 'subject:ada'] }
const inEnglish = { locale: 'en', timeZone: 'UTC' }

t.test('words: every mail in every language, of one source', async t => {
  for (const template of mailTemplates)
    for (const locale of locales) {
      const { subject, text, html } = renderMail(template, { locale, timeZone: 'UTC' }, template.sample)
      t.ok(subject.length > 10 && !/<%|undefined|Invalid/.test(subject + text + html), `${template.name} ${locale}`)
      t.match(html, `lang="${locale}"`)
    }
})

const words = {
  subject: 'To <%= it.who %>',
  lines: ['Hello <%= it.who %>, at <%= it.at %> & later!'],
  why: 'Because <%= it.who %>.',
  action: { label: 'Go, <%= it.who %>', href: '<%= it.url %>' },
}
const template: MailTemplate = {
  name: 'x',
  sample: {},
  words: { en: words, es: { ...words, subject: 'A <%= it.who %>' } },
}
const at = { instant: '2026-07-05T22:30:00Z' }

t.test('data is escaped, stays in its line, and leads to the web or nowhere', async t => {
  const evil = {
    who: '<script>"&\r\nBcc: all@example.org\u2028\u202egnp',
    url: 'https://dictionary.example/a?b=1&c="><b>',
    at,
  }
  const { subject, text, html } = renderMail(template, inEnglish, evil)
  t.equal(subject, 'To <script>"& Bcc: all@example.org gnp', 'one line, whatever the data holds')
  t.match(text, 'Hello <script>"& Bcc: all@example.org gnp, at')
  t.notMatch(html, /<script>|"><b>|\u202e/)
  t.match(html, 'Hello &lt;script&gt;&quot;&amp;')
  t.match(html, '&amp; later', 'what the words themselves hold as well')
  t.match(html, 'Go, &lt;script&gt;')
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'mailto:a@b.example', 'nowhere', ''])
    t.throws(() => renderMail(template, inEnglish, { who: 'a', at, url }), /links to http/)
  t.throws(() => renderMail(template, inEnglish, { url: 'https://a.example', at }), /who is missing/)
  for (const name of ['constructor', '__proto__', 'toString']) {
    const asking = { name: 'x', sample: {}, words: { en: { ...words, subject: `<%= it.${name} %>` } } }
    t.throws(() => renderMail(asking, inEnglish, { who: 'a', at, url: 'https://a.example' }), /is missing in its data/)
  }
  t.throws(() => renderMail(template, inEnglish, { who: 'a', at: { instant: 'soon' }, url: 'https://a.example' }))
})

t.test('the reader’s language, or one they can make do with; times by their own clock', async t => {
  const given = { who: 'Ada', url: 'https://a.example', at }
  const subjectFor = (locale: string) => renderMail(template, { locale, timeZone: 'UTC' }, given).subject
  t.same(['es', 'es-MX', 'ES-419-x', 'en', 'fr', 'sp', ''].map(subjectFor), [
    'A Ada',
    'A Ada',
    'A Ada',
    'To Ada',
    'To Ada',
    'To Ada',
    'To Ada',
  ])
  t.same(['es-MX', 'EN-gb', 'constructor', 'zh-Hant'].map(localeOf), ['es', 'en', 'en', 'en'])
  const english = { name: 'y', sample: {}, words: { en: words } }
  const fallen = renderMail(english, { locale: 'es', timeZone: 'UTC' }, given)
  t.match(fallen, { subject: 'To Ada', html: /lang="en"/ })
  const told = (locale: string, timeZone: string) =>
    renderMail(template, { locale, timeZone }, given).text.split('\n')[0]
  t.match(told('en', 'UTC'), /at 5 July 2026 at 22:30 UTC &/)
  t.match(told('en', 'Europe/Madrid'), /at 6 July 2026 at 00:30 (CEST|GMT\+2) &/)
  t.match(told('es', 'America/Mexico_City'), /5 de julio de 2026.* 16:30/)
  t.match(told('en', 'Nowhere/At-All'), /22:30 UTC/, 'a zone that nobody knows is no reason for no mail')
})

const event = (over: Partial<Recorded> = {}): Recorded => ({
  id: 'e1',
  stream: 'account-1',
  revision: 4n,
  position: 9n,
  recordedAt: '',
  type: 'Welcomed',
  data: { name: 'Ada' },
  meta: {
    actor: { kind: 'account', id: 'u1' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    schema: 1,
    at: '2026-01-05T10:00:00.000Z',
    route: { visibility: 'public' },
    key: 'subject:ada',
  },
  ...over,
})

/** A rule, a queue that keeps what it is given, and everything that the sending stands on. */
const open = () => {
  const people = new Map<string, Recipient>([
    ['account:ada', { address: 'Ada@Example.org', locale: 'es', timeZone: 'Europe/Madrid', key: 'subject:ada' }],
    ['account:bob', { address: 'bob@example.org', locale: 'en', timeZone: 'UTC' }],
  ])
  let told: readonly string[] = ['account:ada', 'account:bob', 'account:nobody']
  let data: MailData | undefined = { name: 'Ada' }
  let still = true
  const rule: MailRule = {
    type: 'Welcomed',
    category: 'account',
    template: 'welcome',
    priority: 7,
    to: () => told,
    still: async () => still,
    data: () => data,
    unsubscribe: recipient => `https://dictionary.example/v1/mail/unsubscribe?token=${recipient}`,
  }
  const added: NewJob[] = []
  const calls: number[] = []
  const addAll = async (jobs: readonly NewJob[]): Promise<number> => {
    calls.push(jobs.length)
    const fresh = jobs.filter(({ key }) => !added.some(known => known.key === key))
    added.push(...fresh)
    return fresh.length
  }
  const forgetAbout = async (accountId: string): Promise<number> => {
    const left = added.filter(({ about }) => about !== accountId)
    return added.splice(0, added.length, ...left).length - left.length
  }
  const { signal } = new AbortController()
  const subscriber = mailSubscriber([rule], { jobs: async () => ({ addAll, forgetAbout }) })
  const state: { failure?: Error; held: boolean; logged: Recorded; readonly destroyed: Set<string> } = {
    held: true,
    logged: event(),
    destroyed: new Set(),
  }
  const sent: Mail[] = []
  const refusals: Refused[] = []
  const lines: unknown[] = []
  const forgotten: string[] = []
  const deps: SendingDeps = {
    log: {
      readStream: async function* (stream, options = {}) {
        if (stream === 'account-1' && options.from === 4n) yield [state.logged]
      },
    },
    recipients: { find: async id => people.get(id) },
    mailer: {
      send: async each => {
        if (state.failure) throw state.failure
        sent.push(each)
      },
      forget: async key => void forgotten.push(key),
    },
    render: (name, { locale, timeZone }, given) => ({
      subject: `${name} ${locale} ${timeZone}`,
      text: String(given['name']),
      html: '',
    }),
    isDestroyed: async key => state.destroyed.has(key),
    domain: 'dictionary.example',
    clock: fakeClock(),
    concurrency: 1,
    onRefused: async each => void refusals.push(each),
    onSent: each => void lines.push(each),
  }
  const work = async (key: string, more: JsonObject = {}, with_: Partial<SendingDeps> = {}): Promise<void> => {
    const job = added.find(each => each.key === key)
    if (!job) throw new Error(`no job ${key}`)
    const kind = mailJobs([rule], { ...deps, ...with_ })
    await kind.handle({ key, data: { ...job.data, ...more }, signal, held: async () => state.held })
  }
  return {
    subscriber,
    signal,
    added,
    calls,
    people,
    sent,
    refusals,
    lines,
    forgotten,
    state,
    work,
    tell: (to: readonly string[]) => {
      told = to
    },
    say: (given: MailData | undefined) => {
      data = given
    },
    end: () => {
      still = false
    },
  }
}

t.test('of who was erased nothing is left in the queue, what was put there in the same breath neither', async t => {
  const { subscriber, signal, added, tell } = open()
  t.ok(subscriber.types?.includes('AccountErased') && subscriber.categories?.includes('account'))
  const erased = event({ id: 'e2', type: 'AccountErased', stream: 'account-ada', data: {} })
  tell(['account:ada', 'account:bob', 'owner:address-1.x'])
  const wished = event({ id: 'e0', data: { accountId: 'ada' } })
  await subscriber.handle([event(), wished, erased], signal)
  t.same(
    added.map(({ key, about }) => [key, about]),
    [
      ['e1:account:bob', 'bob'],
      ['e1:owner:address-1.x', undefined],
      ['e0:account:bob', 'bob'],
    ],
  )
})

t.test('an event and a recipient make one job, which holds neither address nor text', async t => {
  const { subscriber, signal, added, calls, tell } = open()
  t.match(subscriber, { from: 'now', outward: true })
  await subscriber.handle([event(), event({ id: 'e2', type: 'Other' })], signal)
  await subscriber.handle([event()], signal)
  t.equal(added.length, 3, 'given twice, added once')
  t.notMatch(
    JSON.stringify(added, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    /Ada|bob@|example/,
  )
  t.same(added[0], {
    kind: 'mail',
    key: 'e1:account:ada',
    priority: 7,
    position: 9n,
    data: { eventId: 'e1', stream: 'account-1', revision: '4', recipient: 'account:ada', template: 'welcome' },
    about: 'ada',
  })
  tell(Array.from({ length: 10_000 }, (_, n) => `account:${n}`))
  calls.length = 0
  await subscriber.handle([event({ id: 'e3' })], signal)
  t.equal(added.length, 10_003)
  t.ok(calls.length <= 10, `${calls.length} calls for ten thousand recipients`)
  calls.length = 0
  tell([])
  await subscriber.handle([event({ id: 'e4' })], signal)
  t.same(calls, [], 'nobody is nothing to do')
})

t.test('a mail is made as things are then; a repetition has the same bytes', async t => {
  const { subscriber, signal, work, sent, lines, people, say, end, state } = open()
  await subscriber.handle([event()], signal)
  await work('e1:account:ada')
  await work('e1:account:ada')
  t.same(sent[0], sent[1], 'message id, date and all')
  t.match(sent[0], {
    to: 'Ada@Example.org',
    subject: 'welcome es Europe/Madrid',
    text: 'Ada',
    date: new Date('2026-01-05T10:00:00Z'),
    messageId: /^e1\.[0-9a-f]{16}@dictionary\.example$/,
    keys: ['subject:ada', 'subject:ada'],
    headers: {
      'List-Unsubscribe': '<https://dictionary.example/v1/mail/unsubscribe?token=account:ada>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  })
  await work('e1:account:bob')
  t.not(sent[2]?.messageId, sent[0]?.messageId, 'another recipient, another mail')
  await work('e1:account:nobody')
  t.equal(sent.length, 3, 'who is not there is not told')
  t.notMatch(JSON.stringify(lines), /example\.org/, 'what is logged names nobody')
  state.held = false
  await t.rejects(work('e1:account:ada'), /another node/, 'a node that slept through its lock sends nothing')
  state.held = true
  for (const more of [{ revision: '5' }, { revision: 'x' }, { eventId: 'e9' }, { recipient: 4 }, { template: 'other' }])
    await t.rejects(work('e1:account:ada', more), PermanentFailure, JSON.stringify(more))
  t.equal(sent.length, 3)
  const ada = people.get('account:ada')
  people.delete('account:ada')
  await work('e1:account:ada')
  t.equal(sent.length, 3, 'who was erased is not told')
  if (ada) people.set('account:ada', ada)
  say(undefined)
  await work('e1:account:ada')
  t.equal(sent.length, 3, 'what was erased is not told')
  say({ name: 'Ada' })
  end()
  await work('e1:account:ada')
  t.equal(sent.length, 3, 'nor what is not to be told any more')
})

t.test('refused for good it is an event; a template that throws says which one it is, and no more', async t => {
  const { subscriber, signal, work, refusals, state, sent } = open()
  await subscriber.handle([event()], signal)
  state.failure = new MailError('permanent', 'LEXICHRON_MAIL: the server answered 550 to RCPT', { code: 550 })
  await t.rejects(work('e1:account:ada'), PermanentFailure)
  t.same(refusals, [
    {
      eventId: 'e1',
      recipient: 'account:ada',
      template: 'welcome',
      code: 550,
      reason: 'LEXICHRON_MAIL: the server answered 550 to RCPT',
    },
  ])
  const away = new JobsError('unavailable', 'the log is away')
  await t.rejects(
    work('e1:account:ada', {}, { onRefused: () => Promise.reject(away) }),
    { name: 'JobsError' },
    'it is not parked before it is written down',
  )
  for (const kind of ['temporary', 'unknown'] as const) {
    state.failure = new MailError(kind, 'LEXICHRON_MAIL: the server answered 451')
    await t.rejects(work('e1:account:ada'), { name: 'MailError', kind })
  }
  t.equal(refusals.length, 1)
  const render = () => {
    throw new RangeError('private words of Ada')
  }
  await t.rejects(work('e1:account:ada', {}, { render }), {
    name: 'PermanentFailure',
    message: 'the template welcome cannot be made of this event (RangeError)',
  })
  t.equal(sent.length, 0)
})

t.test('whose key is destroyed while a mail is written is in no outbox', async t => {
  const { subscriber, signal, work, forgotten, state } = open()
  await subscriber.handle([event()], signal)
  await work('e1:account:ada')
  t.same(forgotten, [])
  state.destroyed.add('subject:ada')
  await work('e1:account:ada')
  t.same([...new Set(forgotten)], ['subject:ada'])
})

t.test('the outbox: one file a mail, whatever is repeated, for its owner alone, gone with its keys', async t => {
  const folder = join(temporaryFolder(t), 'outbox')
  const mailer = openOutbox({ folder, from })
  await mailer.forget?.('subject:ada')
  await mailer.send(mail)
  const bytes = readFileSync(join(folder, readdirSync(folder)[0] ?? ''))
  await mailer.send(mail)
  const [name = '', ...others] = readdirSync(folder)
  t.same(others, [])
  t.match(name, /^2026-01-05-[0-9a-f]{24}\.[0-9a-f]{20}\.[0-9a-f]{20}\.eml$/)
  t.same(readFileSync(join(folder, name)), bytes, 'the same bytes')
  t.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  const raw = bytes.toString('utf8')
  t.match(await PostalMime.parse(raw), {
    subject: mail.subject,
    messageId: '<abc@dictionary.example>',
    text: 'One line.\n',
    from: { name: 'Lexichron', address: 'mail@dictionary.example' },
    to: [{ address: 'ada@example.org' }],
  })
  t.match(raw, /^Auto-Submitted: auto-generated\r$/m)
  t.match(raw, /^List-Unsubscribe: <mailto:/m)
  await mailer.check()
  t.equal(readdirSync(folder).length, 1, 'looking leaves nothing behind')
  await mailer.send({ ...mail, messageId: 'other@x.example', keys: ['subject:bob'] })
  await mailer.send({ ...mail, messageId: 'plain@x.example', keys: [] })
  await mailer.forget?.('subject:ad')
  t.equal(readdirSync(folder).length, 3)
  await mailer.forget?.('subject:ada')
  t.same(readdirSync(folder).includes(name), false)
  t.equal(readdirSync(folder).length, 2, 'others stay')
  await t.rejects(mailer.send({ ...mail, to: 'a@b.example\r\nBcc: c@d.example' }), {
    kind: 'permanent',
    message: /none that mail/,
  })
  await mailer.close()

  const file = join(folder, 'file')
  writeFileSync(file, '')
  const nowhere = openOutbox({ folder: file, from })
  const cannot = {
    kind: 'temporary',
    message: /LEXICHRON_MAIL file:.*the outbox cannot be written \((ENOTDIR|EEXIST)\)/,
  }
  await t.rejects(nowhere.send(mail), cannot)
  await t.rejects(nowhere.check(), cannot)
  await t.rejects(nowhere.forget?.('subject:ada') ?? Promise.resolve(), cannot)
})

t.test('one try has ten minutes, however long the server goes on', async t => {
  const { subscriber, signal, work } = open()
  const clock = fakeClock()
  await subscriber.handle([event()], signal)
  const given: AbortSignal[] = []
  const sending = work(
    'e1:account:ada',
    {},
    {
      clock,
      mailer: {
        send: (_, until) =>
          new Promise((_, reject) => {
            if (!until) throw new Error('no signal')
            given.push(until)
            until.addEventListener('abort', () => reject(new MailError('unknown', 'cut off')))
          }),
      },
    },
  )
  const failed = t.rejects(sending, { name: 'MailError', kind: 'unknown' })
  await until('it is on its way', () => given.length === 1)
  await clock.advance(10 * 60_000 - 1)
  t.equal(given[0]?.aborted, false)
  await clock.advance(1)
  await failed
  t.equal(clock.sleepers(), 0)
  await work('e1:account:bob', {}, { clock })
  t.equal(clock.sleepers(), 0, 'what was sent in time is not waited for')
})

t.test('each failure is a line: what is parked an error, all else a warning', async t => {
  const lines: (readonly [level: string, line: object])[] = []
  const told = tellFailure({
    warn: (line: object) => void lines.push(['warn', line]),
    error: (line: object) => void lines.push(['error', line]),
  })
  const failure = { kind: 'mail', key: 'e1:account:ada', failures: 1, reason: 'the server answered 451' }
  told({ ...failure, parked: false })
  told({ ...failure, failures: 8, parked: true })
  t.match(lines, [
    ['warn', { part: 'jobs', job: 'e1:account:ada', failures: 1, reason: failure.reason }],
    ['error', { failures: 8 }],
  ])
})
