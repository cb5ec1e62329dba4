/** SMTP against a server that refuses, dawdles, hangs up, wants a sign-in, or cannot be trusted. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import tls from 'node:tls'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { errorLine } from '../../src/adapters/logging/redact.ts'
import { openSmtp } from '../../src/adapters/mail/smtp.ts'
import { defined } from '../../src/domain/defined.ts'
import { type Mail, MailError } from '../../src/ports/mailer.ts'
import { from, sampleMail as mail } from '../support/mails.ts'
import { startSmtp, testCertificate } from '../support/smtp.ts'
import { until } from '../support/until.ts'

const open = (t: Test, url: string) => {
  const mailer = openSmtp({ url, from })
  t.teardown(() => mailer.close())
  return mailer
}
type Outcome = { readonly kind: string; readonly message: string; readonly code?: number }
const outcomeOf = async (sending: Promise<void>): Promise<Outcome> => {
  try {
    await sending
    return { kind: 'taken', message: '' }
  } catch (error) {
    if (!(error instanceof MailError)) throw error
    const { kind, message, code } = error
    return { kind, message, ...defined({ code }) }
  }
}
const send = (t: Test, url: string, more: Partial<Mail> = {}): Promise<Outcome> =>
  outcomeOf(open(t, url).send({ ...mail, ...more }))

t.test('what was taken is parsed as it was meant, and a repetition has the same bytes', async t => {
  const server = await startSmtp(t, { login: { user: 'us@r', pass: 'p:ss/word' } })
  const mailer = open(t, server.url)
  await mailer.check()
  await Promise.all(Array.from({ length: 12 }, (_, n) => mailer.send({ ...mail, messageId: `m${n}@x.example` })))
  t.equal(server.seen.length, 12)
  const [first] = server.seen
  t.match(first, {
    to: ['ada@example.org'],
    mail: { subject: mail.subject, text: 'One line.\n', html: /One line/, from: { name: 'Lexichron' } },
  })
  const header = (name: string) => first?.mail.headers.find(({ key }) => key === name)?.value
  t.equal(header('auto-submitted'), 'auto-generated')
  t.equal(header('x-auto-response-suppress'), 'All')
  t.match(header('list-unsubscribe'), /^<mailto:/)
  await mailer.send(mail)
  await open(t, server.url).send(mail)
  const [one, two] = server.seen.slice(-2)
  t.equal(one?.raw, two?.raw)
  t.match(one?.mail.messageId, '<abc@dictionary.example>')
})

t.test('never, later, and nobody knows', async t => {
  const server = await startSmtp(t)
  const { url } = server
  server.behave('refuse')
  t.match(await send(t, url), { kind: 'permanent', code: 550, message: /answered 550 to RCPT/ })
  server.behave('later')
  t.match(await send(t, url), { kind: 'temporary', message: /answered 451 to RCPT/ })
  t.equal(server.seen.length, 0, 'no text was sent')
  server.behave('refuse-text')
  t.match(await send(t, url), { kind: 'permanent', code: 554, message: /answered 554 to DATA/ })
  server.behave('later-text')
  t.match(await send(t, url), { kind: 'temporary', message: /answered 452 to DATA/ })
  server.behave('cut')
  const before = server.seen.length
  t.match(await send(t, url), { kind: 'temporary', message: /no connection/ })
  t.equal(server.seen.length, before, 'cut before the text')
  server.behave('hang-up')
  const unknown = await send(t, url)
  t.match(unknown, { kind: 'unknown', message: /before the server answered for the text/ })
  t.equal(server.seen.length, before + 1, 'sent once: whether again is not for the pool to say')
  for (const { message } of [unknown]) t.notMatch(message, /ada@/)
  server.behave('delay')
  const late = outcomeOf(open(t, url).send(mail))
  await until('the text is there', () => server.seen.length === before + 2)
  server.release()
  t.match(await late, { kind: 'taken' }, 'who takes their time has taken it')
  server.behave('dawdle')
  const leaving = new AbortController()
  const cut = outcomeOf(open(t, url).send(mail, leaving.signal))
  await until('the text is there', () => server.seen.length === before + 3)
  leaving.abort()
  t.match(await cut, { kind: 'unknown' }, 'what is cut off after the text may have been taken')
})

t.test('what is about the session is mended by an operator, and no mail is lost for it', async t => {
  const server = await startSmtp(t, { login: { user: 'us@r', pass: 'p:ss/word' } })
  const wrong = await send(t, server.url.replace('word', 'wrong'))
  t.match(wrong, { kind: 'temporary', message: /refuses the user or the password/ })
  t.notMatch(wrong.message, /p:ss|wrong|us@r|ada@/, 'neither credentials nor people')
  await server.close()
  t.match(await send(t, server.url), { kind: 'temporary', message: /nothing listens there/ })
  t.match(await send(t, 'smtp://no-such-host.invalid'), {
    kind: 'temporary',
    message: /name is not found|no connection/,
  })
  const scripts: readonly (readonly [greeting: string, answers: Readonly<Record<string, string>>, says: RegExp])[] = [
    ['554 no service here', {}, /answered 554 to CONN/],
    ['220 hello', { EHLO: '250 hello', MAIL: '530 start TLS first' }, /answered 530 to MAIL/],
    ['220 hello', { EHLO: '250 hello', MAIL: '550 sender not allowed' }, /answered 550 to MAIL/],
    ['220 hello', { EHLO: '250 hello', MAIL: '250 ok', RCPT: '530 sign in first' }, /answered 530 to RCPT/],
    [
      '220 hello',
      { EHLO: '250 hello', MAIL: '250 ok', RCPT: '550 5.7.1 you are listed' },
      /answered 550 5\.7\.1 to RCPT/,
    ],
    ['220 hello', { EHLO: '250 hello', MAIL: '250 ok', RCPT: '554-5.7.26 not\r\n554 5.7.26 signed' }, /554 5\.7\.26/],
  ]
  const scripted = async (greeting: string, answers: Readonly<Record<string, string>>): Promise<Outcome> => {
    const listening = createServer(socket => {
      socket.on('error', () => undefined).write(`${greeting}\r\n`)
      socket.on('data', line => socket.write(`${answers[String(line).slice(0, 4)] ?? '250 ok'}\r\n`))
    }).listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const address = listening.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const outcome = await send(t, `smtp://127.0.0.1:${port}?requireTLS=false`)
    listening.close()
    return outcome
  }
  for (const [greeting, answers, says] of scripts)
    t.match(await scripted(greeting, answers), { kind: 'temporary', message: says })
  t.match(
    await scripted('220 hello', { EHLO: '250 hello', MAIL: '250 ok', RCPT: '550 5.1.1 no such box' }),
    { kind: 'permanent', code: 550 },
    'but there may be no such box',
  )
  t.match(
    await scripted('220 hello', { EHLO: '250 hello', MAIL: '552 too long' }),
    { kind: 'permanent', code: 552 },
    'but one that is too long is never shorter',
  )
})

t.test('encrypted or not at all, unless the address says so; by a certificate that is trusted', async t => {
  const { key, cert } = testCertificate(t)
  const plain = await startSmtp(t)
  const insisting = plain.url.replace('?requireTLS=false', '')
  t.match(await send(t, insisting), { kind: 'temporary', message: /offers no encryption \(STARTTLS\)/ })
  await t.rejects(open(t, insisting).check(), /offers no encryption/)
  t.equal(plain.seen.length, 0, 'nothing goes in the clear')
  t.match(await send(t, plain.url), { kind: 'taken' })

  const [upgraded, secure] = [await startSmtp(t, { key, cert }), await startSmtp(t, { key, cert, secure: true })]
  for (const { url } of [upgraded, secure])
    t.match(await send(t, url), { kind: 'temporary', message: /certificate is not trusted: name its authority/ })
  t.match(await send(t, `${upgraded.url}?requireTLS=false`), { kind: 'temporary', message: /not trusted/ })
  t.equal(upgraded.seen.length + secure.seen.length, 0, 'nothing goes to a server that cannot be trusted')
  const before = tls.getCACertificates('default')
  t.teardown(() => tls.setDefaultCACertificates(before))
  tls.setDefaultCACertificates([...before, cert.toString()])
  for (const { url } of [upgraded, secure]) t.match(await send(t, url), { kind: 'taken' })
  t.equal(upgraded.seen[0]?.secure, true)
})

t.test('addresses: one mailbox, whatever letters it has, and never a line or a list', async t => {
  const server = await startSmtp(t)
  const mailer = open(t, server.url)
  const bad = [
    'a@b.example\r\nBcc: e@f.example',
    'a@b.example\nRCPT TO:<e@f.example>',
    'a@b.example, e@f.example',
    'a@b.example e@f.example',
    '<e@f.example>',
    'Eve <e@f.example>',
    '"a b"@b.example',
    'a@b.example\u2028x',
    ' a@b.example',
    'group:e@f.example;',
    '@b.example',
    'a@',
    '',
    `${'a'.repeat(65)}@b.example`,
    'a@[127.0.0.1]',
  ]
  for (const to of bad)
    t.match(await outcomeOf(mailer.send({ ...mail, to })), { kind: 'permanent' }, encodeURIComponent(to))
  for (const more of [
    { headers: { 'List-Unsubscribe': '<https://a.example>\r\nBcc: e@f.example' } },
    { headers: { 'X\r\nBcc': 'e@f.example' } },
    { subject: 'Hello\r\nBcc: e@f.example' },
    { messageId: 'a@b.example>\r\nBcc: e@f.example' },
  ])
    t.match(await outcomeOf(mailer.send({ ...mail, ...more })), { kind: 'permanent', message: /control character/ })
  t.equal(server.seen.length, 0)

  await mailer.send({ ...mail, to: 'ada@bücher.example' })
  t.match(server.seen.at(-1)?.to, [/^ada@(xn--bcher-kva|bücher)\.example$/])
  await mailer.send({ ...mail, to: 'josé@bücher.example', messageId: 'idn@x.example' })
  t.match(server.seen.at(-1), { mail: { messageId: '<idn@x.example>', to: [{ address: /^jos.+@/ }] } })
  const old = await startSmtp(t, { hideSMTPUTF8: true })
  const refused = await send(t, old.url, { to: 'josé@bücher.example' })
  t.notMatch(refused.message, /jos/)
  t.comment(`a server without SMTPUTF8: ${refused.kind} ${refused.message}`)
  t.match(await send(t, old.url, { to: 'ada@bücher.example' }), { kind: 'taken' }, 'a domain needs no extension')
})

t.test('what the server says, which may be what it was told, is nowhere in the error', async t => {
  const secrets = /us@r|s3cret|dXNAcg|czNjcmV0|echoed|ada@/i
  const echoing = createServer(socket => {
    socket.on('error', () => undefined).write('220 hello\r\n')
    socket.on('data', line => {
      const said = String(line).trim()
      if (said.startsWith('EHLO')) return socket.write('250-hello\r\n250 AUTH LOGIN PLAIN\r\n')
      const [, , plain = ''] = said.split(' ')
      return socket.write(`535 5.7.8 echoed ${said} ${Buffer.from(plain, 'base64')} us@r s3cret\r\n`)
    })
  }).listen(0, '127.0.0.1')
  await once(echoing, 'listening')
  t.teardown(() => echoing.close())
  const address = echoing.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const mailer = open(t, `smtp://us%40r:s3cret@127.0.0.1:${port}?requireTLS=false`)
  for (const attempt of [mailer.check(), mailer.send(mail)]) {
    const error = await attempt.catch((failure: unknown) => failure)
    t.match(error, { name: 'MailError', kind: 'temporary', message: /refuses the user or the password/ })
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), secrets)
    t.notMatch(JSON.stringify(errorLine(error)), secrets)
  }
})
