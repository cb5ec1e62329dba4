/** How the words of a mail are declared. Lines are templates of eta: `<%= it.name %>` is the data's member, in one line. */
import type { Locale } from '../../ports/mailer.ts'
import type { MailData } from '../../subscribers/mail.ts'

export type MailWords = {
  readonly subject: string
  /** A paragraph each. */
  readonly lines: readonly string[]
  /** A link to go on with; `href` is a template too and has to come out as http or https. */
  readonly action?: { readonly label: string; readonly href: string }
  /** Why this reader gets it: the last line of the mail. */
  readonly why: string
}

export type MailTemplate = {
  readonly name: string
  /** Where a language is missing, English is read. */
  readonly words: { readonly en: MailWords } & { readonly [locale in Locale]?: MailWords }
  /** Data as the mail is given it, for `lexichron mail preview` and tests. */
  readonly sample: MailData
}
