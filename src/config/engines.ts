/** Engines by URL: which one stands behind each port. */
import { resolve } from 'node:path'

/** Paths are absolute. External engines keep their whole URL, password and all: never print one unmasked. */
export type Engine =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'files'; readonly path: string }
  | { readonly engine: 'memory' }
  | { readonly engine: 'eventstoredb' | 'mongodb' | 'redis' | 'smtp'; readonly url: string }

export type EngineSetting =
  | 'LEXICHRON_EVENT_STORE'
  | 'LEXICHRON_READ_STORE'
  | 'LEXICHRON_CACHE'
  | 'LEXICHRON_KEYS'
  | 'LEXICHRON_MAIL'
type Kind = Engine['engine']

const schemes: ReadonlyMap<string, Kind> = new Map([
  ['sqlite', 'sqlite'],
  ['file', 'files'],
  ['memory', 'memory'],
  ['esdb', 'eventstoredb'],
  ['esdb+discover', 'eventstoredb'],
  ['kurrentdb', 'eventstoredb'],
  ['kurrentdb+discover', 'eventstoredb'],
  ['mongodb', 'mongodb'],
  ['mongodb+srv', 'mongodb'],
  ['redis', 'redis'],
  ['rediss', 'redis'],
  ['redis+cluster', 'redis'],
  ['rediss+cluster', 'redis'],
  ['redis+sentinel', 'redis'],
  ['rediss+sentinel', 'redis'],
  ['smtp', 'smtp'],
  ['smtps', 'smtp'],
])

const names: Readonly<Record<Kind, string>> = {
  sqlite: 'SQLite',
  files: 'files',
  memory: 'memory',
  eventstoredb: 'EventStoreDB',
  mongodb: 'MongoDB',
  redis: 'Redis',
  smtp: 'SMTP',
}

type Choice = {
  /** The engine that is built in, and the name of its file or folder below LEXICHRON_DATA_DIR. */
  readonly embedded: Kind
  readonly place: string
  readonly scheme: string
  /** What stands there by URL. */
  readonly external: readonly Kind[]
}
const choices: Readonly<Record<EngineSetting, Choice>> = {
  LEXICHRON_EVENT_STORE: { embedded: 'sqlite', place: 'events.db', scheme: 'sqlite:', external: ['eventstoredb'] },
  LEXICHRON_READ_STORE: { embedded: 'sqlite', place: 'read.db', scheme: 'sqlite:', external: ['mongodb'] },
  LEXICHRON_CACHE: { embedded: 'memory', place: '', scheme: 'memory:', external: ['redis'] },
  LEXICHRON_KEYS: { embedded: 'files', place: 'keys', scheme: 'file:', external: ['mongodb'] },
  LEXICHRON_MAIL: { embedded: 'files', place: 'outbox', scheme: 'file:', external: ['smtp'] },
}

export const engineDefault = (setting: EngineSetting, dataDir: string): string => {
  const { scheme, place } = choices[setting]
  return place === '' ? scheme : `${scheme}${resolve(dataDir, place)}`
}

/** The path after the scheme: relative to `cwd`, absolute, or `///absolute`; nothing means the default below `dataDir`. */
const pathOf = (rest: string, place: string, dataDir: string, cwd: string): string | { readonly fault: string } => {
  if (rest === '') return resolve(dataDir, place)
  if (rest.includes('?') || rest.includes('#')) return { fault: 'takes no options after the path' }
  if (rest === ':memory:') return { fault: 'has to be a file: nothing in memory survives a restart' }
  if (!rest.startsWith('//')) return resolve(cwd, rest)
  return rest.startsWith('///')
    ? resolve(rest.slice(2))
    : { fault: 'names a host: write sqlite:relative/path or sqlite:/absolute/path' }
}

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The engine that a URL names, or in words what is wrong with it (to follow the setting's name). */
export const parseEngine = (
  setting: EngineSetting,
  text: string,
  places: { readonly dataDir: string; readonly cwd: string },
): Engine | { readonly fault: string } => {
  const colon = text.indexOf(':')
  const kind = colon < 0 ? undefined : schemes.get(text.slice(0, colon).toLowerCase())
  const { embedded, place, scheme, external } = choices[setting]
  const rest = text.slice(colon + 1)
  if (kind === undefined || ![embedded, ...external].includes(kind))
    return { fault: `names no engine that can stand there: use ${scheme} (${names[embedded]})${others(external)}` }
  if (kind === 'sqlite' || kind === 'files') {
    const path = pathOf(rest, place, places.dataDir, places.cwd)
    return typeof path === 'string' ? { engine: kind, path } : path
  }
  if (kind === 'memory') return rest === '' ? { engine: kind } : { fault: 'takes nothing after memory:' }
  const host = rest.startsWith('//') ? rest.replace(/^\/\/([^/]*@)?/, '') : ''
  if (!/^[^/?#]/.test(host)) return { fault: 'names no host' }
  if ((kind === 'mongodb' || kind === 'smtp') && !isDecodable(text))
    return {
      fault: 'has a % that begins no character: what is special in user and password is percent-encoded, % as %25',
    }
  return { engine: kind, url: text }
}

const others = (external: readonly Kind[]): string =>
  external.map(kind => ` or ${[...schemes].find(([, each]) => each === kind)?.[0]}:// (${names[kind]})`).join('')

/** Keys in a database are wrapped by LEXICHRON_MASTER_KEY: 32 bytes each. */
export type KeysEngine =
  | Extract<Engine, { engine: 'files' }>
  | { readonly engine: 'mongodb'; readonly url: string; readonly masterKey: string; readonly oldMasterKey?: string }
export type MailEngine = Extract<Engine, { engine: 'files' }> | { readonly engine: 'smtp'; readonly url: string }
export type CacheEngine = { readonly engine: 'memory' } | { readonly engine: 'redis'; readonly url: string }
export type ReadEngine = Extract<Engine, { engine: 'sqlite' }> | { readonly engine: 'mongodb'; readonly url: string }

export type Embedded<Setting extends EngineSetting> = Extract<
  Engine,
  {
    engine: Setting extends 'LEXICHRON_EVENT_STORE' | 'LEXICHRON_READ_STORE'
      ? 'sqlite'
      : Setting extends 'LEXICHRON_CACHE'
        ? 'memory'
        : 'files'
  }
>

/** The engines that the log may stand on. */
export type EventStoreEngine =
  | Extract<Engine, { engine: 'sqlite' }>
  | { readonly engine: 'eventstoredb'; readonly url: string }

/** Why the address is none of an SMTP server; undefined for one that is. */
export const smtpFault = (url: string): string | undefined => {
  const parsed = URL.parse(url)
  if (!parsed || parsed.hostname === '') return 'is no address of a mail server: write smtp://user:password@host:587'
  if (parsed.pathname.length > 1) return 'takes no path after the host'
  for (const [name, value] of parsed.searchParams) {
    if (name !== 'requireTLS')
      return `has the option ${name.slice(0, 40)}, which is not known: use requireTLS=false, or none`
    if (value !== 'true' && value !== 'false') return 'has the option requireTLS, which is true or false'
    if (value === 'false' && parsed.protocol === 'smtps:')
      return 'is encrypted from the start: requireTLS=false is for smtp://'
  }
  return undefined
}
