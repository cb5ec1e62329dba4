/** Mail by SMTP (RFC 5321), by nodemailer through a pool of connections; TLS is checked wherever it is offered. */
import { PassThrough } from 'node:stream'
import { createTransport } from 'nodemailer'
import { type Mail, MailError, type MailErrorKind, type Mailer } from '../../ports/mailer.ts'
import { envelopeOf } from './headers.ts'

const CONNECTIONS = 5
/** After so many a connection is made anew: servers limit it. */
const MESSAGES = 100
const CONNECT_MS = 10_000
const GREETING_MS = 10_000
const SOCKET_MS = 30_000

/** Commands whose refusal is about this recipient or this text (RFC 5321, 4.2.1): all others are about us, or the server. */
const ABOUT_THE_MAIL: ReadonlySet<string> = new Set(['RCPT', 'DATA'])
/** RFC 4954, 6: what is missing is our sign-in or its encryption, whenever it is said. */
const ABOUT_THE_SESSION: ReadonlySet<number> = new Set([530, 534, 535, 538])

type Failure = Error & { readonly code?: string; readonly responseCode?: number; readonly command?: string }

/**
 * What an operator is told; never what the server said of an address, nor credentials. `begun`: the text was on its way, so that nobody has
 * said what became of it.
 */
const describe = (error: Failure, begun: boolean): { readonly kind: MailErrorKind; readonly reason: string } => {
  const { code, responseCode, command } = error
  if (code === 'EAUTH') return { kind: 'temporary', reason: 'the server refuses the user or the password' }
  if (responseCode !== undefined) {
    const [verb = ''] = (command ?? '').split(' ')
    const final = responseCode >= 500 && ABOUT_THE_MAIL.has(verb) && !ABOUT_THE_SESSION.has(responseCode)
    const reason = `the server answered ${responseCode}${verb === '' ? '' : ` to ${verb}`}`
    return { kind: final ? 'permanent' : 'temporary', reason }
  }
  if (begun)
    return {
      kind: 'unknown',
      reason: `the connection ended before the server answered for the text (${code ?? error.name})`,
    }
  if (/certificate|self.signed|unable to verify|altnames/i.test(error.message))
    return {
      kind: 'temporary',
      reason: "the server's certificate is not trusted: name its authority with NODE_EXTRA_CA_CERTS",
    }
  if (code === 'EDNS' || /ENOTFOUND|EAI_AGAIN/.test(error.message))
    return { kind: 'temporary', reason: "the server's name is not found" }
  if (/ECONNREFUSED/.test(error.message)) return { kind: 'temporary', reason: 'nothing listens there (ECONNREFUSED)' }
  if (code === 'EENVELOPE') return { kind: 'permanent', reason: 'the address is none that SMTP can carry' }
  return { kind: 'temporary', reason: `no connection (${code ?? error.name})` }
}

/** Host and port alone. */
const shownOf = (url: URL): string => `MAIL ${url.protocol}//${url.username === '' ? '' : '***@'}${url.host}`

export const openSmtp = ({ url, from }: { readonly url: string; readonly from: string }): Mailer => {
  const parsed = new URL(url)
  const secure = parsed.protocol === 'smtps:'
  const shown = shownOf(parsed)
  const user = decodeURIComponent(parsed.username)
  const transport = createTransport({
    ...{ pool: true, maxConnections: CONNECTIONS, maxMessages: MESSAGES, secure },
    // By itself it would send again what may have been taken: repeating is the queue's business.
    maxRequeues: 0,
    ...{ host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port) || (secure ? 465 : 587) },
    requireTLS: parsed.searchParams.get('requireTLS') === 'true',
    ...(user !== '' && { auth: { user, pass: decodeURIComponent(parsed.password) } }),
    ...{ connectionTimeout: CONNECT_MS, greetingTimeout: GREETING_MS, socketTimeout: SOCKET_MS },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  })
  // Connections of the pool fail by themselves too; the next mail opens another one.
  transport.on('error', () => undefined)
  const begun = new Set<string>()
  transport.use('stream', (mail, done) => {
    const id = String(mail.data.messageId)
    mail.message.transform(() => {
      begun.add(id)
      return new PassThrough()
    })
    done()
  })
  const failed = (cause: unknown, id = ''): MailError => {
    const { kind, reason } = describe(cause instanceof Error ? cause : new Error(String(cause)), begun.has(id))
    return new MailError(kind, `${shown}: ${reason}`, { cause })
  }
  return {
    send: async (mail: Mail) => {
      const message = envelopeOf(mail, from)
      try {
        await transport.sendMail(message)
      } catch (error) {
        throw failed(error, message.messageId)
      } finally {
        begun.delete(message.messageId)
      }
    },
    check: async () => {
      try {
        await transport.verify()
      } catch (error) {
        throw failed(error)
      }
    },
    close: async () => transport.close(),
  }
}
