/** Mail of a running service: from an event to a mail server, by a queue that outlives refusals, absences, lost files and ends. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runHere } from '../support/here.ts'
import { lexichron, startService, temporaryFolder } from '../support/service.ts'
import { startSmtp, testCertificate } from '../support/smtp.ts'
import { until } from '../support/until.ts'

// Each waits for queues of its own.
t.jobs = 2

type Json = Readonly<Record<string, unknown>>
type Environment = Readonly<Record<string, string>>
const settings = (url: string): Environment => ({
  LEXICHRON_MAIL: url,
  LEXICHRON_MAIL_FROM: 'Lexichron <mail@dictionary.example>',
  LEXICHRON_ALERT_MAIL: 'ops@example.org',
  LEXICHRON_LOG_LEVEL: 'info',
})
const tokenFor = async (folder: string, env: Environment, role = 'admin'): Promise<string> => {
  const { out, err, code } = await runHere(folder, ['token', 'create', '--role', role, '--for', 'tests'], env)
  if (code !== 0) throw new Error(err)
  return out.trim()
}
const asked = async (url: string, token: string, path: string): Promise<Response> =>
  fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
const jobsPart = async (url: string, token: string): Promise<{ readonly state: unknown; readonly detail: Json }> => {
  const answer: unknown = await (await asked(url, token, '/health')).json()
  return Object(Object(Object(answer)['parts'])['jobs'])
}
const jobsOf = async (folder: string, env: Environment, state?: string): Promise<readonly Json[]> => {
  const { out } = await runHere(folder, ['jobs', 'list', '--json', ...(state ? ['--state', state] : [])], env)
  return JSON.parse(out)
}

t.test('told once each; refused for good: parked, an event, retried; away: it waits', { buffered: true }, async t => {
  const folder = temporaryFolder(t)
  const smtp = await startSmtp(t)
  const env = { ...settings(smtp.url), LEXICHRON_ALERT_MAIL: 'ops@example.org,night@example.org' }
  const [one, two] = [await startService(t, folder, env), await startService(t, folder, env)]
  const admin = await tokenFor(folder, env)
  await until('both are told', () => smtp.seen.length >= 2)
  t.same(smtp.seen.flatMap(each => each.to).toSorted(), ['night@example.org', 'ops@example.org'])
  t.match(smtp.seen[0]?.mail, {
    subject: 'An access token with the role admin was made',
    text: /lexichron token revoke [0-9a-f-]{36}/,
    messageId: /^<[0-9a-f-]{36}\.[0-9a-f]{16}@dictionary\.example>$/,
  })
  t.match(smtp.seen[0]?.raw ?? '', /^List-Unsubscribe: <mailto:mail@dictionary.example\?subject=unsubscribe>/m)
  await tokenFor(folder, env, 'reader')

  smtp.behave('refuse')
  await tokenFor(folder, env)
  const parked = await until('parked', async () => {
    const all = await jobsOf(folder, env, 'parked')
    return all.length === 2 && all
  })
  t.match(parked[0], {
    kind: 'mail',
    failures: 1,
    reason: /LEXICHRON_MAIL smtp:\/\/127\.0\.0\.1:\d+: the server answered 550/,
  })
  t.notMatch(JSON.stringify(parked), /example\.org/, 'a job names nobody')
  const counted = await until('health to count both', async saw => {
    const part = await jobsPart(one.url, admin)
    saw(part)
    return part.detail['parked'] === 2 && part
  })
  t.match(counted, { state: 'degraded', detail: { waiting: 0, parkedFirst: [{ kind: 'mail', reason: /550/ }] } })
  t.match(await (await asked(one.url, admin, '/metrics')).text(), /lexichron_jobs\{state="parked"\} 2/)
  const refusals = await until('the refusals are in the history', async () => {
    const text = await (await asked(two.url, admin, '/v1/events?type=MailRefused')).text()
    return text.split('"MailRefused"').length === 3 && text
  })
  t.match(refusals, /"code":550/)
  t.match(refusals, /"recipient":"operator:/)
  t.notMatch(refusals, /example\.org/, 'nor does an event')
  smtp.behave('take')
  const key = String(parked[0]?.['key'])
  const shown = await runHere(folder, ['jobs', 'show', key], env)
  t.match(shown, { code: 0, out: /^data\.template +token-issued$/m })
  t.match(await runHere(folder, ['jobs', 'drop', key], env), { code: 0 })
  t.match(await runHere(folder, ['jobs', 'drop', key], env), { code: 1, err: /no job .* waits or is parked/ })
  t.match(await runHere(folder, ['jobs', 'retry'], env), { code: 0, out: '1 will be done again\n' })
  await until('the other one', () => smtp.seen.length >= 3)
  await until('all is well', async () => (await jobsPart(one.url, admin)).state === 'ok')

  await smtp.close()
  const bearer = {
    authorization: `Bearer ${await tokenFor(folder, env, 'moderator')}`,
    'content-type': 'application/json',
  }
  const post = (path: string, body: object, more = {}) =>
    fetch(one.url + path, { method: 'POST', headers: { ...bearer, ...more }, body: JSON.stringify(body) })
  const drafted = await post('/v1/entries', {
    language: 'en',
    lemma: 'gone',
    partOfSpeech: 'noun',
    senses: [{ gloss: 'what is not there' }],
  })
  const { id } = Object(await drafted.json())
  t.equal(drafted.status, 201)
  const removed = await post(`/v1/entries/${id}/redact`, { ground: 'privacy' }, { 'if-match': '*' })
  t.equal(removed.status, 200, await removed.text())
  const waiting = await until('it waits', async () => {
    const all = await jobsOf(folder, env, 'waiting')
    return all.length === 2 && all.every(each => Number(each['failures']) > 0) && all
  })
  t.match(waiting[0]?.['reason'], /nothing listens there|ECONNREFUSED/)
  const told = await until('health to say so, whichever node has tried', async () => {
    const part = await jobsPart(one.url, admin)
    return part.detail['mail'] !== undefined && part
  })
  t.match(told, { state: 'degraded', detail: { waiting: 2, mail: /LEXICHRON_MAIL smtp/ } })
  t.equal((await fetch(`${one.url}/health/ready`)).status, 200, 'mail is no reason to send nobody here')
  const again = await startSmtp(t, { port: smtp.port })
  await until('what waited comes', () => again.seen.length >= 2)
  t.match(again.seen[0]?.mail, { subject: `Text of entry ${id} was removed for good` })
  t.same(again.seen.flatMap(each => each.to).toSorted(), ['night@example.org', 'ops@example.org'])
  const printed = () => [one, two].map(({ output }) => output.err + output.out).join('')
  await until('the line of it', () => printed().includes('"a mail was taken"'))
  t.notMatch(printed(), /ops@example|night@example/, 'no log names who was told')
})

t.test(
  'an end while the server has not answered: in time, and the mail is the next one’s',
  { buffered: true },
  async t => {
    const folder = temporaryFolder(t)
    const smtp = await startSmtp(t)
    const env = settings(smtp.url)
    const one = await startService(t, folder, env)
    smtp.behave('dawdle')
    await tokenFor(folder, env)
    await until('the text is there', () => smtp.seen.length === 1)
    t.equal(await one.stop(), 0, 'it has closed in the ten seconds that it has')
    t.match(await jobsOf(folder, env), [{ state: 'waiting', failures: 0 }], 'given back, and no failure of its own')
    smtp.behave('take')
    const two = await startService(t, folder, env)
    await until('again', () => smtp.seen.length === 2)
    await until('done', async () => (await jobsOf(folder, env)).length === 0)
    t.equal(smtp.seen[0]?.raw, smtp.seen[1]?.raw)
    t.equal(await two.stop(), 0)
  },
)

t.test(
  'jobs.db is lost: nothing old is sent, health names the span, an operator decides',
  { buffered: true },
  async t => {
    const folder = temporaryFolder(t)
    const env = { LEXICHRON_ALERT_MAIL: 'ops@example.org' }
    const outbox = (): readonly string[] => {
      const path = join(folder, 'outbox')
      return existsSync(path) ? readdirSync(path).filter(name => name.endsWith('.eml')) : []
    }
    const first = await startService(t, folder, env)
    const admin = await tokenFor(folder, env)
    const name = await until('a mail', () => outbox()[0])
    t.match(readFileSync(join(folder, 'outbox', name), 'utf8'), /^To: ops@example\.org\r$/m)
    await until('it is done', async () => (await jobsOf(folder, env)).length === 0)
    t.equal(await first.stop(), 0)
    await tokenFor(folder, env)
    for (const file of readdirSync(folder)) if (file.startsWith('jobs.db')) rmSync(join(folder, file))

    const second = await startService(t, folder, env)
    const part = await until('the span is named', async saw => {
      const found = await jobsPart(second.url, admin)
      saw(found)
      return found.detail['unsent'] !== undefined && found
    })
    t.match(part, { state: 'degraded', detail: { parked: 1, unsent: [{ after: /^\d+$/, upTo: /^\d+$/ }] } })
    const [lost] = await jobsOf(folder, env, 'parked')
    t.match(lost, { kind: 'unsent', key: /^mail:\d+-\d+$/, reason: /the jobs were lost/ })
    t.equal(outbox().length, 1)
    t.match(await runHere(folder, ['jobs', 'retry', String(lost?.['key'])], env), { code: 0 })
    await until('it is sent after all', () => outbox().length === 2)
    await until('all is well', async () => (await jobsPart(second.url, admin)).state === 'ok')

    // The same while it runs: the file is missed within a second, and begun anew.
    for (const file of readdirSync(folder)) if (file.startsWith('jobs.db')) rmSync(join(folder, file))
    await tokenFor(folder, env)
    await until('a mail or a name for it', async saw => {
      const { detail } = await jobsPart(second.url, admin)
      saw(detail)
      return outbox().length === 3 || detail['unsent'] !== undefined
    })
    t.equal(await second.stop(), 0)
  },
)

t.test('what is wrong with the mail is said, without secrets, and the service runs', { buffered: true }, async t => {
  const folder = temporaryFolder(t)
  const { key, cert, path } = testCertificate(t)
  const login = { user: 'us', pass: 's3cret' }
  const smtp = await startSmtp(t, { key, cert, login })
  const plain = await startSmtp(t)
  const insisting = `smtp://127.0.0.1:${plain.port}`
  const blocked = join(folder, 'no-folder')
  writeFileSync(blocked, '')
  const failing = async (more: Environment): Promise<string> => {
    const env = { ...settings(smtp.url), ...more }
    const service = await startService(t, folder, env)
    const admin = await tokenFor(folder, env, 'auditor')
    const reason = await until('health says it', async saw => {
      const part = await jobsPart(service.url, admin)
      saw(part)
      return part.state === 'degraded' && String(part.detail['mail'])
    })
    t.equal((await fetch(`${service.url}/health/ready`)).status, 200)
    t.equal(await service.stop(), 0)
    t.notMatch(reason + service.output.err + service.output.out, /s3cret|wrong-one/)
    return reason
  }
  t.match(await failing({ LEXICHRON_MAIL: 'smtp://us:s3cret@127.0.0.1:1' }), /nothing listens there/)
  t.match(await failing({}), /certificate is not trusted: name its authority with NODE_EXTRA_CA_CERTS/)
  const trusted = { NODE_EXTRA_CA_CERTS: path }
  t.match(
    await failing({ ...trusted, LEXICHRON_MAIL: smtp.url.replace('s3cret', 'wrong-one') }),
    /refuses the user or the password/,
  )
  t.match(await failing({ LEXICHRON_MAIL: insisting }), /offers no encryption \(STARTTLS\)/)
  t.match(await failing({ LEXICHRON_MAIL: `file:${blocked}` }), /the outbox cannot be written/)

  const env = { ...settings(smtp.url), ...trusted }
  t.match(await lexichron(folder, ['mail', 'test', 'ada@example.org'], env), { code: 0, out: /^taken as </ })
  t.match(smtp.seen, [{ to: ['ada@example.org'], secure: true, mail: { subject: 'Mail from Lexichron arrives' } }])
  const wrong = await lexichron(folder, ['doctor', '--json'], {
    ...env,
    LEXICHRON_MAIL: smtp.url.replace('s3cret', 'wrong-one'),
  })
  t.match(wrong.out, /refuses the user or the password/)
  t.notMatch(wrong.out, /wrong-one/)

  const refused = async (more: Environment) => {
    const { code, err } = await runHere(folder, ['serve'], more)
    t.equal(code, 2)
    return err
  }
  const from = { LEXICHRON_MAIL_FROM: 'a@b.example' }
  t.match(
    await refused({ LEXICHRON_MAIL: 'smtp://us:secret@mail.example' }),
    /LEXICHRON_MAIL names a server.*set LEXICHRON_MAIL_FROM/,
  )
  const inbox = await refused({ ...from, LEXICHRON_MAIL: 'smtp://us:secret@mail.example/inbox' })
  t.match(inbox, /LEXICHRON_MAIL is "smtp:\/\/us:\*\*\*@mail\.example\/inbox": it takes no path/)
  t.notMatch(inbox, /secret/)
  t.match(await refused({ LEXICHRON_MAIL_FROM: 'nobody' }), /LEXICHRON_MAIL_FROM is "nobody": it has to be a sender/)
  t.match(await refused({ LEXICHRON_ALERT_MAIL: 'ops@example.org,nobody' }), /LEXICHRON_ALERT_MAIL is "nobody"/)
})

/** A clock that is so far ahead, in every thread of a process. */
const clockAhead = (ms: number): Environment => {
  const code = `const Real = Date; globalThis.Date = class extends Real {
    constructor(...given) { if (given.length === 0) super(Real.now() + ${ms}); else super(...given) }
    static now() { return Real.now() + ${ms} }
  }`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}

t.test('clocks of nodes that are more than 30 seconds apart', { buffered: true }, async t => {
  const folder = temporaryFolder(t)
  const one = await startService(t, folder)
  const admin = await tokenFor(folder, {})
  const clocksOf = async (more: Environment) => {
    // A clock of its own needs a process of its own.
    const run = more['NODE_OPTIONS'] === undefined ? runHere : lexichron
    const { out, code } = await run(folder, ['doctor', '--json'], more)
    const lines = out.split('\n').filter(line => line.includes('"clocks of nodes"'))
    return { code, findings: lines.map((line): unknown => JSON.parse(line)) }
  }
  t.match((await clocksOf({})).findings, [{ state: 'ok' }])
  const ahead = await clocksOf(clockAhead(45_000))
  t.match(ahead.findings, [{ state: 'failed', detail: /4\d\.\d s apart/, advice: /time service/ }])
  t.equal(ahead.code, 1)
  t.match((await jobsPart(one.url, admin)).detail['clockOfOtherNodeAheadMs'], undefined)
  const two = await startService(t, folder, clockAhead(45_000))
  const part = await until('health says it', async saw => {
    const found = await jobsPart(one.url, admin)
    saw(found)
    return found.detail['clockOfOtherNodeAheadMs'] !== undefined && found
  })
  t.equal(part.state, 'degraded')
  t.ok(Math.abs(Number(part.detail['clockOfOtherNodeAheadMs']) - 45_000) < 10_000)
  t.match((await clocksOf({})).findings, [{ state: 'failed' }])
  await two.stop()
})
