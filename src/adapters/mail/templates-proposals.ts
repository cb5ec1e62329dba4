/** The words of the mails about changes of entries that one asked for. */
import type { MailTemplate } from './template.ts'

const why = {
  en: 'You get this mail because you asked for this change at Lexichron, or supported it. Switch these mails off with notifications.proposals in your preferences.',
  es: 'Recibe este correo porque propuso este cambio en Lexichron, o lo apoyó. Desactive estos correos con notifications.proposals en sus preferencias.',
}
const sample = {
  entry: 'lighthouse',
  reason: 'No source says so.',
  url: 'https://dictionary.example/v1/proposals/5a1e7c1e-3b0d-5f7a-9c64-2b8f6f0a9d1c',
}

type Words = readonly [subject: string, ...lines: string[]]

const told = (name: string, [subject, ...lines]: Words, [asunto, ...renglones]: Words): MailTemplate => ({
  name,
  words: {
    en: { subject, lines, action: { label: 'See it', href: '<%= it.url %>' }, why: why.en },
    es: { subject: asunto, lines: renglones, action: { label: 'Ver', href: '<%= it.url %>' }, why: why.es },
  },
  sample,
})

export const proposalTemplates: readonly MailTemplate[] = [
  told(
    'proposal-merged',
    ['Your change was made: <%= it.entry %>', 'The entry “<%= it.entry %>” now says what you asked for.'],
    ['Se ha hecho su cambio: <%= it.entry %>', 'La entrada «<%= it.entry %>» dice ahora lo que usted propuso.'],
  ),
  told(
    'proposal-rejected',
    [
      'Your change was rejected: <%= it.entry %>',
      'What you asked for of the entry “<%= it.entry %>” was rejected.',
      'The reason: <%= it.reason %>',
    ],
    [
      'Se ha rechazado su cambio: <%= it.entry %>',
      'Lo que usted propuso para la entrada «<%= it.entry %>» ha sido rechazado.',
      'El motivo: <%= it.reason %>',
    ],
  ),
  told(
    'proposal-reverted',
    [
      'Your change was taken back: <%= it.entry %>',
      'What you asked for of the entry “<%= it.entry %>”, and was merged into it, was taken back.',
      'The reason: <%= it.reason %>',
    ],
    [
      'Se ha deshecho su cambio: <%= it.entry %>',
      'Lo que usted propuso para la entrada «<%= it.entry %>», y se había incorporado, ha sido deshecho.',
      'El motivo: <%= it.reason %>',
    ],
  ),
  told(
    'proposal-expired',
    [
      'Your change has run out: <%= it.entry %>',
      'Nobody decided in time on what you asked for of the entry “<%= it.entry %>”. You may ask for it again.',
    ],
    [
      'Su cambio ha caducado: <%= it.entry %>',
      'Nadie decidió a tiempo sobre lo que usted propuso para la entrada «<%= it.entry %>». Puede proponerlo de nuevo.',
    ],
  ),
  told(
    'proposal-closed',
    [
      'Nothing is left to decide on your change: <%= it.entry %>',
      'The entry “<%= it.entry %>” says by now what you asked for, was retired, or was removed.',
    ],
    [
      'Ya no hay nada que decidir sobre su cambio: <%= it.entry %>',
      'La entrada «<%= it.entry %>» ya dice lo que usted propuso, o fue retirada o eliminada.',
    ],
  ),
  told(
    'proposal-withdrawn',
    [
      'A change that you supported was withdrawn: <%= it.entry %>',
      'Who asked first for a change of the entry “<%= it.entry %>” that you supported has withdrawn it. You may ask for it yourself.',
    ],
    [
      'Se ha retirado un cambio que usted apoyaba: <%= it.entry %>',
      'Quien propuso primero el cambio de la entrada «<%= it.entry %>» que usted apoyaba lo ha retirado. Puede proponerlo usted.',
    ],
  ),
  told(
    'proposal-superseded',
    [
      'A change that you supported was replaced: <%= it.entry %>',
      'Who asked first for a change of the entry “<%= it.entry %>” that you supported now asks for something else instead.',
    ],
    [
      'Se ha sustituido un cambio que usted apoyaba: <%= it.entry %>',
      'Quien propuso primero el cambio de la entrada «<%= it.entry %>» que usted apoyaba propone ahora otra cosa en su lugar.',
    ],
  ),
]
