/** A connection to MongoDB: its limits, what its errors mean, what the operator sees of its pool. */

import {
  type CommandFailedEvent,
  type CommandSucceededEvent,
  MongoClient,
  type MongoClientOptions,
  MongoError,
  MongoServerError,
} from 'mongodb'
import { describeFailure, OwnError } from '../../domain/own-error.ts'
import { afterPrefix } from '../../ports/conditions.ts'
import { endWritesWithTheirConnection } from './sockets.ts'

/** Connections and commands since the start, but for those in use and those who wait for one. */
export type MongoFigures = {
  readonly inUse: number
  readonly waiting: number
  readonly opened: number
  readonly closed: number
  /** Times that the pool was emptied because its server failed. */
  readonly cleared: number
  /** By name; the service sends few: find, update, insert, delete and their kind. */
  readonly commands: Readonly<
    Record<string, { readonly done: number; readonly failed: number; readonly seconds: number }>
  >
}

export type MongoFaultCode = 'unavailable' | 'gone' | 'closed'
/** Makes the error of the port that the connection serves. */
export type MongoFault = (code: MongoFaultCode, message: string, options?: ErrorOptions) => Error

export type MongoConnection = {
  readonly client: MongoClient
  readonly database: string
  /** The setting and its address without credentials. */
  readonly shown: string
  figures(): MongoFigures
  /** Runs the work; its errors become those of the port. */
  run<T>(work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export const MAX_POOL = 50
/** How long a call looks for a server that can take it. */
export const SELECTION_MS = 5_000
const CONNECT_MS = 5_000
const SOCKET_MS = 30_000
/** How often the monitor looks. When it hears nothing for CONNECT_MS it ends the commands under way: no answer will come. */
const LOOK_MS = 2_000
/** The first release whose behaviour was read (MongoDB 5.0). */
const OLDEST = 5

const options: MongoClientOptions = {
  appName: 'lexichron',
  maxPoolSize: MAX_POOL,
  minPoolSize: 1,
  waitQueueTimeoutMS: SELECTION_MS,
  serverSelectionTimeoutMS: SELECTION_MS,
  connectTimeoutMS: CONNECT_MS,
  socketTimeoutMS: SOCKET_MS,
  // Positions are bigints; documents hold no other 64-bit number.
  useBigInt64: true,
  ignoreUndefined: true,
  monitorCommands: true,
}

/** NamespaceNotFound, QueryPlanKilled: the collection was dropped before or while it was read. */
const GONE: ReadonlySet<unknown> = new Set([26, 175])
const UNAUTHORISED: ReadonlySet<unknown> = new Set([13, 18])
export const DUPLICATE = 11_000
/** Is there such a document already? */
export const isDuplicate = (error: unknown): boolean => error instanceof MongoServerError && error.code === DUPLICATE

/** The range of the texts that begin so; in MongoDB's order of bytes, which is that of code points. */
export const withPrefix = (prefix: string): { readonly $gte: string; readonly $lt?: string } => {
  const end = afterPrefix(prefix)
  return end === undefined ? { $gte: prefix } : { $gte: prefix, $lt: end }
}

const figureNames = ['inUse', 'waiting', 'opened', 'closed', 'cleared'] as const

const codeOf = (error: unknown): MongoFaultCode =>
  error instanceof MongoServerError && GONE.has(error.code) ? 'gone' : 'unavailable'

/** An address may name another rhythm. */
const optionsFor = (url: string): MongoClientOptions =>
  /heartbeatFrequencyMS=/i.test(url) ? options : { ...options, heartbeatFrequencyMS: LOOK_MS }

/** Of a key that is taken the server quotes what stands in it, which may be what people wrote. */
const withoutKey = (sentence: string): string => sentence.replace(/ dup key: [\s\S]*/, '')

/** Without the address, which may hold a password: names and codes, and the server's own sentence but for what it quotes. */
export const reasonOf = (error: unknown): string =>
  error instanceof MongoServerError
    ? `${error.codeName ?? error.code}: ${withoutKey(error.errmsg ?? error.name)}`
    : error instanceof MongoError
      ? `${error.name}: ${error.message}`
      : describeFailure(error)

/** Greedy: a password with an unescaped @ is masked whole. */
const shownOf = (url: string): string => url.replace(/^([a-z+]+:\/\/).*@/i, '$1***@').replace(/\?[\s\S]*/, '')

/** The database that an address names; undefined when it names none. */
export const databaseOf = (url: string): string | undefined => {
  const path = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]*)/.exec(url)?.[1]
  return path === undefined || path === '' ? undefined : decodeURIComponent(path)
}

/** A sentence for the operator, made here. */
class StartFault extends OwnError {
  override readonly name = 'StartFault'
  /** What is wrong at the start is not waited for, unless somebody says so. */
  readonly kind = 'start'
}

/** What stands in the way at the start, in a sentence that says what to do. */
const startFault = (url: string, error: unknown): string => {
  if (error instanceof MongoServerError && UNAUTHORISED.has(error.code))
    return 'the server refuses the user or the password (or the user may not use this database; see authSource)'
  const reason = reasonOf(error)
  if (/certificate|self.signed|unable to verify|TLS|SSL/i.test(reason))
    return `the server's certificate is not trusted (${reason}): name its authority with tlsCAFile`
  if (/replicaSet=/.test(url) && /no primary|not a member|setName|Server selection timed out/i.test(reason))
    return `no primary of the replica set that the address names was found within ${SELECTION_MS / 1000} s (${reason}): is this server a member of it?`
  return `no server answered within ${SELECTION_MS / 1000} s (${reason})`
}

const checkServer = async (client: MongoClient, database: string): Promise<void> => {
  await client.connect()
  await client.db(database).command({ ping: 1 })
  // The older name of `hello` is understood by every server.
  const hello = await client.db('admin').command({ ismaster: 1 })
  if (hello['ismaster'] === false && hello['secondary'] === true)
    throw new StartFault(
      'this member is a secondary and takes no writes: name the replica set (replicaSet=...) instead',
    )
  const { version } = await client.db('admin').command({ buildInfo: 1 })
  if (Number.parseInt(String(version), 10) < OLDEST)
    throw new StartFault(`this is MongoDB ${version}, and ${OLDEST}.0 is the oldest that is supported`)
}

/**
 * Connects and looks at what is there; the database is `lexichron` where the address names none.
 * @throws what `fault` makes, unavailable: in words for the operator and without secrets.
 */
export const connectMongo = async (
  url: string,
  {
    setting,
    fault,
    database = databaseOf(url) ?? 'lexichron',
  }: { readonly setting: string; readonly fault: MongoFault; readonly database?: string },
): Promise<MongoConnection> => {
  endWritesWithTheirConnection()
  const shown = `${setting} ${shownOf(url)}`
  let client: MongoClient
  try {
    client = new MongoClient(url, optionsFor(url))
  } catch (error) {
    // The driver's own sentence may repeat the whole address.
    const name = error instanceof Error ? error.name : 'unknown error'
    const form = 'mongodb://user:password@host/database, what is special in user and password percent-encoded'
    const found = new StartFault(`this is no address of MongoDB (${name}): write ${form}`)
    throw fault('unavailable', `${shown}: ${found.message}`, { cause: found })
  }
  const commands = new Map<string, { done: number; failed: number; seconds: number }>()
  const counted = (
    outcome: 'done' | 'failed',
    { commandName, duration }: CommandSucceededEvent | CommandFailedEvent,
  ) => {
    const found = commands.get(commandName) ?? { done: 0, failed: 0, seconds: 0 }
    found[outcome] += 1
    found.seconds += duration / 1000
    commands.set(commandName, found)
  }
  client.on('commandSucceeded', event => counted('done', event))
  client.on('commandFailed', event => counted('failed', event))
  const figures = { inUse: 0, waiting: 0, opened: 0, closed: 0, cleared: 0 }
  const count = (change: Partial<Record<keyof typeof figures, 1 | -1>>) => (): void => {
    for (const name of figureNames) figures[name] += change[name] ?? 0
  }
  client.on('connectionCreated', count({ opened: 1 }))
  client.on('connectionClosed', count({ closed: 1 }))
  client.on('connectionCheckOutStarted', count({ waiting: 1 }))
  client.on('connectionCheckOutFailed', count({ waiting: -1 }))
  client.on('connectionCheckedOut', count({ waiting: -1, inUse: 1 }))
  client.on('connectionCheckedIn', count({ inUse: -1 }))
  client.on('connectionPoolCleared', count({ cleared: 1 }))
  // A client without this listener would end the process.
  client.on('error', () => undefined)

  try {
    await checkServer(client, database)
  } catch (error) {
    await client.close().catch(() => undefined)
    const found = error instanceof StartFault ? error : new StartFault(startFault(url, error), { cause: error })
    throw fault('unavailable', `${shown}: ${found.message}`, { cause: found })
  }

  let closed = false
  const isClosed = () => fault('closed', `${shown}: the connection is closed`)
  return {
    client,
    database,
    shown,
    figures: () => ({ ...figures, commands: Object.fromEntries(commands) }),
    run: async work => {
      if (closed) throw isClosed()
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof MongoError)) throw error
        throw closed ? isClosed() : fault(codeOf(error), `${shown}: ${reasonOf(error)}`, { cause: error })
      }
    },
    close: async () => {
      if (closed) return
      closed = true
      await client.close()
    },
  }
}
