/** The connection string of an EventStoreDB, read and checked here: the client's own reader quotes passwords in its errors. */

export type Host = { readonly address: string; readonly port: number }

export type Address = {
  /** The hosts are to be asked who leads the cluster. */
  readonly discover: boolean
  /** The name is one of DNS that stands for the whole cluster. */
  readonly byDns: boolean
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
export type Fault = { readonly fault: string }

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

type Login = Address['login']
const parseLogin = (text: string): Login | Fault => {
  const colon = text.indexOf(':')
  const username = decoded(text.slice(0, Math.max(colon, 0)))
  const password = decoded(text.slice(colon + 1))
  if (colon <= 0 || !username || !password)
    return { fault: 'has a login that is not user:password, each percent-encoded' }
  return { username, password }
}

type Settings = { -readonly [Name in keyof Address]?: Address[Name] }

const whole =
  (least: number, set: (into: Settings, value: number) => void) =>
  (into: Settings, text: string): string | undefined => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least) return `a whole number from ${least} up`
    set(into, Number(text))
    return undefined
  }
const file =
  (set: (into: Settings, value: string) => void) =>
  (into: Settings, text: string): string | undefined => {
    const path = decoded(text)
    if (!path) return 'the path of a file'
    set(into, path)
    return undefined
  }

type Read = (into: Settings, text: string) => string | undefined
/** The options there are, by name in lower case; each takes its value or says what it wants. */
const options: ReadonlyMap<string, Read> = new Map(
  Object.entries<Read>({
    tls: (into, text) => {
      if (text !== 'true' && text !== 'false') return 'true or false'
      into.tls = text === 'true'
      return undefined
    },
    tlscafile: file((into, path) => {
      into.caFile = path
    }),
    usercertfile: file((into, path) => {
      into.certificateFile = path
    }),
    userkeyfile: file((into, path) => {
      into.keyFile = path
    }),
    nodepreference: (into, text) => {
      const flat = text.toLowerCase().replaceAll('_', '')
      const found = preferences.find(each => each.replaceAll('_', '') === flat)
      if (!found) return `one of ${preferences.join(', ')}`
      into.nodePreference = found
      return undefined
    },
    connectionname: (into, text) => {
      into.connectionName = decoded(text) ?? text
      return undefined
    },
    // The client complains of keepalives below 10 s, and servers close connections that ping too often.
    defaultdeadline: whole(100, (into, ms) => {
      into.deadlineMs = ms
    }),
    keepaliveinterval: whole(10_000, (into, ms) => {
      into.keepAliveIntervalMs = ms
    }),
    keepalivetimeout: whole(1_000, (into, ms) => {
      into.keepAliveTimeoutMs = ms
    }),
    discoveryinterval: whole(1, (into, ms) => {
      into.discoveryIntervalMs = ms
    }),
    gossiptimeout: whole(1, (into, seconds) => {
      into.gossipTimeoutSeconds = seconds
    }),
    maxdiscoverattempts: whole(1, (into, times) => {
      into.maxDiscoverAttempts = times
    }),
  }),
)

const parseOptions = (text: string): Settings | Fault => {
  const found: Settings = {}
  for (const pair of text === '' ? [] : text.split('&')) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0))
    const read = options.get(name.toLowerCase())
    if (!read) return { fault: `has an option ${JSON.stringify(name || pair)} that is not known` }
    const wants = read(found, pair.slice(equals + 1))
    if (wants !== undefined) return { fault: `has the option ${name}, which has to be ${wants}` }
  }
  if ((found.certificateFile === undefined) !== (found.keyFile === undefined))
    return { fault: 'has one of userCertFile and userKeyFile: they go together' }
  return found
}

/** Reads `esdb://[user:password@]host[:port][,host...][?option=value&...]`; a fault follows the setting's name. */
export const parseAddress = (url: string): Address | Fault => {
  const [, scheme = '', rest = ''] = /^(esdb|esdb\+discover|kurrentdb|kurrentdb\+discover):\/\/(.+)$/i.exec(url) ?? []
  if (scheme === '') return { fault: 'is not esdb://host:port or esdb+discover://host:port' }
  const question = rest.indexOf('?')
  const place = (question < 0 ? rest : rest.slice(0, question)).replace(/\/+$/, '')
  const at = place.lastIndexOf('@')
  const login = at < 0 ? undefined : parseLogin(place.slice(0, at))
  if (login && 'fault' in login) return login
  const hosts = place
    .slice(at + 1)
    .split(',')
    .map(parseHost)
  const known = hosts.filter(each => each !== undefined)
  if (known.length < hosts.length) return { fault: 'names a host that is not host or host:port' }
  const found = parseOptions(question < 0 ? '' : rest.slice(question + 1))
  if ('fault' in found) return { fault: String(found.fault) }
  const byDns = /\+discover$/i.test(scheme)
  return {
    ...{ discover: byDns || known.length > 1, byDns, hosts: known, tls: true },
    ...found,
    ...(login && { login }),
    shown: `${scheme.toLowerCase()}://${known.map(({ address, port }) => `${address}:${port}`).join(',')}`,
  }
}
