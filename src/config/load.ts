/** The environment, checked once at start: a frozen Config, or every fault at once. */

import { resolve } from 'node:path'
import { defined } from '../domain/defined.ts'
import { OwnError } from '../domain/own-error.ts'
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
import { type Environment, givenFor, isGiven, unknownSettings } from './environment.ts'
import { readEventStoreDbAddress, tellsPasswords } from './eventstoredb.ts'
import { type Limits, type Moderation, readLimits, readModeration } from './limits.ts'
import { type OpenIdProvider, openIdSettings, readOpenIdProviders } from './openid.ts'
import { holdAnybody, isProxy } from './proxies.ts'
import { readRedisAddress } from './redis.ts'
import {
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

/** Where log lines go and from which level on; `fileMegabytes` of one file, `files` of which are kept. */
export type LogSettings = {
  readonly level: SettingValue<'LEXICHRON_LOG_LEVEL'>
  readonly format: SettingValue<'LEXICHRON_LOG_FORMAT'>
  readonly to: SettingValue<'LEXICHRON_LOG_TO'>
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
  readonly sample: SettingValue<'LEXICHRON_SAMPLE'>
  /** `development` when unset. */
  readonly environment: string
  readonly log: LogSettings
  /** Absent: metrics have no port of their own. */
  readonly metricsPort?: number
  /** Milliseconds after which the signing key is due for rotation. */
  readonly keyLifeMs: number
  /** For so many days copies of keys are kept, as whoever runs the service says. */
  readonly keyBackupDays: number
  /** An origin without a slash at its end; absent: where it listens. */
  readonly publicUrl?: string
  readonly securityContact?: string
  readonly allowedOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly openIdProviders: readonly OpenIdProvider[]
  readonly limits: Limits
  readonly moderation: Moderation
  /** For caches and buffers together; absent: what the process may have says how many. */
  readonly memoryBytes?: number
  /** Connections at once of one address; 0: as many as there are. */
  readonly connections: number
  /** Live connections at once and account, or address without one. */
  readonly liveSockets: number
  /** Live subscriptions at once that are read up from the log, and account, or address without one. */
  readonly liveReplays: number
  /** Live connections at once of everybody, on this node. */
  readonly nodeSockets: number
  readonly settings: readonly EffectiveSetting[]
}

/** Wrong settings: one sentence a fault, without any secret. */
export class ConfigError extends OwnError {
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
    const found = givenFor(name, environment, faults)
    const text = found?.text ?? fallback
    effective.push({ name, value: masked(name, text ?? ''), from: found?.from ?? 'default', about })
    if (text === undefined) return undefined
    const value = typed(name, text)
    if (value === undefined) refuse(found?.variable ?? name, text, `it has to be ${expects}`)
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
  const sqlite = (of: Engine): Embedded<'LEXICHRON_READ_STORE'> => ({
    engine: 'sqlite',
    path: 'path' in of ? of.path : dataDir,
  })
  const files = (of: Engine): Extract<MailEngine, { engine: 'files' }> => ({
    engine: 'files',
    path: 'path' in of ? of.path : dataDir,
  })

  const logOn = (of: Engine): EventStoreEngine =>
    of.engine === 'eventstoredb' ? { engine: of.engine, url: of.url } : sqlite(of)

  const eventStore = engine('LEXICHRON_EVENT_STORE')
  const log = 'url' in eventStore ? readEventStoreDbAddress(eventStore.url) : undefined
  if ('url' in eventStore && log && 'fault' in log) refuse('LEXICHRON_EVENT_STORE', eventStore.url, `it ${log.fault}`)
  const readStore = engine('LEXICHRON_READ_STORE')
  if ('path' in eventStore && 'path' in readStore && eventStore.path === readStore.path)
    faults.push(
      `LEXICHRON_EVENT_STORE and LEXICHRON_READ_STORE name the same file, ${eventStore.path}: the log has a file of its own.`,
    )
  const caching = engine('LEXICHRON_CACHE')
  const cache: CacheEngine = 'url' in caching ? { engine: 'redis', url: caching.url } : { engine: 'memory' }
  const keys = engine('LEXICHRON_KEYS')
  const shared = required('LEXICHRON_KEYS_SHARED', 'false')
  if ('url' in eventStore && keys.engine === 'files' && !shared)
    faults.push(
      'LEXICHRON_KEYS is a folder of this machine while LEXICHRON_EVENT_STORE is an engine that several machines share: a node without the ' +
        'keys could not read what another one sealed. Put the folder where all of them see it and say LEXICHRON_KEYS_SHARED=true.',
    )
  const mongodb = (of: Engine): Extract<ReadEngine, { engine: 'mongodb' }> | undefined =>
    of.engine === 'mongodb' ? { engine: 'mongodb', url: of.url } : undefined
  const masterKey = optional('LEXICHRON_MASTER_KEY')
  const oldMasterKey = optional('LEXICHRON_MASTER_KEY_OLD')
  if (masterKey !== undefined && keys.engine === 'files')
    faults.push(
      'LEXICHRON_MASTER_KEY is set, but it wraps keys in a database, and LEXICHRON_KEYS names a folder: take it away.',
    )
  const wrapped = (url: string): KeysEngine => {
    if (masterKey === undefined)
      faults.push(
        'LEXICHRON_KEYS names a database, where each key is wrapped by LEXICHRON_MASTER_KEY, which is not set: make one with openssl rand ' +
          '-base64 32, keep it apart from the database, and give it as LEXICHRON_MASTER_KEY or LEXICHRON_MASTER_KEY_FILE.',
      )
    if ('url' in readStore && place(readStore.url) === place(url))
      faults.push(
        'LEXICHRON_KEYS and LEXICHRON_READ_STORE name the same database: keys have one of their own, so that no backup holds both.',
      )
    return { engine: 'mongodb', url, masterKey: masterKey ?? '', ...defined({ oldMasterKey }) }
  }
  const redis = 'url' in cache ? readRedisAddress(cache.url) : undefined
  if ('url' in cache && redis && 'fault' in redis) refuse('LEXICHRON_CACHE', cache.url, `it ${redis.fault}`)
  const mailing = engine('LEXICHRON_MAIL')
  const mail: MailEngine = mailing.engine === 'smtp' ? { engine: 'smtp', url: mailing.url } : files(mailing)
  const mailFault = mail.engine === 'smtp' ? smtpFault(mail.url) : undefined
  if (mail.engine === 'smtp' && mailFault !== undefined) refuse('LEXICHRON_MAIL', mail.url, `it ${mailFault}`)
  const sender = optional('LEXICHRON_MAIL_FROM')
  if (mail.engine === 'smtp' && sender === undefined)
    faults.push('LEXICHRON_MAIL names a server, which takes no mail without a sender: set LEXICHRON_MAIL_FROM.')
  return {
    mail,
    mailFrom: sender ?? 'Lexichron <lexichron@localhost>',
    eventStore: logOn(eventStore),
    readStore: mongodb(readStore) ?? sqlite(readStore),
    cache,
    keys: 'url' in keys ? wrapped(keys.url) : files(keys),
  }
}

const MEGABYTE = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000

/** Tests see only what goes wrong, everybody else what is worth keeping. */
const levels: ReadonlyMap<string, string> = new Map([['test', 'warn']])

const readLog = ({ required }: ReturnType<typeof openReader>, environmentName: string): LogSettings => ({
  level: required('LEXICHRON_LOG_LEVEL', levels.get(environmentName) ?? 'info'),
  format: required('LEXICHRON_LOG_FORMAT', 'auto'),
  to: required('LEXICHRON_LOG_TO', 'stderr'),
  fileMegabytes: required('LEXICHRON_LOG_FILE_MB', '32'),
  files: required('LEXICHRON_LOG_FILES', '14'),
})

/**
 * Reads the settings. `environment` is the process's; relative paths start from `cwd`.
 * @throws {ConfigError} with every fault there is.
 */
export const loadConfig = (environment: Environment, cwd: string): Config => {
  const reader = openReader(environment)
  const { faults, effective, refuse, optional, required } = reader
  const each = (
    name: 'LEXICHRON_ALLOWED_ORIGINS' | 'LEXICHRON_TRUSTED_PROXIES' | 'LEXICHRON_ALERT_MAIL',
    fits: (text: string) => boolean,
  ): readonly string[] => {
    const all = required(name, '')
    for (const one of all) if (!fits(one)) refuse(name, one, `it has to be ${settings[name].expects}`)
    return all
  }

  const network = { host: required('LEXICHRON_HOST', '127.0.0.1'), port: required('LEXICHRON_PORT', '8080') }
  const dataDir = resolve(cwd, required('LEXICHRON_DATA_DIR', 'data'))
  const engines = readEngines(reader, dataDir, cwd)
  const environmentName = optional('LEXICHRON_NODE_ENV') ?? 'development'
  // An evaluation: nobody has said where the log is to be, so nobody minds that it is filled.
  const evaluation = !isGiven('LEXICHRON_EVENT_STORE', environment)
  const sample = required('LEXICHRON_SAMPLE', evaluation && environmentName === 'development' ? 'wordnet' : 'none')
  const log = readLog(reader, environmentName)
  if (environmentName === 'production' && tellsPasswords(environment))
    faults.push('DEBUG turns on what the client of EventStoreDB tells of itself, its password with it: take it away.')
  const metricsPort = optional('LEXICHRON_METRICS_PORT')
  if (metricsPort !== undefined && metricsPort !== 0 && metricsPort === network.port)
    refuse(
      'LEXICHRON_METRICS_PORT',
      String(metricsPort),
      'it is also LEXICHRON_PORT: the metrics have a port of their own or none',
    )
  const keyLifeMs = required('LEXICHRON_KEY_DAYS', '90') * DAY_MS
  const keyBackupDays = required('LEXICHRON_KEY_BACKUP_DAYS', '30')
  const publicUrl = optional('LEXICHRON_PUBLIC_URL')?.replace(/\/$/, '')
  if (publicUrl !== undefined && !isOrigin(publicUrl))
    refuse('LEXICHRON_PUBLIC_URL', publicUrl, `it has to be ${settings.LEXICHRON_PUBLIC_URL.expects}, without a path`)
  const securityContact = optional('LEXICHRON_SECURITY_CONTACT')
  const allowedOrigins = each('LEXICHRON_ALLOWED_ORIGINS', isOrigin)
  const trustedProxies = each('LEXICHRON_TRUSTED_PROXIES', isProxy)
  if (holdAnybody(trustedProxies))
    refuse(
      'LEXICHRON_TRUSTED_PROXIES',
      trustedProxies.join(','),
      'together that is so much of the Internet that anybody may be a proxy, and say in X-Forwarded-For who they are: name the proxies alone',
    )
  const alertMail = each('LEXICHRON_ALERT_MAIL', text => /^[^\s@<>"]{1,64}@[^\s@<>"]{1,255}$/.test(text))
  const providers = required('LEXICHRON_OPENID_PROVIDERS', '')
  faults.push(...unknownSettings(environment, [...Object.keys(settings), ...openIdSettings(providers, environment)]))
  const openIdProviders = readOpenIdProviders({
    names: providers,
    environment,
    publicUrl,
    given: name => givenFor(name, environment, faults),
    shown: setting => effective.push({ ...setting, value: masked(setting.name, setting.value) }),
    fault: sentence => faults.push(sentence),
  })
  const memoryMegabytes = optional('LEXICHRON_MEMORY_MB')
  const memoryBytes = memoryMegabytes === undefined ? undefined : memoryMegabytes * MEGABYTE
  const limits = readLimits(reader)
  const moderation = readModeration(reader, cwd)
  const connections = required('LEXICHRON_LIMIT_CONNECTIONS', '1000')
  const liveSockets = required('LEXICHRON_LIMIT_SOCKETS', '100')
  const liveReplays = required('LEXICHRON_LIMIT_REPLAYS', '200')
  const nodeSockets = required('LEXICHRON_LIMIT_SOCKETS_NODE', '20000')

  if (faults.length > 0) throw new ConfigError(faults)
  return freeze({
    ...network,
    dataDir,
    ...engines,
    sample,
    environment: environmentName,
    log,
    keyLifeMs,
    keyBackupDays,
    ...defined({ metricsPort, publicUrl, securityContact, memoryBytes }),

    allowedOrigins,
    trustedProxies,
    openIdProviders,
    alertMail,
    limits,
    moderation,
    connections,
    liveSockets,
    liveReplays,
    nodeSockets,
    settings: effective,
  })
}

/** The settings in force, secrets masked. */
export const describeConfig = (config: Config): readonly EffectiveSetting[] => config.settings
