/** What the pages that mails lead to say, in the languages of mails. */

export type PagePurpose = 'verify' | 'reset' | 'email' | 'revert' | 'keep'
export const pageLanguages = ['en', 'es'] as const
export type PageLanguage = (typeof pageLanguages)[number]

export type PageWords = { readonly title: string; readonly button: string; readonly done: string }
/** What every page may have to say. `problems` by their codes; others are told as the service tells them. */
export type CommonWords = {
  readonly password: string
  readonly rule: string
  readonly current: string
  readonly factor: string
  readonly address: string
  readonly send: string
  readonly sent: string
  readonly whole: string
  readonly again: string
  readonly away: string
  readonly script: string
  readonly problems: Readonly<Record<string, string>>
}

export const pageWords: Readonly<Record<PageLanguage, Readonly<Record<PagePurpose, PageWords>>>> = {
  en: {
    verify: { title: 'Begin your account', button: 'Begin', done: 'Your account is there: you can sign in now.' },
    reset: {
      title: 'Choose a new password',
      button: 'Set the password',
      done: 'The password is set. You are signed out everywhere: sign in again.',
    },
    email: {
      title: 'Confirm your new address',
      button: 'Confirm',
      done: 'Your address is changed: sign in with it from now on.',
    },
    revert: {
      title: 'Take your account back',
      button: 'Take it back',
      done: 'The account has this address again, and everybody is signed out. A mail with a link to set a password is on its way.',
    },
    keep: { title: 'Keep your account', button: 'Keep it', done: 'Your account stays as it is.' },
  },
  es: {
    verify: { title: 'Abra su cuenta', button: 'Abrir', done: 'Su cuenta está abierta: ya puede iniciar sesión.' },
    reset: {
      title: 'Elija otra contraseña',
      button: 'Poner la contraseña',
      done: 'La contraseña está puesta. Se han cerrado todas las sesiones: inicie sesión otra vez.',
    },
    email: {
      title: 'Confirme su nueva dirección',
      button: 'Confirmar',
      done: 'Su dirección ha cambiado: inicie sesión con ella desde ahora.',
    },
    revert: {
      title: 'Recupere su cuenta',
      button: 'Recuperarla',
      done: 'La cuenta tiene otra vez esta dirección y se han cerrado todas las sesiones. Otro correo le trae un enlace para poner una contraseña.',
    },
    keep: { title: 'Conserve su cuenta', button: 'Conservarla', done: 'Su cuenta se queda como está.' },
  },
}

export const commonWords: Readonly<Record<PageLanguage, CommonWords>> = {
  en: {
    password: 'New password',
    rule: '15 characters or more: a few words that come to your mind will do. 8 are enough where a second factor is on.',
    current: 'Your password',
    factor: 'Code of your authenticator, or a recovery code',
    address: 'Address of mail',
    send: 'Send me a link',
    sent: 'If the address waits for such a link, it is in a mail. Look there in a minute.',
    whole: 'This page is opened by a link in a mail. Open that link, as a whole.',
    again: 'Have you none, or is it too old? Have one sent:',
    away: 'The service did not answer: try again.',
    script: 'This page needs JavaScript to use the link.',
    problems: {
      'second-factor-required': 'The password is right. Enter the code of your authenticator too, or a recovery code.',
    },
  },
  es: {
    password: 'Contraseña nueva',
    rule: 'Quince caracteres o más: bastan unas cuantas palabras. Con un segundo factor bastan ocho.',
    current: 'Su contraseña',
    factor: 'Código de su autenticador, o de recuperación',
    address: 'Dirección de correo',
    send: 'Enviarme un enlace',
    sent: 'Si la dirección espera un enlace así, está en un correo. Mire allí dentro de un minuto.',
    whole: 'Esta página se abre con un enlace de un correo. Abra ese enlace entero.',
    again: '¿No lo tiene o es demasiado antiguo? Pida otro:',
    away: 'El servicio no ha respondido: inténtelo otra vez.',
    script: 'Esta página necesita JavaScript para usar el enlace.',
    problems: {
      'link-invalid': 'Este enlace no sirve: no es de aquí, está copiado solo en parte o ya no hace falta.',
      'link-expired': 'Este enlace es demasiado antiguo: pida otro.',
      'link-used': 'Este enlace ya se ha usado.',
      'password-weak':
        'Esta contraseña no sirve: es corta, de las que se prueban primero, o sale de su dirección, de su nombre o del nombre del servicio.',
      'credentials-wrong': 'Esta no es la contraseña de la cuenta.',
      'second-factor-required':
        'La contraseña es correcta. Escriba también el código de su autenticador, o uno de recuperación.',
      'code-wrong': 'Este código no sirve, o ya se ha usado.',
      'email-invalid': 'Esto no es una dirección de correo.',
      'passwords-busy': 'Hay mucho trabajo: inténtelo otra vez dentro de unos segundos.',
      'rate-limited': 'Demasiados intentos: espere un poco.',
      'erasure-begun': 'La cuenta ya se está eliminando.',
    },
  },
}
