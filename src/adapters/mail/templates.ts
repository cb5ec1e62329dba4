/**
 * The words of every mail, as data: one declaration a mail, in each language. Lines are templates of eta: `<%= it.name %>`
 * is the data's member, in one line; the HTML is made of the same lines, escaped. The layout is src/adapters/mail/render.ts.
 */
import type { Locale } from '../../ports/mailer.ts'
import type { MailTemplate } from './template.ts'
import { accountTemplates } from './templates-accounts.ts'
import { commentTemplates } from './templates-comments.ts'
import { decisionTemplates } from './templates-decisions.ts'
import { factorTemplates } from './templates-factors.ts'
import { proposalTemplates } from './templates-proposals.ts'
import { reportTemplates } from './templates-reports.ts'
import { storyTemplates } from './templates-stories.ts'

const whyOperator: Readonly<Record<Locale, string>> = {
  en: 'You get this mail because your address is among LEXICHRON_ALERT_MAIL of this service.',
  es: 'Recibe este correo porque su dirección figura en LEXICHRON_ALERT_MAIL de este servicio.',
}

/** What `lexichron mail test` sends. */
export const TEST_MAIL = 'test-mail'

export const mailTemplates: readonly MailTemplate[] = [
  ...accountTemplates,
  ...factorTemplates,
  ...storyTemplates,
  ...commentTemplates,
  ...proposalTemplates,
  ...reportTemplates,
  ...decisionTemplates,
  {
    name: 'entry-removed',
    words: {
      en: {
        subject: 'Text of entry <%= it.entryId %> was removed for good',
        lines: [
          'The text of entry <%= it.entryId %> (language <%= it.language %>) was removed on <%= it.at %> by <%= it.actor %>.',
          'Its key was destroyed: no read model, export or backup of the log alone can show it any more. This cannot be undone.',
        ],
        action: { label: 'See its history', href: '<%= it.url %>' },
        why: whyOperator.en,
      },
      es: {
        subject: 'El texto de la entrada <%= it.entryId %> fue eliminado definitivamente',
        lines: [
          'El texto de la entrada <%= it.entryId %> (idioma <%= it.language %>) fue eliminado el <%= it.at %> por <%= it.actor %>.',
          'Su clave fue destruida: ningún modelo de lectura, exportación o copia del registro puede mostrarlo. No se puede deshacer.',
        ],
        action: { label: 'Ver su historial', href: '<%= it.url %>' },
        why: whyOperator.es,
      },
    },
    sample: {
      entryId: '0b9e2d3c-5f0a-5c7e-9a54-2f6f0a9d1c11',
      language: 'en',
      at: { instant: '2026-01-05T10:00:00Z' },
      actor: 'service 7f7c…',
      url: 'https://dictionary.example/v1/entries/0b9e2d3c-5f0a-5c7e-9a54-2f6f0a9d1c11/history',
    },
  },
  {
    name: 'token-issued',
    words: {
      en: {
        subject: 'An access token with the role <%= it.role %> was made',
        lines: [
          'An access token with the role <%= it.role %> was made on <%= it.at %>. It ends on <%= it.expiresAt %>.',
          'If nobody of you made it, revoke it now: lexichron token revoke <%= it.tokenId %>',
        ],
        why: whyOperator.en,
      },
      es: {
        subject: 'Se creó un token de acceso con el rol <%= it.role %>',
        lines: [
          'Se creó un token de acceso con el rol <%= it.role %> el <%= it.at %>. Caduca el <%= it.expiresAt %>.',
          'Si no lo creó nadie de ustedes, revóquelo ahora: lexichron token revoke <%= it.tokenId %>',
        ],
        why: whyOperator.es,
      },
    },
    sample: {
      role: 'admin',
      at: { instant: '2026-01-05T10:00:00Z' },
      expiresAt: { instant: '2026-01-05T11:00:00Z' },
      tokenId: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f',
    },
  },
  {
    name: TEST_MAIL,
    words: {
      en: {
        subject: 'Mail from Lexichron arrives',
        lines: ['This is what an operator has sent on <%= it.at %> to see whether mail arrives. It does.'],
        why: 'You get this mail because your address was given to lexichron mail test.',
      },
      es: {
        subject: 'El correo de Lexichron llega',
        lines: ['Un operador envió este correo el <%= it.at %> para ver si llega. Ha llegado.'],
        why: 'Recibe este correo porque su dirección se indicó en lexichron mail test.',
      },
    },
    sample: { at: { instant: '2026-01-05T10:00:00Z' } },
  },
]
