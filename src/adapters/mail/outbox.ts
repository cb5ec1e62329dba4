/**
 * Mail as files: one .eml (RFC 5322) each, named by its message id, so that a repetition replaces what it repeats. For a
 * service that is tried out, and for tests; whoever reads the folder reads the mail, so it is its owner's alone.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { MailError, type Mailer } from '../../ports/mailer.ts'
import { envelopeOf } from './headers.ts'

const temporary = (folder: string, cause: unknown): MailError => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return new MailError('temporary', `MAIL file:${folder}: the outbox cannot be written (${code})`, { cause })
}

export const openOutbox = ({ folder, from }: { readonly folder: string; readonly from: string }): Mailer => {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  const ready = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  }
  return {
    send: async mail => {
      const { message } = await composer.sendMail(envelopeOf(mail, from))
      if (!Buffer.isBuffer(message)) throw new MailError('temporary', 'the mail could not be composed')
      const day = mail.date.toISOString().slice(0, 10)
      const name = `${day}-${createHash('sha256').update(mail.messageId).digest('hex').slice(0, 24)}.eml`
      const draft = join(folder, `.${name}.${process.pid}`)
      try {
        await ready()
        const file = await open(draft, 'w', 0o600)
        try {
          await file.writeFile(message)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(draft, join(folder, name))
      } catch (cause) {
        await rm(draft, { force: true }).catch(() => undefined)
        throw temporary(folder, cause)
      }
    },
    check: async () => {
      try {
        await ready()
        const probe = join(folder, `.probe-${process.pid}`)
        await (await open(probe, 'w', 0o600)).close()
        await rm(probe)
      } catch (cause) {
        throw temporary(folder, cause)
      }
    },
    close: async () => composer.close(),
  }
}
