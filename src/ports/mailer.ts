/** One mail to one recipient, and what comes of it. */
import { OwnError } from '../domain/own-error.ts'

export const locales = ['en', 'es'] as const
export type Locale = (typeof locales)[number]

export type Mail = {
  /** Without angle brackets; the same for every attempt, so that a receiver can tell a repetition (RFC 5322, 3.6.4). */
  readonly messageId: string
  /** The same for every attempt too: a repetition has the same bytes. */
  readonly date: Date
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
  /** Names of the keys that what it holds is sealed under: where one is destroyed, no copy is to stay. */
  readonly keys: readonly string[]
}

/**
 * `permanent`: the receiver refused it and always will (5xx of RFC 5321, 4.2.1), or it cannot be written to at all. `temporary`: worth
 * another try. `unknown`: the connection ended after the message was sent and before it was answered for, so that it may have
 * been taken.
 */
export type MailErrorKind = 'permanent' | 'temporary' | 'unknown'

/** Its message names no recipient: it is kept with the job and shown to operators. */
export class MailError extends OwnError {
  override readonly name = 'MailError'
  readonly kind: MailErrorKind
  /** What the server answered, where it did (RFC 5321, 4.2). */
  readonly code?: number
  constructor(kind: MailErrorKind, message: string, options?: ErrorOptions & { readonly code?: number }) {
    super(message, options)
    this.kind = kind
    if (options?.code !== undefined) this.code = options.code
  }
}

export type Mailer = {
  /**
   * Resolves when the next server has answered for it, or it lies in the outbox. What is on its way when the signal aborts is cut
   * off: `unknown`, where the text had begun. @throws {MailError}
   */
  send(mail: Mail, signal?: AbortSignal): Promise<void>
  /** Could it be sent now? @throws {MailError} with what is wrong, without credentials. */
  check(): Promise<void>
  /** Removes what is kept of mails that hold something sealed under this key; absent where nothing is kept. @throws {MailError} */
  readonly forget?: (key: string) => Promise<void>
  close(): Promise<void>
}
