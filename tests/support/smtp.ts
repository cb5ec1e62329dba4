/** A real SMTP server (smtp-server) that does as it is told: takes mail, refuses, dawdles, or hangs up after DATA. */
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Teardown } from './service.ts'

export type Behaviour = 'take' | 'refuse' | 'later' | 'hang-up' | 'dawdle'

export type TestSmtp = {
  readonly port: number
  /** With user and password where it asks for them. */
  readonly url: string
  behave(as: Behaviour): void
  /** What was taken, or was about to be, oldest first. */
  readonly seen: readonly { readonly to: readonly string[]; readonly mail: Email; readonly raw: string }[]
  close(): Promise<void>
}

const problem = (message: string, responseCode: number): Error => Object.assign(new Error(message), { responseCode })

export const startSmtp = async (
  t: Teardown,
  options: { readonly login?: { readonly user: string; readonly pass: string }; readonly port?: number } & Pick<
    SMTPServerOptions,
    'secure' | 'key' | 'cert'
  > = {},
): Promise<TestSmtp> => {
  const { login, port = 0, ...tls } = options
  let behaviour: Behaviour = 'take'
  const seen: { to: string[]; mail: Email; raw: string }[] = []
  const server = new SMTPServer({
    ...tls,
    ...{
      authOptional: !login,
      disabledCommands: tls.secure ? [] : ['STARTTLS'],
      allowInsecureAuth: true,
      logger: false,
    },
    onAuth: ({ username, password }, _, done) =>
      username === login?.user && password === login?.pass ? done(null, { user: 'ok' }) : done(problem('no', 535)),
    onRcptTo: ({ address }, _, done) => {
      if (behaviour === 'refuse') return done(problem(`no such box ${address}`, 550))
      if (behaviour === 'later') return done(problem('busy, come back', 451))
      return done()
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks).toString('utf8')
        seen.push({ to: session.envelope.rcptTo.map(each => each.address), mail: await PostalMime.parse(raw), raw })
        if (behaviour === 'take') return done()
        // The answer never comes: the connection ends, or nothing happens at all.
        if (behaviour === 'hang-up') for (const each of server.connections) each._socket?.destroy()
      })
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', () => resolve()))
  const { port: bound } = server.server.address() as AddressInfo
  const close = () =>
    new Promise<void>(resolve => {
      for (const each of server.connections) each._socket?.destroy()
      server.close(() => resolve())
    })
  t.teardown(close)
  const scheme = tls.secure ? 'smtps' : 'smtp'
  const who = login ? `${encodeURIComponent(login.user)}:${encodeURIComponent(login.pass)}@` : ''
  return {
    ...{ port: bound, url: `${scheme}://${who}127.0.0.1:${bound}`, seen, close },
    behave: as => {
      behaviour = as
    },
  }
}
