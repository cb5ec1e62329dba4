/** A mail as tests send it: with letters beyond ASCII, and a header of its own. */
import type { Mail } from '../../src/ports/mailer.ts'

export const from = 'Lexichron <mail@dictionary.example>'
export const sampleMail: Mail = {
  messageId: 'abc@dictionary.example',
  date: new Date('2026-01-05T10:00:00Z'),
  to: 'ada@example.org',
  subject: 'Grüße, señora',
  text: 'One line.\n',
  html: '<p>One line.</p>',
  headers: { 'List-Unsubscribe': '<mailto:mail@dictionary.example?subject=unsubscribe>' },
  keys: [],
}
