/** The words of the mails about one's own account. */
import type { Locale } from '../../ports/mailer.ts'
import type { MailTemplate, MailWords } from './template.ts'

const why: Readonly<Record<Locale, string>> = {
  en: 'You get this mail because of an account at Lexichron under your address.',
  es: 'Recibe este correo por una cuenta de Lexichron con su dirección.',
}
const ignore: Readonly<Record<Locale, string>> = {
  en: 'If this was not you, do nothing: without the link nothing happens.',
  es: 'Si no fue usted, no haga nada: sin el enlace no ocurre nada.',
}
const beware: Readonly<Record<Locale, string>> = {
  en: 'If this was not you, set a new password now: that signs everybody out.',
  es: 'Si no fue usted, ponga ahora otra contraseña: eso cierra todas las sesiones.',
}

type Said = Pick<MailWords, 'subject' | 'lines' | 'action'>
const template = (name: string, en: Said, es: Said, sample: MailTemplate['sample']): MailTemplate => ({
  name,
  sample,
  words: { en: { ...en, why: why.en }, es: { ...es, why: why.es } },
})

const link = { url: 'https://dictionary.example/account/verify?lang=en#1.b64.b64' }
const at = { at: { instant: '2026-01-05T10:00:00Z' }, role: 'editor' }
const href = '<%= it.url %>'

const ended = { at: { instant: '2026-01-05T10:00:00Z' }, reason: 'A stolen device.' }
const given = { ...at, reason: 'Knows Spanish.', until: { instant: '2026-12-31T23:00:00Z' }, languages: 'es, gl' }
const reason: Readonly<Record<Locale, string>> = {
  en: 'The reason: <%= it.reason %>',
  es: 'El motivo: <%= it.reason %>',
}
/** A dash stands for what is not held to any. */
const terms: Readonly<Record<Locale, string>> = {
  en: "It holds <% if (it.until === '-') { %>without an end<% } else { %>until <%= it.until %><% } %>, on entries of <% if (it.languages === '-') { %>every language<% } else { %>these languages: <%= it.languages %><% } %>.",
  es: "Vale <% if (it.until === '-') { %>sin límite de tiempo<% } else { %>hasta el <%= it.until %><% } %>, para las entradas de <% if (it.languages === '-') { %>todos los idiomas<% } else { %>estos idiomas: <%= it.languages %><% } %>.",
}

export const accountTemplates: readonly MailTemplate[] = [
  template(
    'sessions-ended',
    {
      subject: 'You were signed out everywhere',
      lines: [
        'An administrator ended all sessions of your account on <%= it.at %>.',
        reason.en,
        'Sign in again to go on. If you do not know why, set a new password first.',
      ],
    },
    {
      subject: 'Se cerraron todas sus sesiones',
      lines: [
        'Un administrador cerró todas las sesiones de su cuenta el <%= it.at %>.',
        reason.es,
        'Inicie sesión de nuevo para continuar. Si no sabe el motivo, ponga antes otra contraseña.',
      ],
    },
    ended,
  ),
  template(
    'session-ended',
    {
      subject: 'You were signed out on one device',
      lines: [
        'An administrator ended one session of your account on <%= it.at %>.',
        reason.en,
        'If you do not know why, set a new password.',
      ],
    },
    {
      subject: 'Se cerró su sesión en un dispositivo',
      lines: [
        'Un administrador cerró una sesión de su cuenta el <%= it.at %>.',
        reason.es,
        'Si no sabe el motivo, ponga otra contraseña.',
      ],
    },
    ended,
  ),
  template(
    'verify-email',
    {
      subject: 'Begin your account',
      lines: ['Use the link within 24 hours to set a password and begin your account.', ignore.en],
      action: { label: 'Begin the account', href },
    },
    {
      subject: 'Abra su cuenta',
      lines: ['Use el enlace en las próximas 24 horas para poner una contraseña y abrir su cuenta.', ignore.es],
      action: { label: 'Abrir la cuenta', href },
    },
    link,
  ),
  template(
    'address-known',
    {
      subject: 'You have an account already',
      lines: ['Somebody signed up with this address, which has an account. Sign in, or have the password reset.'],
      action: { label: 'Have the password reset', href },
    },
    {
      subject: 'Usted ya tiene una cuenta',
      lines: [
        'Alguien se registró con esta dirección, que ya tiene una cuenta. Inicie sesión o restablezca la contraseña.',
      ],
      action: { label: 'Restablecer la contraseña', href },
    },
    link,
  ),
  template(
    'reset-password',
    {
      subject: 'Choose a new password',
      lines: ['Use the link within 30 minutes to set a password. It signs you out everywhere.', ignore.en],
      action: { label: 'Choose a password', href },
    },
    {
      subject: 'Elija otra contraseña',
      lines: ['Use el enlace en los próximos 30 minutos. Se cerrarán todas sus sesiones.', ignore.es],
      action: { label: 'Elegir contraseña', href },
    },
    link,
  ),
  template(
    'confirm-new-address',
    {
      subject: 'Confirm your new address',
      lines: ['Use the link within 24 hours and give your password: your account then has this address.', ignore.en],
      action: { label: 'Confirm the address', href },
    },
    {
      subject: 'Confirme su nueva dirección',
      lines: [
        'Use el enlace en las próximas 24 horas y dé su contraseña: su cuenta tendrá entonces esta dirección.',
        ignore.es,
      ],
      action: { label: 'Confirmar la dirección', href },
    },
    link,
  ),
  template(
    'address-wanted',
    {
      subject: 'Somebody wants to use your address',
      lines: [
        'Somebody tried to give this address to another account. It stays the address of yours: nothing has changed.',
      ],
    },
    {
      subject: 'Alguien quiere usar su dirección',
      lines: ['Alguien intentó dar esta dirección a otra cuenta. Sigue siendo la de la suya: nada ha cambiado.'],
    },
    {},
  ),
  template(
    'address-changed',
    {
      subject: 'The address of your account was changed',
      lines: [
        'Since <%= it.at %> your account has another address, and this one does not sign you in any more.',
        'If this was not you, take the account back within seven days: that signs everybody out, and a mail lets you set a password.',
      ],
      action: { label: 'Take the account back', href },
    },
    {
      subject: 'La dirección de su cuenta ha cambiado',
      lines: [
        'Desde el <%= it.at %> su cuenta tiene otra dirección y con esta ya no se inicia sesión.',
        'Si no fue usted, recupere la cuenta en los próximos siete días: se cerrarán todas las sesiones y otro correo le permitirá poner una contraseña.',
      ],
      action: { label: 'Recuperar la cuenta', href },
    },
    { ...link, ...at },
  ),
  template(
    'erasure-requested',
    {
      subject: 'Your account is to be erased',
      lines: [
        'From <%= it.at %> on your account cannot be had back. Until then you can export what is known of you, or keep the account by the link.',
        'Keep this address: once it is done the receipt is there, and nowhere else. <%= it.receipt %>',
      ],
      action: { label: 'Keep the account', href },
    },
    {
      subject: 'Su cuenta se va a eliminar',
      lines: [
        'A partir del <%= it.at %> su cuenta no se podrá recuperar. Hasta entonces puede exportar sus datos o conservar la cuenta con el enlace.',
        'Guarde esta dirección: el recibo estará allí cuando termine, y en ningún otro lugar. <%= it.receipt %>',
      ],
      action: { label: 'Conservar la cuenta', href },
    },
    { ...link, ...at, receipt: 'https://dictionary.example/v1/receipts/018f2c5a.b64' },
  ),
  template(
    'erasure-waits',
    {
      subject: 'Your account cannot be erased yet',
      lines: [
        'Your account was to be erased by <%= it.at %>. It is one of an administrator, so it waits until another administrator has taken the role back or your grant has ended, and goes on by itself then.',
      ],
    },
    {
      subject: 'Su cuenta aún no se puede eliminar',
      lines: [
        'Su cuenta se iba a eliminar el <%= it.at %>. Es de una persona administradora: espera a que otra le retire el rol o termine su concesión, y entonces continúa por sí sola.',
      ],
    },
    at,
  ),
  template(
    'account-erased',
    {
      subject: 'Your account is being erased',
      lines: [
        'This is the last mail. In a quarter of an hour nobody can read any more what was personal, and the receipt is at this address.',
      ],
      action: { label: 'The receipt', href },
    },
    {
      subject: 'Su cuenta se está eliminando',
      lines: [
        'Este es el último correo. En un cuarto de hora nadie podrá leer sus datos personales, y el recibo estará en esta dirección.',
      ],
      action: { label: 'El recibo', href },
    },
    link,
  ),
  template(
    'password-changed',
    { subject: 'Your password was changed', lines: ['Your password was changed on <%= it.at %>.', beware.en] },
    { subject: 'Su contraseña ha cambiado', lines: ['Su contraseña cambió el <%= it.at %>.', beware.es] },
    at,
  ),
  template(
    'role-granted',
    {
      subject: 'You were given the role <%= it.role %>',
      lines: ['You have the role <%= it.role %> since <%= it.at %>.', terms.en, reason.en],
    },
    {
      subject: 'Tiene el rol <%= it.role %>',
      lines: ['Tiene el rol <%= it.role %> desde el <%= it.at %>.', terms.es, reason.es],
    },
    given,
  ),
  template(
    'role-taken',
    {
      subject: 'You no longer have the role <%= it.role %>',
      lines: ['The role <%= it.role %> was taken back on <%= it.at %>.', reason.en],
    },
    {
      subject: 'Ya no tiene el rol <%= it.role %>',
      lines: ['El rol <%= it.role %> se retiró el <%= it.at %>.', reason.es],
    },
    given,
  ),
  template(
    'account-suspended',
    {
      subject: 'Your account is suspended',
      lines: ['Your account was suspended on <%= it.at %>.', reason.en],
    },
    {
      subject: 'Su cuenta está suspendida',
      lines: ['Su cuenta se suspendió el <%= it.at %>.', reason.es],
    },
    given,
  ),
  template(
    'account-reinstated',
    {
      subject: 'Your account is yours to use again',
      lines: ['The suspension of your account was lifted on <%= it.at %>. Sign in as before.', reason.en],
    },
    {
      subject: 'Puede volver a usar su cuenta',
      lines: ['La suspensión de su cuenta se levantó el <%= it.at %>. Inicie sesión como antes.', reason.es],
    },
    given,
  ),
]
