/** Mail of a running service: from an event to a mail server, by a queue that outlives refusals, absences and kill -9. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lexichron, startService, temporaryFolder } from '../support/service.ts'
import { startSmtp } from '../support/smtp.ts'
import { until } from '../support/until.ts'

// Each waits for queues and locks of its own.
t.jobs = 3

type Json = Readonly<Record<string, unknown>>
const settings = (url: string) => ({
  ...{ MAIL: url, MAIL_FROM: 'Lexichron <mail@dictionary.example>', ALERT_MAIL: 'ops@example.org,night@example.org' },
  LOG_LEVEL: 'info',
})
const tokenFor = async (folder: string, env: Readonly<Record<string, string>>, role = 'admin'): Promise<string> => {
  const { out, err, code } = await lexichron(folder, ['token', 'create', '--role', role, '--for', 'tests'], env)
  if (code !== 0) throw new Error(err)
  return out.trim()
}
const partOf = async (url: string, token: string, name: string): Promise<Json> => {
  const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${token}` } })
  return Object(Object(Object(await answer.json())['parts'])[name])
}
const jobsOf = async (
  folder: string,
  env: Readonly<Record<string, string>>,
  state?: string,
): Promise<readonly Json[]> => {
  const { out } = await lexichron(folder, ['jobs', 'list', '--json', ...(state ? ['--state', state] : [])], env)
  return JSON.parse(out)
}

t.test(
  'operators are told once each, refusals are parked and retried, and a queue waits for a server that is away',
  { buffered: true },
  async t => {
    const folder = temporaryFolder(t)
    const smtp = await startSmtp(t)
    const env = settings(smtp.url)
    const [one, two] = [await startService(t, folder, env), await startService(t, folder, env)]
    const admin = await tokenFor(folder, env)
    await until('both are told', async () => (smtp.seen.length >= 2 ? true : undefined))
    t.same(smtp.seen.flatMap(each => each.to).toSorted(), ['night@example.org', 'ops@example.org'])
    t.match(smtp.seen[0]?.mail, {
      subject: 'An access token with the role admin was made',
      text: /lexichron token revoke [0-9a-f-]{36}/,
    })
    t.match(smtp.seen[0]?.raw ?? '', /^List-Unsubscribe: <mailto:mail@dictionary.example\?subject=unsubscribe>/m)
    await tokenFor(folder, env, 'reader')

    smtp.behave('refuse')
    await tokenFor(folder, env)
    const parked = await until('parked', async () => {
      const all = await jobsOf(folder, env, 'parked')
      return all.length === 2 ? all : undefined
    })
    t.match(parked[0], { kind: 'mail', failures: 1, reason: /MAIL smtp:\/\/127\.0\.0\.1:\d+: the server answered 550/ })
    t.notMatch(JSON.stringify(parked), /example\.org/, 'a job names nobody')
    t.match(await partOf(one.url, admin, 'jobs'), { state: 'degraded', detail: { parked: 2, waiting: 0 } })
    const scrape = await fetch(`${one.url}/metrics`, { headers: { authorization: `Bearer ${admin}` } })
    t.match(await scrape.text(), /lexichron_jobs\{state="parked"\} 2/)
    smtp.behave('take')
    const [first] = parked
    t.match(await lexichron(folder, ['jobs', 'drop', String(first?.['key'])], env), { code: 0 })
    t.match(await lexichron(folder, ['jobs', 'drop', String(first?.['key'])], env), {
      code: 1,
      err: /no job .* waits or is parked/,
    })
    t.match(await lexichron(folder, ['jobs', 'retry'], env), { code: 0, out: '1 will be done again\n' })
    await until('the other one', async () => (smtp.seen.length >= 3 ? true : undefined))
    await until('all is well', async () =>
      (await partOf(one.url, admin, 'jobs'))['state'] === 'ok' ? true : undefined,
    )

    await smtp.close()
    const bearer = {
      authorization: `Bearer ${await tokenFor(folder, env, 'moderator')}`,
      'content-type': 'application/json',
    }
    const post = (path: string, body: object, more = {}) =>
      fetch(one.url + path, { method: 'POST', headers: { ...bearer, ...more }, body: JSON.stringify(body) })
    const drafted = await post('/v1/entries', {
      ...{ language: 'en', lemma: 'gone', partOfSpeech: 'noun', senses: [{ gloss: 'what is not there' }] },
    })
    const { id } = Object(await drafted.json())
    t.equal(drafted.status, 201)
    const removed = await post(`/v1/entries/${id}/redact`, { ground: 'privacy' }, { 'if-match': '*' })
    t.equal(removed.status, 200, await removed.text())
    const waiting = await until('it waits', async () => {
      const all = await jobsOf(folder, env, 'waiting')
      return all.length === 2 && all.every(each => Number(each['failures']) > 0) ? all : undefined
    })
    t.match(waiting[0]?.['reason'], /nothing listens there|ECONNREFUSED/)
    const told = await until('health to say so, whichever node has tried', async () => {
      const part = await partOf(one.url, admin, 'jobs')
      return Object(part['detail'])['mail'] === undefined ? undefined : part
    })
    t.match(told, { state: 'degraded', detail: { waiting: 2, mail: /MAIL smtp/ } })
    t.equal((await fetch(`${one.url}/health/ready`)).status, 200, 'mail is no reason to send nobody here')
    const again = await startSmtp(t, { port: smtp.port })
    await until('what waited comes', async () => (again.seen.length >= 2 ? true : undefined))
    t.match(again.seen[0]?.mail, { subject: `Text of entry ${id} was removed for good` })
    t.same(again.seen.flatMap(each => each.to).toSorted(), ['night@example.org', 'ops@example.org'])
    const printed = () => [one, two].map(({ output }) => output.err + output.out).join('')
    await until('the line of it', async () => (printed().includes('"a mail was taken"') ? true : undefined))
    t.notMatch(printed(), /ops@example|night@example/, 'no log names who was told')
  },
)

t.test(
  'killed between the text and its answer: sent again by whoever is next, told as the same mail',
  { buffered: true },
  async t => {
    const folder = temporaryFolder(t)
    const smtp = await startSmtp(t)
    const env = { ...settings(smtp.url), ALERT_MAIL: 'ops@example.org' }
    const one = await startService(t, folder, env)
    smtp.behave('dawdle')
    await tokenFor(folder, env)
    await until('the text is there', async () => (smtp.seen.length > 0 ? true : undefined))
    await one.stop('SIGKILL')
    smtp.behave('take')
    const two = await startService(t, folder, env)
    t.match(await jobsOf(folder, env), [{ state: 'running' }], 'the dead node holds it still')
    await until('again', async () => (smtp.seen.length > 1 ? true : undefined))
    await until('done', async () => ((await jobsOf(folder, env)).length === 0 ? true : undefined))
    t.equal(smtp.seen.length, 2)
    t.equal(smtp.seen[0]?.mail.messageId, smtp.seen[1]?.mail.messageId)
    t.equal(await two.stop(), 0)
  },
)

t.test('without a server mail lies in the outbox; wrong settings say what is wrong', { buffered: true }, async t => {
  const folder = temporaryFolder(t)
  const env = { ALERT_MAIL: 'ops@example.org' }
  const service = await startService(t, folder, env)
  await tokenFor(folder, env)
  const outbox = join(folder, 'outbox')
  const name = await until('a file', async () =>
    existsSync(outbox) ? readdirSync(outbox).find(each => each.endsWith('.eml')) : undefined,
  )
  t.match(readFileSync(join(outbox, name), 'utf8'), /^To: ops@example\.org\r$/m)
  t.equal(await service.stop(), 0)

  const refused = async (more: Readonly<Record<string, string>>) => {
    const { code, err } = await lexichron(folder, ['serve'], more)
    t.equal(code, 2)
    return err
  }
  const from = { MAIL_FROM: 'a@b.example' }
  t.match(await refused({ MAIL: 'smtp://us:secret@mail.example' }), /MAIL names a server.*set MAIL_FROM/)
  const path = await refused({ ...from, MAIL: 'smtp://us:secret@mail.example/inbox' })
  t.match(path, /MAIL is "smtp:\/\/us:\*\*\*@mail\.example\/inbox": it takes no path/)
  t.notMatch(path, /secret/)
  t.match(await refused({ ...from, MAIL: 'smtp://mail.example?tls=no' }), /the option tls, which is not known/)
  t.match(await refused({ MAIL_FROM: 'nobody' }), /MAIL_FROM is "nobody": it has to be a sender/)
  t.match(await refused({ ALERT_MAIL: 'ops@example.org,nobody' }), /ALERT_MAIL is "nobody"/)
  const gone = { ...from, MAIL: 'smtp://us:secret@127.0.0.1:1' }
  const { out } = await lexichron(folder, ['doctor', '--json'], gone)
  t.match(out, /nothing listens there/)
  t.notMatch(out, /secret/)
  const preview = await lexichron(folder, ['mail', 'preview', 'token-issued', '--locale', 'es'])
  t.match(preview, { code: 0, out: /Subject: Se creó un token de acceso con el rol admin/ })
  t.match(await lexichron(folder, ['mail', 'preview', 'nothing']), {
    code: 2,
    err: /mail nothing is unknown: use verify-email, .*entry-removed/,
  })
})
