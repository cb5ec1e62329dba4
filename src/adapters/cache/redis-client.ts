/**
 * The client of Redis: one server, a cluster, or whichever server the sentinels say is the primary; and its faults in words. What one
 * server does in one step over several keys, a cluster does key by key, in the order that is asked for.
 */
import type { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { type RedisAddress, readRedisAddress } from '../../config/redis.ts'
import { defined } from '../../domain/defined.ts'

/** A call that takes longer costs more than what it saves. */
const COMMAND_MS = 250
const CONNECT_MS = 2_000
const LONGEST_RETRY_MS = 2_000
/** Moves of keys that a call follows, and half-open elections that it waits for. */
const REDIRECTIONS = 4
/** Keys taken away by one command. */
const UNLINKED = 1_000

const pause = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 6), LONGEST_RETRY_MS)

const clientOptions = {
  lazyConnect: true,
  connectTimeout: CONNECT_MS,
  commandTimeout: COMMAND_MS,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableReadyCheck: true,
  retryStrategy: pause,
  // A failover leaves the old primary as a replica: the address is asked anew who is primary.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions
const onlyOnce = { commandTimeout: CONNECT_MS, retryStrategy: () => null } satisfies RedisOptions

/** What one client answers, whichever way it is reached. */
export type RedisClient = {
  /** error, ready, close, end. */
  readonly events: Pick<EventEmitter, 'on'>
  /** Connects; later losses mend themselves. Rejects with the first failure. */
  connect(): Promise<void>
  isReady(): boolean
  ping(): Promise<void>
  /** Writes a key that ends by itself within a second; the version of the server. */
  probe(key: string): Promise<string>
  /** The keys' texts, group after group: nothing of a later group is read before the ones before it. */
  read(groups: readonly (readonly string[])[]): Promise<readonly (string | null)[]>
  /** Each where there is none yet, for `ttl` ms. */
  setMissing(pairs: readonly (readonly [key: string, text: string])[], ttl: number): Promise<void>
  /** All are gone when it resolves. */
  unlink(keys: readonly string[]): Promise<void>
  /** Takes away every key of the pattern, everywhere. */
  unlinkMatching(pattern: string): Promise<void>
  /** Runs a script whose keys share a hash tag. */
  run(digest: string, script: string, keys: number, rest: readonly (string | number)[]): Promise<unknown>
  dropMember(key: string, member: string): Promise<void>
  close(): void
}

/** @throws {TypeError} naming the file. */
const authorityIn = (path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new TypeError(`the address names ${path} as tlsCAFile, which cannot be read (${code})`, { cause: error })
  }
}

const open = (address: RedisAddress, more: Pick<RedisOptions, 'commandTimeout' | 'retryStrategy'>): Redis | Cluster => {
  const { kind, hosts, username, password, database, group, sentinelPassword, caFile } = address
  const trust = caFile === undefined ? {} : { ca: authorityIn(caFile) }
  const login = defined({ username, password })
  const options = { ...clientOptions, ...login, ...defined({ tls: address.tls ? trust : undefined }), ...more }
  if (kind === 'cluster')
    return new Cluster([...hosts], {
      lazyConnect: true,
      enableOfflineQueue: false,
      slotsRefreshTimeout: CONNECT_MS,
      redisOptions: options,
      maxRedirections: REDIRECTIONS,
      retryDelayOnFailover: 50,
      retryDelayOnClusterDown: 50,
      // Certificates name hosts, not the addresses that they have.
      dnsLookup: (name, callback) => callback(null, name),
      clusterRetryStrategy: 'retryStrategy' in more ? () => null : pause,
    })
  const [only] = hosts
  if (kind === 'server') return new Redis({ ...options, ...only, db: database })
  return new Redis({
    ...options,
    sentinels: [...hosts],
    db: database,
    enableTLSForSentinelMode: address.tls,
    ...defined({ name: group, sentinelPassword }),
    ...defined({ sentinelTLS: address.tls ? trust : undefined }),
    sentinelRetryStrategy: 'retryStrategy' in more ? () => null : pause,
    // A primary that hangs says nothing of its end: the sentinels do.
    failoverDetector: true,
  })
}

const within = async <T>(work: Promise<T>, ms: number): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(TIMED_OUT)), ms)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What ioredis calls an answer that did not come within `commandTimeout`. */
export const TIMED_OUT = 'Command timed out'

export type RedisClientOptions = {
  /** Does not try again, and waits longer for answers; for looking at it. */
  readonly once?: boolean
  /** How long an answer is waited for, in ms. */
  readonly answerMs?: number
}

/** @throws {TypeError} on an address that is none. */
export const openRedisClient = (url: string, options: RedisClientOptions = {}): RedisClient => {
  const { answerMs = COMMAND_MS } = options
  const address = readRedisAddress(url)
  if ('fault' in address) throw new TypeError(`the address ${address.fault}`)
  const server = open(address, options.once ? onlyOnce : { commandTimeout: answerMs })
  const inCluster = server instanceof Cluster
  const commands: Pick<Redis, 'get' | 'set' | 'unlink' | 'eval' | 'evalsha' | 'hdel' | 'ping' | 'info'> = server
  // A cluster's client follows moves and waits for elections: all of that together has the time of one call.
  const bounded = <T>(work: Promise<T>): Promise<T> => (inCluster ? within(work, answerMs) : work)

  const unlinkEach = async (keys: readonly string[]): Promise<void> => {
    for (let at = 0; at < keys.length; at += UNLINKED) {
      const some = keys.slice(at, at + UNLINKED)
      if (inCluster) await Promise.all(some.map(key => commands.unlink(key)))
      else await commands.unlink(...some)
    }
  }
  const sweep = async (node: Redis, pattern: string): Promise<void> => {
    let cursor = '0'
    do {
      const [next, found] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', UNLINKED)
      await unlinkEach(found)
      cursor = next
    } while (cursor !== '0')
  }

  return {
    events: server,
    connect: () => server.connect(),
    isReady: () => server.status === 'ready',
    ping: async () => {
      await commands.ping()
    },
    probe: async key => {
      await commands.set(key, '1', 'PX', 1_000)
      return /redis_version:([^\r\n]+)/.exec(await commands.info('server'))?.[1] ?? 'of an unknown version'
    },
    read: async groups => {
      if (!inCluster) return server.mget(...groups.flat())
      const texts: (string | null)[] = []
      for (const keys of groups) texts.push(...(await bounded(Promise.all(keys.map(key => commands.get(key))))))
      return texts
    },
    setMissing: async (pairs, ttl) => {
      await bounded(Promise.all(pairs.map(([key, text]) => commands.set(key, text, 'PX', ttl, 'NX'))))
    },
    unlink: unlinkEach,
    unlinkMatching: async pattern => {
      for (const node of inCluster ? server.nodes('master') : [server]) await sweep(node, pattern)
    },
    run: async (digest, script, keys, rest) => {
      try {
        return await bounded(commands.evalsha(digest, keys, ...rest))
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
          return bounded(commands.eval(script, keys, ...rest))
        throw error
      }
    },
    dropMember: async (key, member) => {
      await bounded(commands.hdel(key, member))
    },
    close: () => server.disconnect(),
  }
}

const codes: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ENOTFOUND', 'there is no such host'],
  ['EAI_AGAIN', 'the name of the host cannot be looked up now'],
  ['ETIMEDOUT', 'it does not answer'],
  ['EHOSTUNREACH', 'there is no way to the host'],
  ['ECONNRESET', 'it ended the connection'],
  ['EPIPE', 'it ended the connection'],
  ['EPROTO', 'it does not speak TLS there'],
])
const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS/

const causeOf = (error: unknown): unknown =>
  error instanceof Error && 'lastNodeError' in error && error.lastNodeError instanceof Error
    ? error.lastNodeError
    : error

/** What went wrong, and what to do where it is not plain; without its address and login. */
export const reasonOf = (error: unknown): string => {
  const cause = causeOf(error)
  const text = cause instanceof Error ? cause.message : String(cause)
  if (/^OOM/.test(text))
    return 'it is full and evicts nothing (OOM): set maxmemory-policy to allkeys-lru, or give it more'
  if (/^READONLY/.test(text)) return 'it is a replica and takes no writes (READONLY): name the primary'
  if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(text)) return `it refuses the user or the password (${text.split(' ')[0]})`
  if (/^(CLUSTERDOWN|MASTERDOWN)|None of startup nodes/.test(text))
    return `its cluster has lost members (${text.split(' ')[0]}): look at cluster info there`
  if (/^Connection is closed/.test(text)) return 'nothing answers there, or it ends the connection'
  if (/cluster support disabled/i.test(text)) return 'it is no cluster: write redis:// for one server'
  if (/^(MOVED|CROSSSLOT)/.test(text)) return 'it is one of a cluster: write redis+cluster://'
  if (/All sentinels are unreachable/.test(text))
    return 'no sentinel answers, or none knows the name after the host: look at sentinel masters there'
  if (/unknown command|ERR syntax/i.test(text))
    return `it does not know a command: Redis 5 is the oldest that is supported (${text.slice(0, 80)})`
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (untrusted.test(code))
    return `its certificate is not trusted (${code}): name its authority with ?tlsCAFile=/path, or in NODE_EXTRA_CA_CERTS`
  const known = codes.get(code)
  if (code !== '') return known === undefined ? code : `${known} (${code})`
  return text.slice(0, 120)
}
