/**
 * A double of an EventStoreDB server for tests: its gRPC protocol made from the definitions that the client ships, over a
 * log in memory, with faults on order. What it answers was seen on a real server, 23.10.6.
 */
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js'
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js'
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import {
  type Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { append, batchAppend, remove } from './appends.ts'
import { type Fault, type Faults, openFaults } from './faults.ts'
import { accessDenied, notLeader, serviceError } from './messages.ts'
import { type Call, read } from './reads.ts'
import { type DoubleLog, openDoubleLog } from './records.ts'

export type DoubleOptions = {
  /** What getSupportedMethods says; by default that of the server whose answers were measured. */
  readonly version?: string
  /** Without it the client appends classically, one call an append. */
  readonly batch?: boolean
  /** The service of server features is not there: servers before 21.10. */
  readonly features?: boolean
  /** Asks every call for this user; needs `tls`, since clients send no credentials without. */
  readonly login?: { readonly user: string; readonly password: string }
  readonly tls?: { readonly key: Buffer; readonly certificate: Buffer }
  /** Events the log begins with, as a server's own does; 3 by default, so that no event of ours is at position 0. */
  readonly systemEvents?: number
  readonly port?: number
  readonly now?: () => number
  /** It is one of a cluster. */
  readonly member?: Member
}

/** What a member of a cluster knows of the others. */
export type Member = {
  /** What this member has of the log that all of them share. */
  readonly log: DoubleLog
  readonly isLeader: () => boolean
  readonly members: () => readonly { readonly port: number; readonly isLeader: boolean }[]
}

export type EventStoreDouble = {
  /** `esdb://127.0.0.1:<port>?tls=false`, with more options on request. */
  url(more?: string): string
  readonly port: number
  readonly log: DoubleLog
  readonly faults: Faults
  /** Appends that came in, whatever became of them. */
  readonly appends: () => number
  /** Events and checkpoints that went out to readers. */
  readonly sent: () => number
  /** Reads and subscriptions that are open now. */
  readonly open: () => number
  /** Cuts all connections; the server stays. */
  cut(): void
  /** Stops listening and cuts all connections; the log stays. */
  stop(): Promise<void>
  /** Listens again on the same port, as after a restart. */
  start(): Promise<void>
  close(): Promise<void>
}

/** VNodeState of the gossip service. */
const LEADER = 8
const FOLLOWER = 6

const authorised = (metadata: Metadata, login: DoubleOptions['login']): boolean =>
  login === undefined ||
  metadata.get('authorization')[0] === `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`

export const openEventStoreDouble = async (options: DoubleOptions = {}): Promise<EventStoreDouble> => {
  const { version = '23.10.6', batch = true, features = true, login, tls, now = Date.now } = options
  const { member } = options
  const log = member?.log ?? openDoubleLog(now)
  const faults = openFaults()
  const calls = new Set<Call>()
  let appends = 0
  let sent = 0
  let server: Server | undefined
  let port = options.port ?? 0

  if (!member) for (let n = 0; n < (options.systemEvents ?? 3); n += 1) log.system('$settings', '$metadata')

  // The channels are cut one turn later: the call in hand is to be left without an answer, not to throw.
  const cut = (): void => {
    const running = server
    if (!running) return
    setImmediate(() => {
      server = undefined
      running.forceShutdown()
      if (!stopped) void listen()
    })
  }
  let stopped = false

  const methods = () => {
    const supported = new featuresPb.SupportedMethods()
    supported.setEventStoreServerVersion(version)
    for (const name of ['append', 'read', 'delete', 'tombstone', ...(batch ? ['batchappend'] : [])]) {
      const method = new featuresPb.SupportedMethod()
      method.setServiceName('event_store.client.streams.streams')
      method.setMethodName(name)
      supported.addMethods(method)
    }
    return supported
  }

  const leads = (): boolean => member?.isLeader() ?? true
  const leader = () => member?.members().find(other => other.isLeader)
  const elsewhere = () => {
    const found = leader()
    return found ? notLeader('127.0.0.1', found.port) : serviceError(status.UNAVAILABLE, 'Server Is Not Ready')
  }
  const gossip = ({ port, isLeader }: { readonly port: number; readonly isLeader: boolean }) => {
    const info = new gossipPb.MemberInfo()
    const place = new gossipPb.EndPoint()
    place.setAddress('127.0.0.1')
    place.setPort(port)
    info.setHttpEndPoint(place)
    info.setState(isLeader ? LEADER : FOLLOWER)
    info.setIsAlive(true)
    info.setTimeStamp('0')
    info.setInstanceId(new sharedPb.UUID())
    return info
  }

  const make = (): Server => {
    const made = new Server({
      interceptors: [
        ({ path }, call) =>
          new ServerInterceptingCall(call, {
            start: next =>
              next({
                onReceiveMetadata: (metadata, forward) => {
                  // Features and gossip are asked without a login, and of everybody.
                  if (!path.includes('Streams')) forward(metadata)
                  else if (!authorised(metadata, login)) call.sendStatus(accessDenied())
                  else if (metadata.get('requires-leader')[0] === 'true' && !leads()) call.sendStatus(elsewhere())
                  else forward(metadata)
                },
              }),
          }),
      ],
    })
    const seen = (): void => {
      appends += 1
    }
    const fault = (): Fault | undefined => {
      if (leads()) return faults.take('append')
      return { kind: 'not-leader', host: '127.0.0.1', port: leader()?.port ?? 0 }
    }
    const appending = { log, cut, seen, fault }
    made.addService(streamsGrpc.StreamsService, {
      read: read({
        log,
        cut,
        fault: operation => faults.take(operation),
        saysCaughtUp: Number.parseInt(version, 10) >= 23,
        sent: () => {
          sent += 1
        },
        opened: call => {
          calls.add(call)
          for (const end of ['cancelled', 'close', 'finish', 'error']) call.on(end, () => calls.delete(call))
        },
      }),
      append: append(appending),
      batchAppend: batchAppend(appending),
      delete: remove(log, false, () => new streamsPb.DeleteResp()),
      tombstone: remove(log, true, () => new streamsPb.TombstoneResp()),
    })
    if (features)
      made.addService(featuresGrpc.ServerFeaturesService, {
        getSupportedMethods: (_: unknown, callback: sendUnaryData<featuresPb.SupportedMethods>) => {
          const fault = faults.take('features')
          if (fault?.kind === 'drop') return cut()
          if (fault?.kind === 'freeze') return
          if (fault?.kind === 'overloaded')
            return callback(serviceError(status.RESOURCE_EXHAUSTED, 'Server is too busy'))
          callback(null, methods())
        },
      })
    made.addService(gossipGrpc.GossipService, {
      read: (_: unknown, callback: sendUnaryData<gossipPb.ClusterInfo>) => {
        const info = new gossipPb.ClusterInfo()
        for (const known of member?.members() ?? [{ port, isLeader: true }]) info.addMembers(gossip(known))
        callback(null, info)
      },
    })
    return made
  }

  const credentials = (): ServerCredentials =>
    tls
      ? ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.certificate }])
      : ServerCredentials.createInsecure()

  const listen = (): Promise<void> => {
    const made = make()
    server = made
    return new Promise((resolve, reject) => {
      const bind = (tries: number): void =>
        made.bindAsync(`127.0.0.1:${port}`, credentials(), (error, bound) => {
          if (!error) {
            port = bound
            return resolve()
          }
          // The port is given back by the system a moment after the server that had it is gone.
          if (server !== made) resolve()
          else if (tries > 0) setTimeout(() => (server === made ? bind(tries - 1) : resolve()), 20)
          else reject(error)
        })
      bind(100)
    })
  }
  await listen()

  const stop = async (): Promise<void> => {
    stopped = true
    const running = server
    server = undefined
    running?.forceShutdown()
  }
  return {
    url: more => `esdb://127.0.0.1:${port}?tls=${tls ? 'true' : 'false'}${more === undefined ? '' : `&${more}`}`,
    get port() {
      return port
    },
    log,
    faults,
    appends: () => appends,
    sent: () => sent,
    open: () => calls.size,
    cut,
    stop,
    start: async () => {
      stopped = false
      log.restart()
      if (!server) await listen()
    },
    close: stop,
  }
}
