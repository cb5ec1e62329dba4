import { defined } from '../domain/defined.ts'

/** Addresses of EventStoreDB, read and checked here: the client's own reader quotes passwords in its errors. */

type Host = { readonly address: string; readonly port: number }

export type EventStoreDbAddress = {
  /** The hosts are to be asked who leads the cluster. */
  readonly discover: boolean
  readonly hosts: readonly Host[]
  readonly tls: boolean
  readonly caFile?: string
  readonly certificateFile?: string
  readonly keyFile?: string
  readonly login?: { readonly username: string; readonly password: string }
  readonly nodePreference?: 'leader' | 'follower' | 'random' | 'read_only_replica'
  readonly connectionName?: string
  /** Milliseconds. */
  readonly deadlineMs?: number
  readonly keepAliveIntervalMs?: number
  readonly keepAliveTimeoutMs?: number
  readonly discoveryIntervalMs?: number
  readonly gossipTimeoutSeconds?: number
  readonly maxDiscoverAttempts?: number
  /** What may be shown of it: scheme, hosts and port, without login and options. */
  readonly shown: string
}
type Fault = { readonly fault: string }

const DEFAULT_PORT = 2113
const preferences = ['leader', 'follower', 'random', 'read_only_replica'] as const

const parseHost = (text: string): Host | undefined => {
  const [, address, port] = /^(\[[0-9a-f:]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? []
  if (address === undefined) return undefined
  const number = port === undefined ? DEFAULT_PORT : Number(port)
  return number > 0 && number < 65_536 ? { address, port: number } : undefined
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

type Login = EventStoreDbAddress['login']
const parseLogin = (text: string): Login | Fault => {
  const colon = text.indexOf(':')
  const username = decoded(text.slice(0, Math.max(colon, 0)))
  const password = decoded(text.slice(colon + 1))
  if (colon <= 0 || !username || !password)
    return { fault: 'has a login that is not user:password, each percent-encoded' }
  return { username, password }
}

type Settings = {
  -readonly [Name in keyof EventStoreDbAddress]?: EventStoreDbAddress[Name]
}

/** Takes a value, or says what it has to be. */
type ReadOption = (into: Settings, text: string) => string | undefined

type WholeName =
  | 'deadlineMs'
  | 'keepAliveIntervalMs'
  | 'keepAliveTimeoutMs'
  | 'discoveryIntervalMs'
  | 'gossipTimeoutSeconds'
  | 'maxDiscoverAttempts'
const whole =
  (name: WholeName, least: number): ReadOption =>
  (into, text) => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least) return `a whole number from ${least} up`
    into[name] = Number(text)
    return undefined
  }
const file =
  (name: 'caFile' | 'certificateFile' | 'keyFile'): ReadOption =>
  (into, text) => {
    const path = decoded(text)
    if (!path) return 'the path of a file'
    into[name] = path
    return undefined
  }
const readTls: ReadOption = (into, text) => {
  if (text !== 'true' && text !== 'false') return 'true or false'
  into.tls = text === 'true'
  return undefined
}
const readPreference: ReadOption = (into, text) => {
  const flat = text.toLowerCase().replaceAll('_', '')
  const found = preferences.find(preference => preference.replaceAll('_', '') === flat)
  if (!found) return `one of ${preferences.join(', ')}`
  into.nodePreference = found
  return undefined
}
const readName: ReadOption = (into, text) => {
  into.connectionName = decoded(text) ?? text
  return undefined
}

/** The options there are, by name in lower case. */
const options: ReadonlyMap<string, ReadOption> = new Map([
  ['tls', readTls],
  ['tlscafile', file('caFile')],
  ['usercertfile', file('certificateFile')],
  ['userkeyfile', file('keyFile')],
  ['nodepreference', readPreference],
  ['connectionname', readName],
  ['defaultdeadline', whole('deadlineMs', 100)],
  // The client complains of keepalives below 10 s, and servers close connections that ping too often.
  ['keepaliveinterval', whole('keepAliveIntervalMs', 10_000)],
  ['keepalivetimeout', whole('keepAliveTimeoutMs', 1_000)],
  ['discoveryinterval', whole('discoveryIntervalMs', 1)],
  ['gossiptimeout', whole('gossipTimeoutSeconds', 1)],
  ['maxdiscoverattempts', whole('maxDiscoverAttempts', 1)],
])

const parseOptions = (text: string): Settings | Fault => {
  const found: Settings = {}
  for (const pair of text === '' ? [] : text.split('&')) {
    // Whoever has left out the host, or an @, has written a password here.
    const [, name, value] = /^([A-Za-z_]{1,40})=([^@]*)$/.exec(pair) ?? []
    if (name === undefined || value === undefined)
      return { fault: 'has something after the ? that is not option=value' }
    const read = options.get(name.toLowerCase())
    if (!read) return { fault: `has the option ${name}, which is not known` }
    const wants = read(found, value)
    if (wants !== undefined) return { fault: `has the option ${name}, which has to be ${wants}` }
  }
  if ((found.certificateFile === undefined) !== (found.keyFile === undefined))
    return { fault: 'has one of userCertFile and userKeyFile: they go together' }
  return found
}

/**
 * Reads `esdb://[user:password@]host[:port][,host...][?option=value&...]`, or in words what is wrong with it (to follow the
 * setting's name); nothing of a login is in the words.
 */
export const readEventStoreDbAddress = (url: string): EventStoreDbAddress | Fault => {
  const [, scheme = '', rest = ''] = /^(esdb|esdb\+discover|kurrentdb|kurrentdb\+discover):\/\/(.+)$/i.exec(url) ?? []
  if (scheme === '') return { fault: 'is not esdb://host:port or esdb+discover://host:port' }
  const question = rest.indexOf('?')
  const place = /^(?:[\s\S]*[^/])?/.exec(question < 0 ? rest : rest.slice(0, question))?.[0] ?? ''
  const at = place.lastIndexOf('@')
  const login = at < 0 ? undefined : parseLogin(place.slice(0, at))
  if (login && 'fault' in login) return login
  const hosts = place
    .slice(at + 1)
    .split(',')
    .map(parseHost)
  const known = hosts.filter(host => host !== undefined)
  if (known.length < hosts.length) return { fault: 'names a host that is not host or host:port' }
  const found = parseOptions(question < 0 ? '' : rest.slice(question + 1))
  if ('fault' in found) return found
  return {
    discover: /\+discover$/i.test(scheme) || known.length > 1,
    hosts: known,
    tls: true,
    ...found,
    ...defined({ login }),
    shown: `${scheme.toLowerCase()}://${known.map(({ address, port }) => `${address}:${port}`).join(',')}`,
  }
}

/** Of the client's debugging output: where it shows what it was opened with. */
const TELLING = ['esdb', 'esdb:connection', 'esdb:command', 'esdb:command:grpc', 'esdb:events']

/** Whether the client would print its password: `DEBUG` has patterns in which `*` stands for anything. */
export const tellsPasswords = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  (environment['DEBUG'] ?? '').split(/[\s,]+/).some(pattern => {
    if (pattern === '' || pattern.startsWith('-')) return false
    const parts = pattern.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    const matches = new RegExp(`^${parts.join('.*')}$`)
    return TELLING.some(name => matches.test(name))
  })
