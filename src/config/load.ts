/** The environment, checked once at start: a frozen Config, or every fault at once. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defined } from '../domain/defined.ts'
import {
  type CacheEngine,
  type Embedded,
  type Engine,
  type EngineSetting,
  type EventStoreEngine,
  engineDefault,
  type KeysEngine,
  type MailEngine,
  parseEngine,
  type ReadEngine,
  smtpFault,
} from './engines.ts'
import { readEventStoreDbAddress, tellsPasswords } from './eventstoredb.ts'
import { type OpenIdProvider, readOpenIdProviders } from './openid.ts'
import { readRedisAddress } from './redis.ts'
import {
  isNetwork,
  isOrigin,
  isValue,
  masked,
  readValue,
  type SettingDeclaration,
  type SettingName,
  type SettingValue,
  settings,
} from './settings.ts'

/** A setting as it is in force; `value` is masked where it is secret. */
export type EffectiveSetting = {
  readonly name: string
  readonly value: string
  readonly from: 'default' | 'environment' | 'file'
  readonly about: string
}

/** Requests a minute and account; `streams` is how many long answers at once. */
export type Limits = {
  readonly reads: number
  readonly suggest: number
  readonly search: number
  readonly writes: number
  readonly signIns: number
  readonly streams: number
}

/** Where log lines go and from which level on; `fileMegabytes` of one file, `files` of which are kept. */
export type LogSettings = {
  readonly level: SettingValue<'LOG_LEVEL'>
  readonly format: SettingValue<'LOG_FORMAT'>
  readonly to: SettingValue<'LOG_TO'>
  readonly fileMegabytes: number
  readonly files: number
}

export type Config = {
  readonly host: string
  readonly port: number
  /** Absolute. */
  readonly dataDir: string
  readonly eventStore: EventStoreEngine
  readonly readStore: ReadEngine
  readonly cache: CacheEngine
  readonly keys: KeysEngine
  readonly mail: MailEngine
  /** A name and an address, or an address. */
  readonly mailFrom: string
  /** Addresses of those who run the service. */
  readonly alertMail: readonly string[]
  readonly sample: SettingValue<'SAMPLE'>
  /** `development` when unset. */
  readonly environment: string
  readonly log: LogSettings
  /** Absent: metrics have no port of their own. */
  readonly metricsPort?: number
  /** Milliseconds after which the signing key is due for rotation. */
  readonly keyLifeMs: number
  /** An origin without a slash at its end; absent: where it listens. */
  readonly publicUrl?: string
  readonly allowedOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly openIdProviders: readonly OpenIdProvider[]
  readonly limits: Limits
  /** For caches and buffers together; absent: what the process may have says how many. */
  readonly memoryBytes?: number
  /** Live connections at once and account, or address without one. */
  readonly liveSockets: number
  /** Live connections at once of everybody, on this node. */
  readonly nodeSockets: number
  readonly settings: readonly EffectiveSetting[]
}

/** Wrong settings: one sentence a fault, without any secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

const freeze = <T extends object>(value: T): T => {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner)
  return Object.freeze(value)
}

export type Environment = Readonly<Record<string, string | undefined>>
type Given = { readonly text: string; readonly from: EffectiveSetting['from'] }

/** Login shells name the reader's mailbox in MAIL, a path (POSIX, 8.3): that is not about us. */
const ours = (environment: Environment): Environment =>
  environment['MAIL']?.startsWith('/') ? { ...environment, MAIL: undefined } : environment

const isSet = (text: string | undefined): text is string => text !== undefined && text !== ''

/** The text of a setting: its own variable, or the content of the file that NAME_FILE names. Empty counts as unset. */
const given = (name: string, environment: Environment, faults: string[]): Given | undefined => {
  const text = environment[name]
  const file = environment[`${name}_FILE`]
  if (isSet(text) && isSet(file)) {
    faults.push(`${name} and ${name}_FILE are both set: keep one of them.`)
    return undefined
  }
  if (isSet(text)) return { text, from: 'environment' }
  if (!isSet(file)) return undefined
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (content !== '') return { text: content, from: 'file' }
    faults.push(`${name}_FILE names ${file}, which is empty.`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    faults.push(`${name}_FILE names ${file}, which cannot be read (${code}).`)
  }
  return undefined
}

/** Reads settings one by one and gathers what is wrong; a wrong one counts as its default until the faults are thrown. */
const openReader = (environment: Environment) => {
  const faults: string[] = []
  const effective: EffectiveSetting[] = []
  const refuse = (name: string, text: string, fault: string): void => {
    const shown = masked(name, text)
    faults.push(`${name} is ${JSON.stringify(shown.length > 200 ? `${shown.slice(0, 200)}...` : shown)}: ${fault}.`)
  }
  const typed = <Name extends SettingName>(name: Name, text: string): SettingValue<Name> | undefined => {
    const { schema } = settings[name]
    const read: unknown = readValue(schema, text)
    return isValue(name, read) ? read : undefined
  }
  const optional = <Name extends SettingName>(name: Name, fallback?: string): SettingValue<Name> | undefined => {
    const { expects, about }: SettingDeclaration = settings[name]
    const found = given(name, environment, faults)
    const text = found?.text ?? fallback
    effective.push({ name, value: masked(name, text ?? ''), from: found?.from ?? 'default', about })
    if (text === undefined) return undefined
    const value = typed(name, text)
    if (value === undefined) refuse(name, text, `it has to be ${expects}`)
    return value
  }
  const required = <Name extends SettingName>(name: Name, fallback: string): SettingValue<Name> => {
    const value = optional(name, fallback) ?? typed(name, fallback)
    if (value === undefined) throw new TypeError(`the default of ${name} breaks its own schema`)
    return value
  }
  return { faults, effective, refuse, optional, required }
}

/** Hosts and database of an address, without credentials and options; what names none gets one of its own. */
const place = (url: string): string | undefined => {
  const [, hosts, database] = /^[a-z+]+:\/\/(?:.*@)?([^/?]+)\/?([^?]*)/.exec(url) ?? []
  return database ? `${hosts}/${database}` : undefined
}

/** The engines behind the ports; paths below `dataDir` where nothing is said. */
const readEngines = (reader: ReturnType<typeof openReader>, dataDir: string, cwd: string) => {
  const { faults, refuse, optional, required } = reader
  const engine = (name: EngineSetting): Engine => {
    const fallback = engineDefault(name, dataDir)
    const text = required(name, fallback)
    const parsed = parseEngine(name, text, { dataDir, cwd })
    if ('fault' in parsed) refuse(name, text, `it ${parsed.fault}`)
    return 'fault' in parsed ? { engine: 'memory' } : parsed
  }
  const sqlite = (of: Engine): Embedded<'READ_STORE'> => ({ engine: 'sqlite', path: 'path' in of ? of.path : dataDir })
  const files = (of: Engine): Extract<MailEngine, { engine: 'files' }> => ({
    engine: 'files',
    path: 'path' in of ? of.path : dataDir,
  })

  const logOn = (of: Engine): EventStoreEngine =>
    of.engine === 'eventstoredb' ? { engine: of.engine, url: of.url } : sqlite(of)

  const eventStore = engine('EVENT_STORE')
  const log = 'url' in eventStore ? readEventStoreDbAddress(eventStore.url) : undefined
  if ('url' in eventStore && log && 'fault' in log) refuse('EVENT_STORE', eventStore.url, `it ${log.fault}`)
  const readStore = engine('READ_STORE')
  if ('path' in eventStore && 'path' in readStore && eventStore.path === readStore.path)
    faults.push(`EVENT_STORE and READ_STORE name the same file, ${eventStore.path}: the log has a file of its own.`)
  const caching = engine('CACHE')
  const cache: CacheEngine = 'url' in caching ? { engine: 'redis', url: caching.url } : { engine: 'memory' }
  const keys = engine('KEYS')
  const shared = required('KEYS_SHARED', 'false')
  if ('url' in eventStore && keys.engine === 'files' && !shared)
    faults.push(
      'KEYS is a folder of this machine while EVENT_STORE is an engine that several machines share: a node without the ' +
        'keys could not read what another one sealed. Put the folder where all of them see it and say KEYS_SHARED=true.',
    )
  const mongodb = (of: Engine): Extract<ReadEngine, { engine: 'mongodb' }> | undefined =>
    of.engine === 'mongodb' ? { engine: 'mongodb', url: of.url } : undefined
  const masterKey = optional('MASTER_KEY')
  const oldMasterKey = optional('MASTER_KEY_OLD')
  if (masterKey !== undefined && keys.engine === 'files')
    faults.push('MASTER_KEY is set, but it wraps keys in a database, and KEYS names a folder: take it away.')
  const wrapped = (url: string): KeysEngine => {
    if (masterKey === undefined)
      faults.push(
        'KEYS names a database, where each key is wrapped by MASTER_KEY, which is not set: make one with openssl rand ' +
          '-base64 32, keep it apart from the database, and give it as MASTER_KEY or MASTER_KEY_FILE.',
      )
    if ('url' in readStore && place(readStore.url) === place(url))
      faults.push(
        'KEYS and READ_STORE name the same database: keys have one of their own, so that no backup holds both.',
      )
    return { engine: 'mongodb', url, masterKey: masterKey ?? '', ...defined({ oldMasterKey }) }
  }
  const redis = 'url' in cache ? readRedisAddress(cache.url) : undefined
  if ('url' in cache && redis && 'fault' in redis) refuse('CACHE', cache.url, `it ${redis.fault}`)
  const mailing = engine('MAIL')
  const mail: MailEngine = mailing.engine === 'smtp' ? { engine: 'smtp', url: mailing.url } : files(mailing)
  const mailFault = mail.engine === 'smtp' ? smtpFault(mail.url) : undefined
  if (mail.engine === 'smtp' && mailFault !== undefined) refuse('MAIL', mail.url, `it ${mailFault}`)
  const sender = optional('MAIL_FROM')
  if (mail.engine === 'smtp' && sender === undefined)
    faults.push('MAIL names a server, which takes no mail without a sender: set MAIL_FROM.')
  return {
    mail,
    mailFrom: sender ?? 'Lexichron <lexichron@localhost>',
    eventStore: logOn(eventStore),
    readStore: mongodb(readStore) ?? sqlite(readStore),
    cache,
    keys: 'url' in keys ? wrapped(keys.url) : files(keys),
  }
}

const readLimits = ({ required }: ReturnType<typeof openReader>): Limits => ({
  reads: required('LIMIT_READS', '600'),
  suggest: required('LIMIT_SUGGEST', '1200'),
  search: required('LIMIT_SEARCH', '120'),
  writes: required('LIMIT_WRITES', '60'),
  signIns: required('LIMIT_SIGN_INS', '10'),
  streams: required('LIMIT_STREAMS', '2'),
})

const MEGABYTE = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000

/** Developers see what happens, tests only what goes wrong, and operators what is worth keeping. */
const levels: ReadonlyMap<string, string> = new Map([
  ['development', 'debug'],
  ['test', 'warn'],
])

const readLog = ({ required }: ReturnType<typeof openReader>, environmentName: string): LogSettings => ({
  level: required('LOG_LEVEL', levels.get(environmentName) ?? 'info'),
  format: required('LOG_FORMAT', 'auto'),
  to: required('LOG_TO', 'stderr'),
  fileMegabytes: required('LOG_FILE_MB', '32'),
  files: required('LOG_FILES', '14'),
})

/**
 * Reads the settings. `environment` is the process's; relative paths start from `cwd`.
 * @throws {ConfigError} with every fault there is.
 */
export const loadConfig = (whole: Environment, cwd: string): Config => {
  const environment = ours(whole)
  const reader = openReader(environment)
  const { faults, effective, refuse, optional, required } = reader
  const each = (
    name: 'ALLOWED_ORIGINS' | 'TRUSTED_PROXIES' | 'ALERT_MAIL',
    fits: (text: string) => boolean,
  ): readonly string[] => {
    const all = required(name, '')
    for (const one of all) if (!fits(one)) refuse(name, one, `it has to be ${settings[name].expects}`)
    return all
  }

  const network = { host: required('HOST', '127.0.0.1'), port: required('PORT', '8080') }
  const dataDir = resolve(cwd, required('DATA_DIR', 'data'))
  const engines = readEngines(reader, dataDir, cwd)
  const environmentName = optional('NODE_ENV') ?? 'development'
  // An evaluation: nobody has said where the log is to be, so nobody minds that it is filled.
  const evaluation = !isSet(environment['EVENT_STORE']) && !isSet(environment['EVENT_STORE_FILE'])
  const sample = required('SAMPLE', evaluation && environmentName === 'development' ? 'wordnet' : 'none')
  const log = readLog(reader, environmentName)
  if (environmentName === 'production' && tellsPasswords(environment))
    faults.push('DEBUG turns on what the client of EventStoreDB tells of itself, its password with it: take it away.')
  const metricsPort = optional('METRICS_PORT')
  if (metricsPort !== undefined && metricsPort !== 0 && metricsPort === network.port)
    refuse('METRICS_PORT', String(metricsPort), 'it is also PORT: the metrics have a port of their own or none')
  const keyLifeMs = required('KEY_DAYS', '90') * DAY_MS
  const publicUrl = optional('PUBLIC_URL')?.replace(/\/$/, '')
  if (publicUrl !== undefined && !isOrigin(publicUrl))
    refuse('PUBLIC_URL', publicUrl, `it has to be ${settings.PUBLIC_URL.expects}, without a path`)
  const allowedOrigins = each('ALLOWED_ORIGINS', isOrigin)
  const trustedProxies = each('TRUSTED_PROXIES', isNetwork)
  const alertMail = each('ALERT_MAIL', text => /^[^\s@<>"]{1,64}@[^\s@<>"]{1,255}$/.test(text))
  const openIdProviders = readOpenIdProviders({
    names: required('OPENID_PROVIDERS', ''),
    environment,
    publicUrl,
    given: name => given(name, environment, faults),
    shown: setting => effective.push({ ...setting, value: masked(setting.name, setting.value) }),
    fault: sentence => faults.push(sentence),
  })
  const memoryMegabytes = optional('MEMORY_MB')
  const memoryBytes = memoryMegabytes === undefined ? undefined : memoryMegabytes * MEGABYTE
  const limits = readLimits(reader)
  const liveSockets = required('LIMIT_SOCKETS', '100')
  const nodeSockets = required('LIMIT_SOCKETS_NODE', '20000')

  if (faults.length > 0) throw new ConfigError(faults)
  return freeze({
    ...network,
    dataDir,
    ...engines,
    sample,
    environment: environmentName,
    log,
    keyLifeMs,
    ...defined({ metricsPort, publicUrl, memoryBytes }),

    allowedOrigins,
    trustedProxies,
    openIdProviders,
    alertMail,
    limits,
    liveSockets,
    nodeSockets,
    settings: effective,
  })
}

/** The settings in force, secrets masked. */
export const describeConfig = (config: Config): readonly EffectiveSetting[] => config.settings
