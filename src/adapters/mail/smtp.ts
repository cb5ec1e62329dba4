/** Mail by SMTP (RFC 5321), by nodemailer through a pool of connections; encrypted and checked, unless the address says otherwise. */
import { createTransport } from 'nodemailer'
import { defined } from '../../domain/defined.ts'
import { type Mail, MailError, type MailErrorKind, type Mailer } from '../../ports/mailer.ts'
import { envelopeOf } from './headers.ts'

const CONNECTIONS = 5
/** After so many a connection is made anew: servers limit it. */
const MESSAGES = 100
const CONNECT_MS = 10_000
const GREETING_MS = 10_000
/** Without a byte for so long the server is gone. Some look at a text for a while before they answer for it (RFC 5321, 4.5.3.2.6). */
const SOCKET_MS = 120_000

/** Commands whose refusal is about this recipient or this text (RFC 5321, 4.2.1): all others are about us, or the server. */
const ABOUT_THE_MAIL: ReadonlySet<string> = new Set(['RCPT', 'DATA'])
/** To MAIL: the text is too long (RFC 1870, 6.1). */
const TOO_LONG = 552
/** RFC 4954, 6: what is missing is our sign-in or its encryption, whenever it is said. */
const ABOUT_THE_SESSION: ReadonlySet<number> = new Set([530, 534, 535, 538])

type Failure = Error & {
  readonly code?: string
  readonly responseCode?: number
  readonly command?: string
  readonly response?: string
}

type Told = { readonly kind: MailErrorKind; readonly reason: string; readonly code?: number }

/** What the server said with its number. */
const answered = (code: number, command: string, response: string): Told => {
  const [verb = ''] = command.split(' ')
  const [, status] = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response) ?? []
  // RFC 3463, 3.8: who may send, and how, whatever the command was.
  const refusesUs = verb === 'RCPT' && status?.startsWith('5.7.') === true
  const about =
    !refusesUs && ((ABOUT_THE_MAIL.has(verb) && !ABOUT_THE_SESSION.has(code)) || (verb === 'MAIL' && code === TOO_LONG))
  const said = refusesUs ? `${code} ${status}` : code
  const reason = `the server answered ${said}${verb === '' ? '' : ` to ${verb}`}`
  return code >= 500 && about ? { kind: 'permanent', reason, code } : { kind: 'temporary', reason }
}

const temporary = (reason: string): Told => ({ kind: 'temporary', reason })

/**
 * What an operator is told; never what the server said of an address, nor credentials. `begun`: the text was on its way, so that nobody has
 * said what became of it.
 */
const describe = (error: Failure, begun: boolean): Told => {
  const { code = error.name, responseCode, command = '', response = '', message } = error
  if (code === 'EAUTH') return temporary('the server refuses the user or the password')
  if (/certificate|self.signed|unable to verify|altnames/i.test(message))
    return temporary("the server's certificate is not trusted: name its authority with NODE_EXTRA_CA_CERTS")
  if (command === 'STARTTLS')
    return temporary(
      'the server offers no encryption (STARTTLS): smtps:// is encrypted from the start, ?requireTLS=false goes without',
    )
  if (responseCode !== undefined) return answered(responseCode, command, response)
  if (begun)
    return { kind: 'unknown', reason: `the connection ended before the server answered for the text (${code})` }
  if (code === 'EDNS' || /ENOTFOUND|EAI_AGAIN/.test(message)) return temporary("the server's name is not found")
  if (/ECONNREFUSED/.test(message)) return temporary('nothing listens there (ECONNREFUSED)')
  if (code === 'EENVELOPE') return { kind: 'permanent', reason: 'the address is none that SMTP can carry' }
  return temporary(`no connection (${code})`)
}

/** Host and port alone. */
const shownOf = (url: URL): string => `LEXICHRON_MAIL ${url.protocol}//${url.username === '' ? '' : '***@'}${url.host}`

export const openSmtp = ({ url, from }: { readonly url: string; readonly from: string }): Mailer => {
  const parsed = new URL(url)
  const secure = parsed.protocol === 'smtps:'
  const shown = shownOf(parsed)
  const user = decodeURIComponent(parsed.username)
  const transport = createTransport({
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: MESSAGES,
    secure,
    // By itself it would send again what may have been taken: repeating is the queue's business.
    maxRequeues: 0,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed.port) || (secure ? 465 : 587),
    requireTLS: !secure && parsed.searchParams.get('requireTLS') !== 'false',
    ...defined({ auth: user !== '' ? { user, pass: decodeURIComponent(parsed.password) } : undefined }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: GREETING_MS,
    socketTimeout: SOCKET_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  // Connections of the pool fail by themselves too; the next mail opens another one.
  transport.on('error', () => undefined)
  const begun = new Set<string>()
  transport.use('stream', (mail, done) => {
    const id = String(mail.data.messageId)
    // It flows once the server has answered DATA with 354; what is before that is no part of it.
    mail.message.processFunc(text => text.once('resume', () => begun.add(id)))
    done()
  })
  // Without its cause: that holds what the server said, which may be anything that it was told.
  const failed = (error: unknown, id = ''): MailError => {
    if (error instanceof MailError) return error
    const { kind, reason, code } = describe(error instanceof Error ? error : new Error(String(error)), begun.has(id))
    return new MailError(kind, `${shown}: ${reason}`, code === undefined ? {} : { code })
  }
  return {
    send: async (mail: Mail, signal?: AbortSignal) => {
      const message = { ...envelopeOf(mail, from), ...defined({ signal }) }
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
    // What is on its way is not waited for: whoever closes has waited.
    close: async () => transport.close({ force: true }),
  }
}
