/**
 * Mail as files: one .eml (RFC 5322) each, named by its message id, so that a repetition replaces what it repeats, and by the keys
 * that what it holds is sealed under, so that it goes with them. For a service that is tried out, and for tests; whoever reads
 * the folder reads the mail, so it is its owner's alone.
 */
import { createHash } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { codeOf } from '../../core/files/error-code.ts'
import { FILE_MODE, makeFolders, narrow, narrowFolder } from '../../core/files/folders.ts'
import { type Mail, MailError, type Mailer } from '../../ports/mailer.ts'
import { envelopeOf } from './headers.ts'

const temporary = (folder: string, cause: unknown): MailError =>
  new MailError(
    'temporary',
    `LEXICHRON_MAIL file:${folder}: the outbox cannot be written (${codeOf(cause) ?? 'unknown error'})`,
    {
      cause,
    },
  )

const digest = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length)
const KEY_LENGTH = 20
/** Mails, and those on their way. */
const OURS = /^(?:\.probe-\d+|\.?\d{4}-\d\d-\d\d-[0-9a-f]{24}\..*)$/
const nameOf = ({ date, messageId, keys }: Mail): string =>
  [
    `${date.toISOString().slice(0, 10)}-${digest(messageId, 24)}`,
    ...[...new Set(keys)].map(key => digest(key, KEY_LENGTH)),
    'eml',
  ].join('.')

export const openOutbox = ({ folder, from }: { readonly folder: string; readonly from: string }): Mailer => {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  let narrowed = false
  const ready = async (): Promise<void> => {
    makeFolders(folder)
    if (narrowed) return
    narrowFolder(folder, OURS)
    for (const name of await readdir(folder)) if (OURS.test(name)) narrow(join(folder, name))
    narrowed = true
  }
  const write = async (name: string, message: Buffer): Promise<void> => {
    const draft = join(folder, `.${name}.${process.pid}`)
    try {
      await ready()
      const file = await open(draft, 'w', FILE_MODE)
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
  }
  return {
    send: async mail => {
      const { message } = await composer.sendMail(envelopeOf(mail, from))
      if (!Buffer.isBuffer(message)) throw new MailError('temporary', 'the mail could not be composed')
      await write(nameOf(mail), message)
    },
    check: async () => {
      try {
        await ready()
        const probe = join(folder, `.probe-${process.pid}`)
        await (await open(probe, 'w', FILE_MODE)).close()
        await rm(probe)
      } catch (cause) {
        throw temporary(folder, cause)
      }
    },
    forget: async key => {
      const mark = `.${digest(key, KEY_LENGTH)}.`
      try {
        for (const name of await readdir(folder)) if (name.includes(mark)) await rm(join(folder, name), { force: true })
      } catch (cause) {
        // Where there is no folder nothing was kept.
        if (codeOf(cause) !== 'ENOENT') throw temporary(folder, cause)
      }
    },
    close: async () => composer.close(),
  }
}
