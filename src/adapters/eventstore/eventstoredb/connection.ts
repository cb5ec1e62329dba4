/**
 * One client a process and server, however many stores stand on it: the client keeps its pending appends in one table of
 * the process, and a second client that fails would reject the appends of the first. A client that could not discover its
 * cluster fails every append for ever: it is replaced.
 */
import { readFileSync } from 'node:fs'
import { EventStoreDBClient } from '@eventstore/db-client'
import { EventStoreError } from '../../../ports/event-store.ts'
import type { Address } from './address.ts'
import { textOf } from './errors.ts'

export class EsdbClient extends EventStoreDBClient {
  /** The server's version as it says it; `unknown` of servers before 21.10. */
  async serverVersion(): Promise<string> {
    return (await this.capabilities).serverVersion
  }

  /** Ends what is open and the connection itself, which `dispose` leaves to itself. */
  async end(): Promise<void> {
    await this.dispose()
    // Never opened: asking for the channel would open it.
    if (this.#used) (await this.getChannel().catch(() => undefined))?.close()
  }

  #used = false
  use(): this {
    this.#used = true
    return this
  }

  /**
   * The client looks after a failed call without waiting, and what that meets (a discovery that failed meanwhile) would be
   * an unhandled rejection, which ends a process.
   */
  sound(): this {
    const inherited = this.handleError
    this.handleError = (client, error) => inherited(client, error).catch(() => undefined)
    return this
  }
}

export type Connection = {
  readonly shown: string
  /** The client to call now. */
  client(): EsdbClient
  /** What a call failed with: where the client does not get over it by itself, the next call has a new one. */
  failed(client: EsdbClient, error: unknown): void
  /** The client could not ask for the server's features: it keeps that answer for ever. It has no append in the air. */
  renew(client: EsdbClient): void
  close(): Promise<void>
}

/** `former` ones are left as they are: a reading that still lives on one of them goes on. */
type Shared = { current: EsdbClient; readonly former: EsdbClient[]; users: number }

const shared = new Map<string, Shared>()

const readCertificate = (path: string, option: string, shown: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new EventStoreError('unavailable', `${shown}: the file of ${option} cannot be read (${path})`, { cause })
  }
}

const openClient = (address: Address): EsdbClient => {
  const { hosts, shown, login } = address
  const common = {
    keepAliveInterval: address.keepAliveIntervalMs ?? 10_000,
    keepAliveTimeout: address.keepAliveTimeoutMs ?? 10_000,
    // A wrong revision has to be an error: as a result the batch path tells the wrong one.
    throwOnAppendFailure: true,
    ...(address.deadlineMs !== undefined && { defaultDeadline: address.deadlineMs }),
    ...(address.connectionName !== undefined && { connectionName: address.connectionName }),
  }
  const discovery = {
    ...(address.nodePreference !== undefined && { nodePreference: address.nodePreference }),
    ...(address.discoveryIntervalMs !== undefined && { discoveryInterval: address.discoveryIntervalMs }),
    ...(address.gossipTimeoutSeconds !== undefined && { gossipTimeout: address.gossipTimeoutSeconds }),
    ...(address.maxDiscoverAttempts !== undefined && { maxDiscoverAttempts: address.maxDiscoverAttempts }),
  }
  const { caFile, certificateFile, keyFile } = address
  const security = {
    insecure: !address.tls,
    ...(caFile !== undefined && { rootCertificate: readCertificate(caFile, 'tlsCAFile', shown) }),
    ...(certificateFile !== undefined && { userCertFile: readCertificate(certificateFile, 'userCertFile', shown) }),
    ...(keyFile !== undefined && { userKeyFile: readCertificate(keyFile, 'userKeyFile', shown) }),
  }
  const [first] = hosts
  if (!first) throw new TypeError('an address has a host')
  if (address.byDns) return new EsdbClient({ discover: first, ...common, ...discovery }, security, login).sound()
  return address.discover
    ? new EsdbClient({ endpoints: [...hosts], ...common, ...discovery }, security, login).sound()
    : new EsdbClient({ endpoint: first, ...common }, security, login).sound()
}

/** @throws {EventStoreError} when a certificate's file cannot be read. Nothing is sent yet. */
export const openConnection = (address: Address): Connection => {
  const key = JSON.stringify(address)
  const mine = shared.get(key) ?? { current: openClient(address), former: [], users: 0 }
  shared.set(key, mine)
  mine.users += 1
  let closed = false
  const renew = (client: EsdbClient): void => {
    if (mine.current !== client || closed) return
    mine.former.push(client)
    mine.current = openClient(address)
  }
  return {
    shown: address.shown,
    client: () => mine.current.use(),
    failed: (client, error) => {
      if (/Failed to discover/.test(textOf(error))) renew(client)
    },
    renew,
    close: async () => {
      if (closed) return
      closed = true
      mine.users -= 1
      if (mine.users > 0) return
      shared.delete(key)
      for (const each of [...mine.former, mine.current]) await each.end()
    },
  }
}
