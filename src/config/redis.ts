/** Addresses of Redis: one server, a cluster, or servers that sentinels watch. */
import { isAbsolute } from 'node:path'
import { defined } from '../domain/defined.ts'

export type RedisAddress = {
  readonly kind: 'server' | 'cluster' | 'sentinel'
  readonly tls: boolean
  /** One server; some of a cluster's, which name the others; or the sentinels. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly username?: string
  readonly password?: string
  /** The number of the database; a cluster has one only. */
  readonly database: number
  /** What the sentinels call the servers. */
  readonly group?: string
  /** Of the sentinels, where they ask for one. */
  readonly sentinelPassword?: string
  /** The file of the authority that certificates are checked with, beside those of the system. */
  readonly caFile?: string
}

const FORM =
  /^(rediss?)(?:\+(cluster|sentinel))?:\/\/(?:(?<login>[^@/]*)@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^?#]*))?(?:\?(?<options>[^#]*))?$/i
const PORTS = { server: 6379, cluster: 6379, sentinel: 26379 } as const

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const hostsOf = (text: string, port: number): RedisAddress['hosts'] | undefined => {
  const hosts = text.split(',').map(each => {
    const [, six, name, given] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(each) ?? []
    const host = six ?? name
    const number = given === undefined ? port : Number(given)
    return host === undefined || number < 1 || number > 65_535 ? undefined : { host, port: number }
  })
  const known = hosts.flatMap(each => each ?? [])
  return known.length === hosts.length ? known : undefined
}

/** What the options say, or which of them is at fault. */
const optionsOf = (text: string, kind: RedisAddress['kind'], tls: boolean) => {
  const found: { sentinelPassword?: string; caFile?: string } = {}
  for (const [name, value] of new URLSearchParams(text)) {
    if (name === 'sentinelPassword' && kind === 'sentinel') found.sentinelPassword = value
    else if (name === 'tlsCAFile' && tls && isAbsolute(value)) found.caFile = value
    else return { fault: name.slice(0, 40) }
  }
  return found
}

const kindOf = (word: string | undefined): RedisAddress['kind'] =>
  word === undefined ? 'server' : word.toLowerCase() === 'cluster' ? 'cluster' : 'sentinel'

/** The address, or in words what is wrong with it (to follow the setting's name); nothing of a login is in the words. */
export const readRedisAddress = (url: string): RedisAddress | { readonly fault: string } => {
  const form = FORM.exec(url)
  const { login = '', hosts: named = '', path = '', options = '' } = form?.groups ?? {}
  if (!form) return { fault: 'is no address of Redis: write redis://user:password@host:6379/0' }
  const kind = kindOf(form[2])
  const tls = form[1]?.toLowerCase() === 'rediss'
  const hosts = hostsOf(named, PORTS[kind])
  if (!hosts) return { fault: 'names a host or port that is none' }
  if (kind === 'server' && hosts.length > 1)
    return { fault: 'names several servers: write redis+cluster:// or redis+sentinel:// for those' }
  const colon = login.indexOf(':')
  const username = decoded(colon < 0 ? login : login.slice(0, colon))
  const password = decoded(colon < 0 ? '' : login.slice(colon + 1))
  if (username === undefined || password === undefined)
    return { fault: 'has a login that is not percent-encoded: write %40 for @, %2F for / and %25 for %' }
  const [first = '', second = '', ...more] = path.split('/')
  const group = kind === 'sentinel' ? decoded(first) : undefined
  const number = kind === 'sentinel' ? second : first
  const rest = kind === 'sentinel' ? more : [second, ...more].filter(each => each !== '')
  if (kind === 'sentinel' && (group === undefined || group === ''))
    return { fault: 'does not say what the sentinels call it: write redis+sentinel://host:26379/mymaster' }
  if (rest.length > 0 || !/^\d{0,5}$/.test(number) || (kind === 'cluster' && Number(number) !== 0))
    return {
      fault: kind === 'cluster' ? 'takes no path after the hosts' : 'takes the number of a database after the host',
    }
  const known = optionsOf(options, kind, tls)
  if ('fault' in known)
    return {
      fault: `has the option ${known.fault}, which is not known here: use tlsCAFile=/path (with rediss://) or sentinelPassword=`,
    }
  return {
    kind,
    tls,
    hosts,
    database: Number(number),
    ...known,
    ...defined({ username: username !== '' ? username : undefined }),
    ...defined({ password: password !== '' ? password : undefined }),
    ...defined({ group }),
  }
}
