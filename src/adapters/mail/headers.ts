/** What every mail carries beside its text, whichever way it leaves. */
import type { Mail } from '../../ports/mailer.ts'

/** A mail as nodemailer takes it. `from` is the setting MAIL_FROM. */
export const envelopeOf = (mail: Mail, from: string) => ({
  ...{ from, to: { name: '', address: mail.to }, subject: mail.subject, text: mail.text, html: mail.html },
  ...{ messageId: `<${mail.messageId}>`, date: mail.date },
  headers: {
    ...mail.headers,
    // RFC 3834: nobody's holiday answers.
    'Auto-Submitted': 'auto-generated',
  },
  // Nothing of a mail is ever read from a file or fetched.
  ...{ disableFileAccess: true, disableUrlAccess: true },
})
