/** The words of the mails about one's own factors and devices. */
import type { Locale } from '../../ports/mailer.ts'
import type { MailTemplate, MailWords } from './template.ts'

const why: Readonly<Record<Locale, string>> = {
  en: 'You get this mail because of an account at Lexichron under your address.',
  es: 'Recibe este correo por una cuenta de Lexichron con su dirección.',
}
const beware: Readonly<Record<Locale, string>> = {
  en: 'If this was not you, somebody has your password and was signed in: set a new one now and write to us.',
  es: 'Si no fue usted, alguien tiene su contraseña y había iniciado sesión: ponga otra ahora y escríbanos.',
}

type Said = Pick<MailWords, 'subject' | 'lines'>
const template = (name: string, en: Said, es: Said): MailTemplate => ({
  name,
  sample: { at: { instant: '2026-01-05T10:00:00Z' }, left: 9 },
  words: {
    en: { subject: en.subject, lines: [...en.lines, beware.en], why: why.en },
    es: { subject: es.subject, lines: [...es.lines, beware.es], why: why.es },
  },
})

export const factorTemplates: readonly MailTemplate[] = [
  template(
    'new-device',
    {
      subject: 'Somebody signed in to your account on a new device',
      lines: [
        'Your account was signed in to on <%= it.at %>, on a device or browser that it had not been used on before.',
      ],
    },
    {
      subject: 'Inicio de sesión en un dispositivo nuevo',
      lines: ['El <%= it.at %> se inició sesión en su cuenta en un dispositivo o navegador nuevo para ella.'],
    },
  ),
  template(
    'factor-added',
    {
      subject: 'An authenticator was added to your account',
      lines: ['Since <%= it.at %> signing in asks for a code too. All other sessions have ended.'],
    },
    {
      subject: 'Se añadió un autenticador a su cuenta',
      lines: ['Desde el <%= it.at %> el inicio de sesión pide también un código. Las demás sesiones han terminado.'],
    },
  ),
  template(
    'factor-removed',
    {
      subject: 'The authenticator of your account was removed',
      lines: ['Since <%= it.at %> signing in asks for no code any more. All other sessions have ended.'],
    },
    {
      subject: 'Se quitó el autenticador de su cuenta',
      lines: ['Desde el <%= it.at %> el inicio de sesión ya no pide código. Las demás sesiones han terminado.'],
    },
  ),
  template(
    'passkey-added',
    {
      subject: 'A passkey was added to your account',
      lines: ['Since <%= it.at %> a new passkey signs you in. All other sessions have ended.'],
    },
    {
      subject: 'Se añadió una llave de acceso a su cuenta',
      lines: ['Desde el <%= it.at %> una nueva llave de acceso abre su cuenta. Las demás sesiones han terminado.'],
    },
  ),
  template(
    'passkey-removed',
    {
      subject: 'A passkey of your account was removed',
      lines: ['A passkey was removed on <%= it.at %> and signs nobody in any more. All other sessions have ended.'],
    },
    {
      subject: 'Se quitó una llave de acceso de su cuenta',
      lines: [
        'El <%= it.at %> se quitó una llave de acceso, que ya no abre su cuenta. Las demás sesiones han terminado.',
      ],
    },
  ),
  template(
    'passkey-doubled',
    {
      subject: 'A passkey of your account was refused',
      lines: ['On <%= it.at %> a passkey was refused whose counter went back: there may be a copy of it. Remove it.'],
    },
    {
      subject: 'Se rechazó una llave de acceso de su cuenta',
      lines: [
        'El <%= it.at %> se rechazó una llave de acceso cuyo contador retrocedió: puede haber una copia. Quítela.',
      ],
    },
  ),
  template(
    'recovery-codes-made',
    {
      subject: 'Your account has new recovery codes',
      lines: ['New recovery codes were made on <%= it.at %>; those before are of no use any more.'],
    },
    {
      subject: 'Su cuenta tiene nuevos códigos de recuperación',
      lines: ['El <%= it.at %> se crearon códigos de recuperación; los anteriores ya no sirven.'],
    },
  ),
  template(
    'recovery-code-used',
    {
      subject: 'A recovery code of your account was used',
      lines: ['A recovery code was used on <%= it.at %>. Of these codes <%= it.left %> are left.'],
    },
    {
      subject: 'Se usó un código de recuperación de su cuenta',
      lines: ['Se usó un código de recuperación el <%= it.at %>. Quedan <%= it.left %> de estos códigos.'],
    },
  ),
]
