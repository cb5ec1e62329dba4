/** A real SMTP server (smtp-server) that does as it is told: takes mail, refuses, dawdles, or hangs up before and after DATA. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { type Teardown, temporaryFolder } from './service.ts'

/**
 * `refuse` and `later`: 550 and 451 to RCPT. `refuse-text` and `later-text`: 554 and 452 once the text is there. `cut`: the connection
 * ends at RCPT; `hang-up`: after the text, before its answer. `dawdle`: the text is never answered for; `delay`: when `release` says so.
 */
export type Behaviour =
  | 'take'
  | 'refuse'
  | 'later'
  | 'refuse-text'
  | 'later-text'
  | 'cut'
  | 'hang-up'
  | 'dawdle'
  | 'delay'

export type TestSmtp = {
  readonly port: number
  /** With user and password where it asks for them; without TLS it says that none is wanted. */
  readonly url: string
  behave(as: Behaviour): void
  /** Answers for the texts that were held back by `delay`. */
  release(): void
  /** What was taken, or was about to be, oldest first. `secure`: it came encrypted. */
  readonly seen: readonly {
    readonly to: readonly string[]
    readonly mail: Email
    readonly raw: string
    readonly secure: boolean
  }[]
  /** Of those that it said it has taken. */
  readonly taken: readonly string[]
  close(): Promise<void>
}

const problem = (message: string, responseCode: number): Error => Object.assign(new Error(message), { responseCode })

/** Of a server on this machine, by an authority that nobody trusts; `path` for those who are to. */
export const testCertificate = (
  t: Teardown,
): { readonly key: Buffer; readonly cert: Buffer; readonly path: string } => {
  const folder = temporaryFolder(t)
  const [key, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', path, ...names], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(path), path }
}

/** What the server is at, told before it answers; `text`: some of it is there. */
export type SmtpStep = 'mail' | 'rcpt' | 'text' | 'end'

type Options = {
  readonly onStep?: (step: SmtpStep) => void
  readonly login?: { readonly user: string; readonly pass: string }
  readonly port?: number
  /** Whether STARTTLS is offered, where the connection is not encrypted from the start; only with a certificate. */
  readonly starttls?: boolean
} & Pick<SMTPServerOptions, 'secure' | 'key' | 'cert' | 'hideSMTPUTF8'>

export const startSmtp = async (t: Teardown, options: Options = {}): Promise<TestSmtp> => {
  const { login, port = 0, starttls = options.key !== undefined, onStep = () => undefined, ...tls } = options
  let behaviour: Behaviour = 'take'
  const seen: { to: string[]; mail: Email; raw: string; secure: boolean }[] = []
  const taken: string[] = []
  const held: (() => void)[] = []
  const cut = (): void => {
    for (const { _socket } of server.connections) _socket?.destroy()
  }
  const server = new SMTPServer({
    ...tls,
    authOptional: !login,
    disabledCommands: tls.secure || starttls ? [] : ['STARTTLS'],
    allowInsecureAuth: true,
    logger: false,
    onAuth: ({ username, password }, _, done) =>
      username === login?.user && password === login?.pass ? done(null, { user: 'ok' }) : done(problem('no', 535)),
    onMailFrom: (_, __, done) => {
      onStep('mail')
      done()
    },
    onRcptTo: ({ address }, _, done) => {
      onStep('rcpt')
      if (behaviour === 'refuse') return done(problem(`no such box ${address}`, 550))
      if (behaviour === 'later') return done(problem('busy, come back', 451))
      if (behaviour === 'cut') return cut()
      return done()
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.once('data', () => onStep('text')).on('data', chunk => chunks.push(chunk))
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks).toString('utf8')
        const as = behaviour
        const mail = await PostalMime.parse(raw)
        const to = session.envelope.rcptTo.map(({ address }) => address)
        const answer = (): void => {
          taken.push(mail.messageId ?? '')
          done()
        }
        seen.push({ to, mail, raw, secure: session.secure })
        onStep('end')
        if (as === 'take') answer()
        else if (as === 'delay') held.push(answer)
        else if (as === 'refuse-text') done(problem('no such words here', 554))
        else if (as === 'later-text') done(problem('no room', 452))
        // The answer never comes: the connection ends, or nothing happens at all.
        else if (as === 'hang-up') cut()
      })
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', () => resolve()))
  const { port: bound } = server.server.address() as AddressInfo
  const close = () =>
    new Promise<void>(resolve => {
      cut()
      server.close(() => resolve())
    })
  t.teardown(close)
  const scheme = tls.secure ? 'smtps' : 'smtp'
  const who = login ? `${encodeURIComponent(login.user)}:${encodeURIComponent(login.pass)}@` : ''
  return {
    port: bound,
    url: `${scheme}://${who}127.0.0.1:${bound}${tls.secure || starttls ? '' : '?requireTLS=false'}`,
    seen,
    taken,
    close,
    behave: as => {
      behaviour = as
    },
    release: () => {
      for (const answer of held.splice(0)) answer()
    },
  }
}
