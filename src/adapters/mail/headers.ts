/** What every mail carries beside its text, whichever way it leaves, and what may stand there. */
import { createHash } from 'node:crypto'
import { readEmail } from '../../domain/address/email.ts'
import { isRefusal } from '../../domain/refusal.ts'
import { type Mail, MailError } from '../../ports/mailer.ts'

const CONTROL = /\p{Cc}|[\u2028\u2029]/u

/** A line break in a header begins another header: whatever a composer does with it, it is not given one. */
const checked = (mail: Mail): void => {
  const headers = Object.entries(mail.headers)
  const lines = [mail.subject, mail.messageId, ...headers.flat()]
  if (lines.some(line => CONTROL.test(line)) || !headers.every(([name]) => /^[A-Za-z][A-Za-z0-9-]*$/.test(name)))
    throw new MailError('permanent', 'a header of the mail would hold a control character')
  // One mailbox and nothing else: no list, no name, no quoted part that every server reads in its own way.
  const { to } = mail
  if (CONTROL.test(to) || to !== to.trim() || isRefusal(readEmail(to)))
    throw new MailError('permanent', 'the address is none that mail can be sent to')
}

/** A mail as nodemailer takes it; the same bytes each time. `from` is the setting LEXICHRON_MAIL_FROM. @throws {MailError} permanent. */
export const envelopeOf = (mail: Mail, from: string) => {
  checked(mail)
  return {
    from,
    to: { name: '', address: mail.to },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: `<${mail.messageId}>`,
    date: mail.date,
    headers: {
      ...mail.headers,
      // RFC 3834: nobody's holiday answers; the other is what Exchange looks at.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    // Else drawn by chance.
    baseBoundary: createHash('sha256').update(mail.messageId).digest('hex').slice(0, 32),
    // Nothing of a mail is ever read from a file or fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
