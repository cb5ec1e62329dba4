/** The words of the mails about reports and cases. None of them says what was reported: it may be gone by the time that they are read. */
import type { MailTemplate } from './template.ts'

const why = {
  en: 'You get this mail because of your account at Lexichron. Switch these mails off with notifications.reports in your preferences.',
  es: 'Recibe este correo por su cuenta en Lexichron. Desactive estos correos con notifications.reports en sus preferencias.',
}
const sample = { url: 'https://dictionary.example/v1/me/reports' }

const told = (name: string, en: readonly [string, string], es: readonly [string, string]): MailTemplate => ({
  name,
  words: {
    en: { subject: en[0], lines: [en[1]], action: { label: 'See it', href: '<%= it.url %>' }, why: why.en },
    es: { subject: es[0], lines: [es[1]], action: { label: 'Ver', href: '<%= it.url %>' }, why: why.es },
  },
  sample,
})

export const reportTemplates: readonly MailTemplate[] = [
  told(
    'report-received',
    ['We have received your report', 'A moderator will look at what you reported. You will be told how it ends.'],
    ['Hemos recibido su aviso', 'Un moderador examinará lo que ha denunciado. Le diremos cómo termina.'],
  ),
  told(
    'report-upheld',
    [
      'Something was done about your report',
      'What you reported broke our rules or the law, and something was done about it.',
    ],
    ['Se ha actuado tras su aviso', 'Lo que denunció infringía nuestras normas o la ley, y se ha actuado.'],
  ),
  told(
    'report-dismissed',
    [
      'Nothing was done about your report',
      'A moderator has looked at what you reported, and found that it breaks no rule.',
    ],
    ['No se ha actuado tras su aviso', 'Un moderador ha examinado lo que denunció y no infringe ninguna norma.'],
  ),
  told(
    'report-gone',
    ['What you reported is gone', 'It was removed with the account of its author before it was judged.'],
    ['Lo que denunció ya no existe', 'Se eliminó con la cuenta de su autor antes de ser examinado.'],
  ),
  told(
    'case-reminder',
    ['A case of yours waits', 'You claimed a case two days ago. In a day it is free again for other moderators.'],
    ['Un caso suyo espera', 'Usted tomó un caso hace dos días. Dentro de un día quedará libre para otros moderadores.'],
  ),
]
