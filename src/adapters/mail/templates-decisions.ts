/** The words of the mails about decisions of moderators. None of them says what was decided about, nor why: that is read where it stands. */
import type { MailTemplate } from './template.ts'

const why = {
  en: 'You get this mail because of your account at Lexichron. It cannot be switched off: you have a right to be told.',
  es: 'Recibe este correo por su cuenta en Lexichron. No se puede desactivar: tiene derecho a ser informado.',
}
const sample = { url: 'https://dictionary.example/v1/me/decisions/5b0f7f5e-2c1d-5a6b-9d11-4e3c2b1a0f9e' }

type Words = { readonly subject: string; readonly lines: readonly string[]; readonly label: string }

const told = (name: string, en: Words, es: Words): MailTemplate => {
  const href = '<%= it.url %>'
  return {
    name,
    words: {
      en: { subject: en.subject, lines: en.lines, action: { label: en.label, href }, why: why.en },
      es: { subject: es.subject, lines: es.lines, action: { label: es.label, href }, why: why.es },
    },
    sample,
  }
}

export const decisionTemplates: readonly MailTemplate[] = [
  told(
    'decision-taken',
    {
      subject: 'A decision about something of yours',
      lines: [
        'A decision was taken about something that you wrote, or about your account. It says what was done, by which rule, and why.',
        'You may appeal within six months. Somebody else than who took it decides then.',
      ],
      label: 'Read the reasons',
    },
    {
      subject: 'Una decisión sobre algo suyo',
      lines: [
        'Se ha tomado una decisión sobre algo que usted escribió o sobre su cuenta. Dice qué se hizo, por qué norma y por qué motivo.',
        'Puede reclamar durante seis meses. Decidirá entonces otra persona que la que la tomó.',
      ],
      label: 'Leer los motivos',
    },
  ),
  told(
    'decision-overturned',
    {
      subject: 'A decision about something of yours was overturned',
      lines: ['What it did has ended: what it held back is shown again, unless another decision holds it.'],
      label: 'Read why',
    },
    {
      subject: 'Se ha anulado una decisión sobre algo suyo',
      lines: ['Lo que hizo ha terminado: lo que retenía se muestra de nuevo, salvo que otra decisión lo retenga.'],
      label: 'Leer por qué',
    },
  ),
  told(
    'appeal-asked',
    {
      subject: 'A question about your appeal',
      lines: ['Who looks at your appeal asks you something.'],
      label: 'Read and answer',
    },
    {
      subject: 'Una pregunta sobre su reclamación',
      lines: ['Quien examina su reclamación le pregunta algo.'],
      label: 'Leer y responder',
    },
  ),
  told(
    'appeal-upheld',
    {
      subject: 'Your appeal was decided',
      lines: ['The decision stands. The reasons are with it.'],
      label: 'Read the reasons',
    },
    {
      subject: 'Se ha decidido su reclamación',
      lines: ['La decisión se mantiene. Los motivos están con ella.'],
      label: 'Leer los motivos',
    },
  ),
]
