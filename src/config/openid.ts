/** Providers of OpenID sign-in: a list of names, and three settings for each. */
export type OpenIdProvider = {
  readonly name: string
  /** As the provider writes it, which is how it is compared. */
  readonly issuer: string
  readonly clientId: string
  /** Never print it. */
  readonly clientSecret: string
}

const suffixes = ['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET'] as const
type Suffix = (typeof suffixes)[number]

const about: Readonly<Record<Suffix, string>> = {
  ISSUER: 'issuer of this provider of sign-in, as it writes it itself',
  CLIENT_ID: 'the id that the provider gave this service',
  CLIENT_SECRET: 'the secret that the provider gave this service',
}

const NAME = /^[a-z][a-z0-9]{0,30}$/
const MOST = 16

const isLoopback = ({ hostname }: URL): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname)

/** https, or http on this machine; credentials, query and fragment are no part of an issuer (OpenID Connect Discovery, 3). */
const isIssuer = (text: string): boolean => {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || /[?#\s]/.test(text)) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

const fits: Readonly<Record<Suffix, (text: string) => boolean>> = {
  ISSUER: isIssuer,
  CLIENT_ID: text => /^[\x21-\x7e]{1,512}$/.test(text),
  CLIENT_SECRET: text => /^[\x20-\x7e]{8,4096}$/.test(text) && text.trim() !== '',
}
const expects: Readonly<Record<Suffix, string>> = {
  ISSUER: 'an address such as https://accounts.example, without credentials, query and fragment',
  CLIENT_ID: '1 to 512 visible ASCII characters',
  CLIENT_SECRET: '8 to 4096 ASCII characters',
}

const SETTING = /^(LEXICHRON_OPENID_.+_(?:ISSUER|CLIENT_ID|CLIENT_SECRET))(?:_FILE)?$/
const settingOf = (name: string, suffix: Suffix): string => `LEXICHRON_OPENID_${name.toUpperCase()}_${suffix}`

/** The settings of these providers, and those of the environment that have the form of one: `readOpenIdProviders` judges them. */
export const openIdSettings = (
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] => [
  ...names.filter(name => NAME.test(name)).flatMap(name => suffixes.map(suffix => settingOf(name, suffix))),
  ...Object.keys(environment).flatMap(name => SETTING.exec(name)?.[1] ?? []),
]

export type OpenIdReading = {
  readonly names: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly publicUrl: string | undefined
  /** The text of a setting, from its variable or the file that NAME_FILE names. */
  readonly given: (
    name: string,
  ) => { readonly text: string; readonly from: 'default' | 'environment' | 'file' } | undefined
  readonly shown: (setting: {
    name: string
    value: string
    from: 'default' | 'environment' | 'file'
    about: string
  }) => void
  readonly fault: (sentence: string) => void
}

/** Whatever is wrong is told to `fault`: nobody is to sign in by a provider that is set up in part. */
export const readOpenIdProviders = (reading: OpenIdReading): readonly OpenIdProvider[] => {
  const { names, environment, publicUrl, given, shown, fault } = reading
  const good = names.filter(name => {
    if (!NAME.test(name))
      fault(
        `LEXICHRON_OPENID_PROVIDERS names ${JSON.stringify(name.slice(0, 60))}: a name is a small letter, then letters and digits.`,
      )
    return NAME.test(name)
  })
  if (new Set(names).size !== names.length) fault('LEXICHRON_OPENID_PROVIDERS names a provider more than once.')
  if (names.length > MOST) fault(`LEXICHRON_OPENID_PROVIDERS names more than ${MOST} providers.`)
  if (names.length > 0) {
    const url = publicUrl === undefined ? null : URL.parse(publicUrl)
    if (!url || (url.protocol !== 'https:' && !isLoopback(url)))
      fault(
        'LEXICHRON_OPENID_PROVIDERS needs LEXICHRON_PUBLIC_URL with https (or http://localhost): providers send browsers back to it, and no ' +
          'browser keeps the cookies of a sign-in elsewhere.',
      )
  }
  const wanted = new Set(good.flatMap(name => suffixes.map(suffix => settingOf(name, suffix))))
  for (const [name, text] of Object.entries(environment))
    if (SETTING.test(name) && text && !wanted.has(name.replace(/_FILE$/, '')))
      fault(`${name} is set, but LEXICHRON_OPENID_PROVIDERS names no such provider.`)

  return good.flatMap(name => {
    const read = (suffix: Suffix): string => {
      const setting = settingOf(name, suffix)
      const found = given(setting)
      const text = found?.text ?? ''
      shown({ name: setting, value: text, from: found?.from ?? 'default', about: about[suffix] })
      if (!fits[suffix](text))
        fault(`${setting} ${text === '' ? 'is not set' : 'is wrong'}: it has to be ${expects[suffix]}.`)
      return text
    }
    return [{ name, issuer: read('ISSUER'), clientId: read('CLIENT_ID'), clientSecret: read('CLIENT_SECRET') }]
  })
}
