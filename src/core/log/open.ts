/** The log over an event store: encodes on the way in, decodes page by page on the way out. */
import { randomFillSync } from 'node:crypto'
import type { EventType } from '../../domain/event.ts'
import { categoryOf } from '../../domain/ids.ts'
import type {
  AppendResult,
  Batch,
  EventStore,
  EventStoreError,
  LogFilter,
  LoggedEvent,
  ReadStreamOptions,
} from '../../ports/event-store.ts'
import type { Keys, SealingKey } from '../../ports/keys.ts'
import {
  codecsOf,
  type EventCodec,
  encodeEvent,
  keysOfPage,
  openPage,
  type Page,
  readPage,
  type SealWith,
  sealedMembers,
} from './codec.ts'
import type { Log, LogBatch, NewEvent } from './log.ts'
import { openMarks } from './marks.ts'
import type { Shared } from './shared.ts'

export type LogOptions = {
  readonly store: EventStore
  readonly keys: Pick<Keys, 'take' | 'subject' | 'find'>
  readonly types: readonly EventType[]
  /** By which those who are at the head share what they read there; without, each decodes for themselves. */
  readonly shared?: Shared
  /** Fills the bytes with randomness that is fit for initialisation vectors; by default the system's. */
  readonly fillRandom?: (bytes: Uint8Array) => void
}

const IV_BYTES = 12
const IVS_AT_ONCE = 512

/** Fresh initialisation vectors, each handed out once; the system is asked for many at a time. */
const initialisationVectors = (fillRandom: (bytes: Uint8Array) => void): (() => Uint8Array) => {
  const pool = new Uint8Array(IV_BYTES * IVS_AT_ONCE)
  let at = pool.length
  return () => {
    if (at >= pool.length) {
      fillRandom(pool)
      at = 0
    }
    at += IV_BYTES
    return pool.slice(at - IV_BYTES, at)
  }
}

const passes = (filter: LogFilter | undefined) => (event: LoggedEvent) =>
  // Of a damaged event nobody can say whether it is wanted.
  event.damaged === true ||
  ((filter?.categories?.includes(categoryOf(event.stream)) ?? true) && (filter?.types?.includes(event.type) ?? true))

type KeysOfPage = (page: Page) => Promise<ReadonlyMap<string, SealingKey>>
const noKeys: KeysOfPage = async () => new Map()

type Prepared = { readonly event: NewEvent; readonly codec: EventCodec; readonly members: readonly string[] }

export const openLog = (options: LogOptions): Log => {
  const { store, keys, shared } = options
  const codecs = codecsOf(options.types)
  const types = new Map([...codecs].map(([name, { declared }]) => [name, declared]))
  const marks = openMarks(store)
  const iv = initialisationVectors(options.fillRandom ?? (bytes => randomFillSync(bytes)))

  const prepare = (event: NewEvent): Prepared => {
    const codec = codecs.get(event.type)
    if (!codec) throw new TypeError(`The event type ${event.type} is not declared.`)
    const fault = codec.fault(event.data)
    if (fault !== undefined) throw new TypeError(`${event.type}: its data does not fit its schema: ${fault}.`)
    return { event, codec, members: sealedMembers(codec, event) }
  }

  const isUnder = (seal: 'document' | 'subject', { codec, members }: Prepared): boolean =>
    members.length > 0 && codec.declared.seal === seal

  /** A key that was destroyed meanwhile is replaced: its stream has moved on then, and the append will conflict. */
  const documentKey = async (name: string | undefined): Promise<SealingKey> =>
    (name === undefined ? undefined : (await keys.find(new Set([name]))).get(name)) ?? keys.take()

  /** Of an append all that is under a document key is under one. */
  const isFresh = ({ event, codec }: Prepared): boolean => codec.declared.freshKey?.(event.data) === true

  const subjectKey = async ({ event, codec }: Prepared): Promise<SealWith> => {
    const name = `subject:${codec.declared.subject?.(event.data)}`
    const key = await keys.subject(name)
    return key === 'destroyed' ? { name } : key
  }

  const keysOf: KeysOfPage = async page => {
    const names = keysOfPage(page)
    return names.size > 0 ? keys.find(names) : new Map()
  }
  const decode = async (events: readonly LoggedEvent[], find: KeysOfPage = keysOf, known?: Shared) => {
    const page = readPage(events, codecs, known)
    return openPage(page, await find(page))
  }

  const read = async function* (stream: string, options?: ReadStreamOptions, find?: KeysOfPage) {
    for await (const logged of store.readStream(stream, options)) {
      const { events, failure } = await decode(logged, find)
      if (events.length > 0) yield events
      if (failure) throw failure
    }
  }

  let written = 0n
  const noted = <Result extends AppendResult | EventStoreError>(result: Result): Result => {
    if ('outcome' in result && result.outcome === 'written' && result.position > written) written = result.position
    return result
  }

  /** `known` to those who are at the head, where others read the same. */
  const decodeBatches = async function* (batches: AsyncIterable<Batch>, known?: Shared): AsyncGenerator<LogBatch> {
    for await (const { events: logged, position, caughtUp } of batches) {
      const newest = logged.at(-1)
      if (newest) marks.note(newest)
      const { events, failure } = await decode(logged, keysOf, caughtUp ? known : undefined)
      if (!failure) yield { events, position, caughtUp }
      else {
        const last = events.at(-1)
        if (last) yield { events, position: last.position, caughtUp: false }
        throw failure
      }
    }
  }

  return {
    logId: store.logId,
    types,
    encode: async (stream, expected, events, key) => {
      const prepared = events.map(prepare)
      const known = prepared.some(isFresh) ? undefined : key
      const document = prepared.some(each => isUnder('document', each)) ? await documentKey(known) : undefined
      const stored = []
      for (const each of prepared) {
        const sealing = isUnder('document', each)
          ? document
          : isUnder('subject', each)
            ? await subjectKey(each)
            : undefined
        stored.push(encodeEvent(stream, each.event, each.codec, { members: each.members, key: sealing, iv }))
      }
      return { stream, expected, events: stored, key: document?.name ?? key }
    },
    append: async ({ stream, expected, events }) => noted(await store.append(stream, expected, events)),
    appendMany: async appends => (await store.appendMany(appends)).map(noted),
    written: () => written,
    readStream: (stream, options) => read(stream, options),
    readUnopened: (stream, options) => read(stream, options, noKeys),
    readAll: (after, filter) => decodeBatches(store.readAll(after, filter)),
    readFrom: async function* (position, filter) {
      const { events, failure } = await decode((await store.readAt([position])).filter(passes(filter)))
      if (events.length > 0) yield { events, position, caughtUp: false }
      if (failure) throw failure
      yield* decodeBatches(store.readAll(position, filter))
    },
    subscribe: (after, filter, signal) => decodeBatches(store.subscribe(after, filter, signal), shared),
    head: () => store.head(),
    markAt: marks.at,
  }
}
