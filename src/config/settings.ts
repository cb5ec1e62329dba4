/** Every setting of the environment: its schema, what to tell who got it wrong, and what it is about. */
import Type, { type Static, type TSchema } from 'typebox'
import { Check } from 'typebox/value'

const limit = (of: string) => ({
  schema: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
  expects: 'a whole number from 0 to 1000000',
  about: `${of} a minute and account, or address without one; 0 for no limit`,
  secures: true,
})
const work = (of: string) => ({
  schema: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
  expects: 'a whole number from 0 to 1000000000',
  about: `work a minute of ${of}, in milliseconds of a core, about; 0 for no limit`,
  secures: true,
})
const engine = (example: string, about: string) => ({
  schema: Type.String({ minLength: 1, maxLength: 4096 }),
  expects: `an engine as a URL, such as ${example}`,
  about,
  secures: true,
})
const masterKey = (about: string) => ({
  schema: Type.String({ pattern: '^\\s*([0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?)\\s*$' }),
  expects: '32 bytes in base64 or hexadecimal digits, as of: openssl rand -base64 32',
  about,
  secures: true,
})
const MOST_LISTED = 1000
const list = (expects: string, about: string) => ({
  schema: Type.Array(Type.String({ minLength: 1 }), { maxItems: MOST_LISTED }),
  expects: `${expects}, ${MOST_LISTED} at most`,
  about,
  secures: true,
})

/**
 * Values arrive as text; the schema's type says how it is read: integers, `true` and `false`, lists separated by
 * commas. Defaults stand where the settings are read (src/config/load.ts), since
 * some follow from others.
 */
export const settings = {
  LEXICHRON_HOST: {
    schema: Type.String({ pattern: '^[A-Za-z0-9.:_-]{1,253}$' }),
    expects: 'an address or host name to listen on',
    about: 'address to listen on; 0.0.0.0 or :: for all',
    secures: true,
  },
  LEXICHRON_PORT: {
    schema: Type.Integer({ minimum: 0, maximum: 65_535 }),
    expects: 'a whole number from 0 to 65535',
    about: 'port to listen on; 0 picks a free one; PORT is read as well',
    secures: false,
  },
  LEXICHRON_DATA_DIR: {
    schema: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*[^\\0\\s][^\\0]*$' }),
    expects: 'a folder',
    about: 'folder of the embedded engines, keys and outbox',
    secures: true,
  },
  LEXICHRON_EVENT_STORE: engine('sqlite:data/events.db', 'the log'),
  LEXICHRON_READ_STORE: engine('sqlite:data/read.db', 'the read models'),
  LEXICHRON_CACHE: engine('memory:', 'cache and limits'),
  LEXICHRON_KEYS: engine('file:data/keys', 'keys that seal text and sign tokens'),
  LEXICHRON_KEYS_SHARED: {
    schema: Type.Boolean(),
    expects: 'true or false',
    about: 'the folder of LEXICHRON_KEYS is one that all nodes share',
    secures: true,
  },
  LEXICHRON_MASTER_KEY: masterKey('wraps the keys that are kept in a database'),
  LEXICHRON_MASTER_KEY_OLD: masterKey('the one before it, for the first start with another'),
  LEXICHRON_MAIL: engine('file:data/outbox', 'outgoing mail'),
  LEXICHRON_MAIL_FROM: {
    schema: Type.String({
      maxLength: 320,
      pattern: '^(?:[^<>@"\\r\\n]{1,100} <[^\\s@<>"]+@[^\\s@<>"]+>|[^\\s@<>"]+@[^\\s@<>"]+)$',
    }),
    expects: 'a sender such as Lexichron <mail@dictionary.example>',
    about: 'sender of all mail; needed when LEXICHRON_MAIL names a server',
    secures: true,
  },
  LEXICHRON_ALERT_MAIL: list(
    'addresses separated by commas',
    'who is told of removals and of tokens for administrators',
  ),
  LEXICHRON_SAMPLE: {
    schema: Type.Enum(['wordnet', 'none']),
    expects: 'wordnet or none',
    about: 'what a new log is filled with',
    secures: false,
  },
  LEXICHRON_NODE_ENV: {
    schema: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' }),
    expects: 'one word, such as production',
    about: 'development, test, production, ...; unset counts as development; NODE_ENV is read as well',
    secures: true,
  },
  LEXICHRON_LOG_LEVEL: {
    schema: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    expects: 'one of fatal, error, warn, info, debug, trace, silent',
    about: 'least severe log line that is written; by default warn in test, info elsewhere',
    secures: false,
  },
  LEXICHRON_LOG_FORMAT: {
    schema: Type.Enum(['auto', 'json', 'pretty']),
    expects: 'auto, json or pretty',
    about: 'log lines on standard error; auto is pretty on a terminal and JSON elsewhere',
    secures: false,
  },
  LEXICHRON_LOG_TO: {
    schema: Type.Enum(['stderr', 'files', 'both']),
    expects: 'stderr, files or both',
    about: 'where log lines go; files are LEXICHRON_DATA_DIR/logs/lexichron.<day>.<number>.log',
    secures: false,
  },
  LEXICHRON_LOG_FILE_MB: {
    schema: Type.Integer({ minimum: 1, maximum: 4096 }),
    expects: 'a whole number from 1 to 4096',
    about: 'megabytes after which a new log file is begun; each day begins one too',
    secures: false,
  },
  LEXICHRON_LOG_FILES: {
    schema: Type.Integer({ minimum: 2, maximum: 1000 }),
    expects: 'a whole number from 2 to 1000',
    about: 'log files kept; the oldest are removed',
    secures: false,
  },
  LEXICHRON_METRICS_PORT: {
    schema: Type.Integer({ minimum: 0, maximum: 65_535 }),
    expects: 'a whole number from 0 to 65535',
    about:
      'port of its own for /metrics, on LEXICHRON_HOST and without a token; unset: only /metrics of the service, with one',
    secures: true,
  },
  LEXICHRON_KEY_DAYS: {
    schema: Type.Integer({ minimum: 1, maximum: 3650 }),
    expects: 'a whole number from 1 to 3650',
    about: 'age in days from which the key that signs access tokens is due for rotation',
    secures: true,
  },
  LEXICHRON_KEY_BACKUP_DAYS: {
    schema: Type.Integer({ minimum: 0, maximum: 3650 }),
    expects: 'a whole number from 0 to 3650',
    about: 'for so many days copies of keys are kept at most, which receipts of erasures state as your word',
    secures: true,
  },
  LEXICHRON_PUBLIC_URL: {
    schema: Type.String({ minLength: 1, maxLength: 2048 }),
    expects: 'an origin such as https://dictionary.example',
    about: 'where clients reach the service; by default where it listens',
    secures: true,
  },
  LEXICHRON_SECURITY_CONTACT: {
    schema: Type.String({ maxLength: 2048, pattern: '^(?:mailto:[^\\s@<>"]+@[^\\s@<>"]+|https://[^\\s<>"]+)$' }),
    expects: 'mailto: and an address, or an https: page',
    about: 'whom those who find a weakness write to, in /.well-known/security.txt',
    secures: false,
  },
  LEXICHRON_ALLOWED_ORIGINS: list(
    'origins such as https://app.example, separated by commas',
    'origins of web pages that may call',
  ),
  LEXICHRON_TRUSTED_PROXIES: list(
    'addresses or networks such as 10.0.0.0/8, separated by commas',
    'proxies whose X-Forwarded-For is believed',
  ),
  LEXICHRON_OPENID_PROVIDERS: list(
    'names separated by commas, such as google,corporate',
    'providers of OpenID sign-in; each has LEXICHRON_OPENID_<NAME>_ISSUER, _CLIENT_ID and _CLIENT_SECRET',
  ),
  LEXICHRON_MEMORY_MB: {
    schema: Type.Integer({ minimum: 8, maximum: 65_536 }),
    expects: 'a whole number from 8 to 65536',
    about: 'caches and buffers of this process together, in megabytes',
    secures: false,
  },
  LEXICHRON_LIMIT_READS: limit('reads'),
  LEXICHRON_LIMIT_SUGGEST: limit('suggestions'),
  LEXICHRON_LIMIT_SEARCH: limit('searches'),
  LEXICHRON_LIMIT_WRITES: limit('writes'),
  LEXICHRON_LIMIT_SIGN_INS: limit('sign-ups, sign-ins and resets'),
  LEXICHRON_LIMIT_WORK_ADDRESS: work('an address without an account'),
  LEXICHRON_LIMIT_WORK_ACCOUNT: work('an account'),
  LEXICHRON_LIMIT_CONNECTIONS: {
    schema: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    expects: 'a whole number from 0 to 1000000',
    about:
      'connections at once and address, of a trusted proxy requests at once and address that it tells; 0 for no limit',
    secures: true,
  },
  LEXICHRON_LIMIT_NEW_COMMENTS: {
    schema: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    expects: 'a whole number from 0 to 1000000',
    about: 'comments within 15 minutes of an account in its first seven days; 0 for no limit',
    secures: true,
  },
  LEXICHRON_LIMIT_REPORTS: {
    schema: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    expects: 'a whole number from 0 to 1000000',
    about: 'reports a day and account; 0 for no limit',
    secures: true,
  },
  LEXICHRON_LIMIT_REPORTS_ABOUT: {
    schema: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    expects: 'a whole number from 0 to 1000000',
    about: 'reports a day of one account about what another one wrote; 0 for no limit',
    secures: true,
  },
  LEXICHRON_REPORTS_HIDE: {
    schema: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    expects: 'a whole number from 0 to 1000000',
    about: 'what reports weigh that hide something until a moderator has looked; 0: none do',
    secures: true,
  },
  LEXICHRON_LIMIT_NEW_LINKS: {
    schema: Type.Integer({ minimum: 0, maximum: 1_000 }),
    expects: 'a whole number from 0 to 1000',
    about: 'links in a comment of an account in its first seven days that wait for no moderator; 0 for no limit',
    secures: true,
  },
  LEXICHRON_REPEAT_MINUTES: {
    schema: Type.Integer({ minimum: 0, maximum: 1_440 }),
    expects: 'a whole number from 0 to 1440',
    about: 'minutes in which an account does not comment the same twice; 0 for no limit',
    secures: true,
  },
  LEXICHRON_WORDS: {
    schema: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*[^\\0\\s][^\\0]*$' }),
    expects: 'a file',
    about: 'words that are not wanted in comments, a line each: hold or refuse, and a word or a /pattern/',
    secures: true,
  },
  LEXICHRON_LIMIT_SOCKETS: {
    schema: Type.Integer({ minimum: 1, maximum: 100_000 }),
    expects: 'a whole number from 1 to 100000',
    about: 'live connections at once and account, or address without one',
    secures: true,
  },
  LEXICHRON_LIMIT_SOCKETS_NODE: {
    schema: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    expects: 'a whole number from 1 to 1000000',
    about: 'live connections at once of everybody, on this node',
    secures: true,
  },
  LEXICHRON_LIMIT_REPLAYS: {
    schema: Type.Integer({ minimum: 1, maximum: 100_000 }),
    expects: 'a whole number from 1 to 100000',
    about: 'live subscriptions at once that are read up from the log, and account, or address without one',
    secures: true,
  },
  LEXICHRON_LIMIT_STREAMS: {
    schema: Type.Integer({ minimum: 1, maximum: 1000 }),
    expects: 'a whole number from 1 to 1000',
    about: 'long answers (exports) at once and account, or address without one',
    secures: true,
  },
} satisfies Record<string, SettingDeclaration>

export type SettingDeclaration = {
  readonly schema: TSchema
  readonly expects: string
  readonly about: string
  /**
   * Does security rest on it: who is let in, what is told to whom, how often somebody may try? tests/attacks/settings.test.ts
   * tries each of these with texts that mean nothing, so that none is ever gone without in silence.
   */
  readonly secures: boolean
}
export type SettingName = keyof typeof settings
export type SettingValue<Name extends SettingName> = Static<(typeof settings)[Name]['schema']>

/** The value fits its setting's schema. */
export const isValue = <Name extends SettingName>(name: Name, value: unknown): value is SettingValue<Name> =>
  Check(settings[name].schema, value)

/** A key of 32 bytes as hexadecimal digits or base64 (either alphabet); undefined when the text is none. */
export const masterKeyOf = (text: string): Uint8Array | undefined => {
  const given = text.trim()
  if (/^[0-9a-fA-F]{64}$/.test(given)) return Buffer.from(given, 'hex')
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(given)) return undefined
  const key = Buffer.from(given, 'base64')
  return key.length === 32 ? key : undefined
}

/** The text as the schema's type wants it; text that cannot be read so stays text, which the schema then refuses. */
export const readValue = (schema: TSchema, text: string): string | number | boolean | readonly string[] => {
  const type = 'type' in schema ? schema.type : undefined
  if (type === 'integer') return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type !== 'array') return text
  const parts = text.split(',').map(each => each.trim())
  const given = parts.filter(each => each !== '')
  // Of blanks and commas alone nobody can say what was meant.
  return given.length > 0 || text === '' ? given : text
}

/** http and https origins, written as browsers send them. */
export const isOrigin = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.origin === text
}

const secretName = /KEY(_OLD)?$|SECRET|PASSWORD|TOKEN/

/** A value as it may be shown: whole secrets and the passwords and query values of URLs are masked. */
export const masked = (name: string, value: string): string => {
  if (secretName.test(name)) return value === '' ? '' : '***'
  // Who has left out the host has written a password where its port would stand.
  const bare = /^([a-z][a-z0-9+.-]*:\/\/[^/?#@:[\]]*:)(?!\d{1,5}(?:[/?#,]|$))[^@]+$/i.exec(value)?.[1]
  if (bare !== undefined) return `${bare}***`
  return value
    .replace(/^([a-z][a-z0-9+.-]*:(?:\/\/)?)(.*)@/i, (_, scheme: string, login: string) => {
      const user = login.split(':')[0] ?? ''
      return `${scheme}${login.includes(':') ? `${user}:***` : '***'}@`
    })
    .replace(/[?&][^&#]*/g, parameter => {
      const name = parameter.slice(0, parameter.indexOf('=') + 1)
      return /pass|key|secret|token/i.test(name) ? `${name}***` : parameter
    })
}
