/** `lexichron mail`: how a mail looks, and whether one arrives. */
import { type Locale, locales, MailError } from '../../ports/mailer.ts'
import type { Mails } from './app-port.ts'
import { type CliCommand, type CliInput, exitCodes, oneOf, UsageError } from './command.ts'
import type { Terminal } from './terminal.ts'

const LOCALE = `LOCALE  a language as BCP 47 has it; mails are written in ${locales.join(' and ')}, en by default`

/** @throws {UsageError} on what is no language at all. */
const localeFor = (input: CliInput, mails: Pick<Mails, 'localeOf'>, terminal: Terminal): Locale => {
  const tag = input.option('locale') ?? 'en'
  try {
    Intl.getCanonicalLocales(tag)
  } catch {
    throw new UsageError(`--locale is ${tag}: write a language such as ${locales.join(', ')} or es-MX.`)
  }
  const locale = mails.localeOf(tag)
  if (!tag.toLowerCase().startsWith(locale)) terminal.note(`Mails are not written in ${tag}: this one is in ${locale}.`)
  return locale
}

export const mailPreview: CliCommand = {
  name: 'mail preview',
  usage: '[NAME] [--locale LOCALE] [--html|--text]',
  summary: 'print a mail as it would be sent, with made-up data; without a name, the names',
  options: { locale: { type: 'string' }, html: { type: 'boolean' }, text: { type: 'boolean' } },
  about: { locale: LOCALE, html: 'the HTML alone', text: 'subject and text, as by default' },
  positionals: [0, 1],
  run: async (input, { terminal, mails }) => {
    const [name] = input.positionals
    if (input.flag('html') && input.flag('text'))
      throw new UsageError('--html or --text: a mail has both, one at a time.')
    const opened = await mails()
    if (name === undefined) {
      await terminal.result(terminal.json ? JSON.stringify(opened.names) : opened.names.join('\n'))
      return exitCodes.done
    }
    const mail = opened.preview(oneOf(name, opened.names, 'mail'), localeFor(input, opened, terminal))
    const shown = input.flag('html') ? mail.html : `Subject: ${mail.subject}\n\n${mail.text}`
    await terminal.result(terminal.json ? JSON.stringify(mail) : shown.trimEnd())
    return exitCodes.done
  },
}

export const mailTest: CliCommand = {
  name: 'mail test',
  usage: '<ADDRESS> [--locale LOCALE]',
  summary: 'send a mail by the settings in force, past the queue, and say what came of it',
  options: { locale: { type: 'string' } },
  about: { locale: LOCALE },
  positionals: [1, 1],
  run: async (input, { terminal, mails, config }) => {
    const [address = ''] = input.positionals
    const opened = await mails()
    const locale = localeFor(input, opened, terminal)
    try {
      const { messageId } = await opened.test(config(), address, locale)
      await terminal.result(terminal.json ? JSON.stringify({ messageId }) : `taken as <${messageId}>`)
      return exitCodes.done
    } catch (error) {
      if (!(error instanceof MailError)) throw error
      const { kind, message } = error
      if (terminal.json) await terminal.result(JSON.stringify({ failed: kind, reason: message }))
      else terminal.note(`${message}.`)
      return kind === 'permanent' ? exitCodes.failed : exitCodes.tryAgain
    }
  },
}
