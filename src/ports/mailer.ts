/** One mail to one recipient, and what comes of it. */

export const locales = ['en', 'es'] as const
export type Locale = (typeof locales)[number]

export type Mail = {
  /** Without angle brackets; the same for every attempt, so that a receiver can tell a repetition (RFC 5322, 3.6.4). */
  readonly messageId: string
  readonly date: Date
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * `permanent`: the receiver refused it and always will (5xx of RFC 5321, 4.2.1). `temporary`: worth another try. `unknown`:
 * the connection ended after the message was sent and before it was answered for, so that it may have been taken.
 */
export type MailErrorKind = 'permanent' | 'temporary' | 'unknown'

/** Its message names no recipient: it is kept with the job and shown to operators. */
export class MailError extends Error {
  override readonly name = 'MailError'
  readonly kind: MailErrorKind
  constructor(kind: MailErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

export type Mailer = {
  /** Resolves when the next server has answered for it, or it lies in the outbox. @throws {MailError} */
  send(mail: Mail): Promise<void>
  /** Could it be sent now? @throws {MailError} with what is wrong, without credentials. */
  check(): Promise<void>
  close(): Promise<void>
}
