/**
 * One client a process and server, however many stores stand on it: the client keeps its pending appends in one table of
 * the process, and a second client that fails would reject the appends of the first. A client that could not discover its
 * cluster fails every append for ever: it is replaced.
 */
import { readFileSync } from 'node:fs'
import type { EventStoreDbAddress } from '../../../config/eventstoredb.ts'
import { defined } from '../../../domain/defined.ts'
import type { Clock } from '../../../ports/clock.ts'
import { EventStoreError } from '../../../ports/event-store.ts'
import { EsdbClient } from './client.ts'
import { textOf } from './errors.ts'
import { SilentError } from './silence.ts'

export type Connection = {
  readonly shown: string
  /** The client to call now. */
  client(): EsdbClient
  /** What a call failed with: where the client does not get over it by itself, the next call has another connection. */
  failed(client: EsdbClient, error: unknown): void
  /** The client could not ask for the server's features: it keeps that answer for ever. It has no append in the air. */
  renew(client: EsdbClient): void
  /** Who could not discover a cluster does not tell why its nodes did not answer: the first of them is asked for itself. Else the error. */
  why(error: unknown): Promise<unknown>
  close(): void
}

/** `former` ones have something open that goes on. */
type Shared = { current: EsdbClient; former: EsdbClient[]; users: number }

const shared = new Map<string, Shared>()

const readCertificate = (path: string, option: string, shown: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new EventStoreError('unavailable', `${shown}: the file of ${option} cannot be read (${path})`, { cause })
  }
}

const openClient = (address: EventStoreDbAddress, monotonic: () => number): EsdbClient => {
  const { hosts, shown, login } = address
  const common = {
    keepAliveInterval: address.keepAliveIntervalMs ?? 10_000,
    keepAliveTimeout: address.keepAliveTimeoutMs ?? 10_000,
    // A wrong revision has to be an error: as a result the batch path tells the wrong one.
    throwOnAppendFailure: true,
    ...defined({ defaultDeadline: address.deadlineMs, connectionName: address.connectionName }),
  }
  const discovery = defined({
    nodePreference: address.nodePreference,
    discoveryInterval: address.discoveryIntervalMs,
    gossipTimeout: address.gossipTimeoutSeconds,
    maxDiscoverAttempts: address.maxDiscoverAttempts,
  })

  const { caFile, certificateFile, keyFile } = address
  const security = {
    insecure: !address.tls,
    ...defined({ rootCertificate: caFile === undefined ? undefined : readCertificate(caFile, 'tlsCAFile', shown) }),
    ...defined({
      userCertFile: certificateFile === undefined ? undefined : readCertificate(certificateFile, 'userCertFile', shown),
    }),
    ...defined({ userKeyFile: keyFile === undefined ? undefined : readCertificate(keyFile, 'userKeyFile', shown) }),
  }
  const [first] = hosts
  if (!first) throw new TypeError('an address has a host')
  // A name of DNS that stands for the whole cluster is asked as one of its nodes is.
  const client = address.discover
    ? new EsdbClient({ endpoints: [...hosts], ...common, ...discovery }, security, login)
    : new EsdbClient({ endpoint: first, ...common }, security, login)
  return client.sound(monotonic)
}

const isUndiscovered = (error: unknown): boolean => /Failed to discover/.test(textOf(error))

/** @throws {EventStoreError} when a certificate's file cannot be read. Nothing is sent yet. */
export const openConnection = (address: EventStoreDbAddress, { monotonic }: Pick<Clock, 'monotonic'>): Connection => {
  const key = JSON.stringify(address)
  const mine = shared.get(key) ?? { current: openClient(address, monotonic), former: [], users: 0 }
  shared.set(key, mine)
  mine.users += 1
  let closed = false
  const renew = (client: EsdbClient): void => {
    if (mine.current !== client || closed) return
    mine.current = openClient(address, monotonic)
    // An outage renews with each try: who has nothing open is let go at once.
    const all = [...mine.former, client]
    mine.former = all.filter(former => former.inUse)
    for (const former of all) if (!former.inUse) former.end()
  }
  return {
    shown: address.shown,
    client: () => mine.current,
    failed: (client, error) => {
      if (error instanceof SilentError) client.silent(error.ms)
      else if (isUndiscovered(error)) renew(client)
    },
    renew,
    why: async error => {
      if (!isUndiscovered(error)) return error
      const direct = openClient({ ...address, discover: false }, monotonic)
      try {
        await direct.serverVersion()
        return error
      } catch (reason) {
        return reason
      } finally {
        direct.end()
      }
    },
    close: () => {
      if (closed) return
      closed = true
      mine.users -= 1
      if (mine.users > 0) return
      shared.delete(key)
      for (const client of [...mine.former, mine.current]) client.end()
    },
  }
}
