/**
 * Events as the log keeps them: canonical JSON (RFC 8785), sealed members encrypted, versions lifted to the current one.
 *
 * The sealed members leave `data` together: `$sealed` is base64url(iv 12 | ciphertext | tag 16), AES-256-GCM over their
 * canonical JSON, bound to the event's id, type and stream. `meta.key` names the key. Data that names a key but has no
 * `$sealed` was written about a subject who was erased already.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { EventMeta, EventType, Json, JsonObject, Recorded } from '../../domain/event.ts'
import { isJsonObject } from '../../domain/json.ts'
import type { LoggedEvent, StoredEvent } from '../../ports/event-store.ts'
import type { SealingKey } from '../../ports/keys.ts'
import { type NewEvent, UndecodableEventError } from './log.ts'
import { secretKey } from './secret-key.ts'

const SEALED = '$sealed'
const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** A declared type with its validator, made at the first use: most of a process's types are never written by it. */
export type EventCodec = { readonly declared: EventType; readonly fault: (data: Json) => string | undefined }

/** Says where and how data differs from its schema, never what it holds: that may be somebody's text. */
const faultOf = (schema: TSchema): EventCodec['fault'] => {
  let compiled: ReturnType<typeof Compile> | undefined
  return data => {
    compiled ??= Compile(schema)
    if (compiled.Check(data)) return undefined
    const [first] = compiled.Errors(data)
    return first ? `${first.instancePath || 'the whole'} ${first.message}` : 'it differs from its schema'
  }
}

/** @throws when two types share a name. */
export const codecsOf = (types: readonly EventType[]): ReadonlyMap<string, EventCodec> => {
  const codecs = new Map<string, EventCodec>()
  for (const declared of types) {
    if (codecs.has(declared.type)) throw new Error(`The event type ${declared.type} is declared twice.`)
    codecs.set(declared.type, { declared, fault: faultOf(declared.schema) })
  }
  return codecs
}

/** JSON.stringify of members in the order of their names is canonical JSON at a third of the cost; a test compares them. */
const canonicalMeta = (meta: Omit<EventMeta, 'schema' | 'key'>, schema: number, key: string | undefined): string => {
  const { actor, at, causationId, commandId, correlationId, fingerprint, route, traceparent } = meta
  const { language, owner, visibility } = route
  return JSON.stringify({
    actor: { id: actor.id, kind: actor.kind },
    at,
    causationId,
    commandId,
    correlationId,
    fingerprint,
    key,
    route: { language, owner, visibility },
    schema,
    traceparent,
  })
}

const canonical = (type: string, value: JsonObject): string => {
  try {
    return canonicalize(value) ?? '{}'
  } catch (cause) {
    throw new TypeError(`${type}: its data has no canonical JSON: ${cause instanceof Error ? cause.message : cause}.`)
  }
}

/** `meta.at` of an envelope as it is stored. A quote inside a text is escaped, so the name can only be a name. */
export const atOf = (meta: string): string => /"at":"([^"]*)"/.exec(meta)?.[1] ?? ''

/** What the sealing is bound to: moved to another event, it does not open. */
const binding = (id: string, type: string, stream: string): Buffer => Buffer.from(JSON.stringify([id, type, stream]))

// A key object first: on Node 24 a cipher made from raw bytes costs five times as much (20 us against 4).
const seal = (text: string, key: SealingKey, bound: Buffer, iv: Uint8Array): string => {
  const cipher = createCipheriv(CIPHER, secretKey(key.secret), iv).setAAD(bound)
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** The sealed members, or undefined when the text is not what was sealed for this event with this key. */
const unseal = (blob: Json | undefined, key: SealingKey, bound: Buffer): JsonObject | undefined => {
  if (typeof blob !== 'string') return undefined
  const bytes = Buffer.from(blob, 'base64url')
  try {
    const decipher = createDecipheriv(CIPHER, secretKey(key.secret), bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(bound)
      .setAuthTag(bytes.subarray(-TAG_BYTES))
    const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    const opened: unknown = JSON.parse(text)
    return isJsonObject(opened) ? opened : undefined
  } catch {
    return undefined
  }
}

/** The members that an event's type seals, as far as this event has them; imported text stays clear. */
export const sealedMembers = ({ declared }: EventCodec, event: NewEvent): readonly string[] =>
  declared.seal === undefined || (declared.seal === 'document' && event.meta.actor.kind === 'import')
    ? []
    : declared.sealed.filter(member => event.data[member] !== undefined)

/** A key to seal with, the bare name of one that was destroyed (the members are dropped then), or none needed. */
export type SealWith = SealingKey | { readonly name: string; readonly secret?: never } | undefined

/** @throws {TypeError} when its data has no canonical JSON (lone surrogates, NaN). The schema has been checked before. */
export const encodeEvent = (
  stream: string,
  event: NewEvent,
  { declared }: EventCodec,
  sealing: { readonly members: readonly string[]; readonly key: SealWith; readonly iv: () => Uint8Array },
): StoredEvent => {
  const { id, type, data } = event
  const { members, key, iv } = sealing
  const meta = canonicalMeta(event.meta, declared.version, key?.name)
  if (!key) return { id, type, data: canonical(type, data), meta }
  const isSealed = (member: string): boolean => members.includes(member)
  const clear = Object.entries(data).filter(([member]) => !isSealed(member))
  const text = canonical(type, Object.fromEntries(Object.entries(data).filter(([member]) => isSealed(member))))
  if (key.secret) clear.push([SEALED, seal(text, key, binding(id, type, stream), iv())])
  return { id, type, data: canonical(type, Object.fromEntries(clear)), meta }
}

export const undecodable = (
  reason: UndecodableEventError['reason'],
  event: LoggedEvent,
  what: string,
): UndecodableEventError => {
  const { type, stream, position, id } = event
  const at = { type, stream, position }
  return new UndecodableEventError(reason, at, `The event ${id} (${type}, position ${position}) ${what}.`)
}

/** Of its members none is believed, so that none is named. */
const damagedError = ({ type, stream, position }: LoggedEvent): UndecodableEventError =>
  new UndecodableEventError(
    'damaged',
    { type, stream, position },
    `The event at position ${position} is damaged: it does not fit its checksum.`,
  )

const lift = (event: LoggedEvent, codec: EventCodec, data: JsonObject, from: number, removed: boolean): JsonObject => {
  const { version, upcasters } = codec.declared
  let lifted = data
  for (let at = from; at < version; at += 1)
    try {
      lifted = upcasters[at]?.(lifted) ?? lifted
    } catch {
      throw undecodable('corrupt', event, `could not be lifted from version ${at}`)
    }
  // A removed event lacks members that its schema may require.
  const fault = removed ? undefined : codec.fault(lifted)
  if (fault !== undefined) throw undecodable('corrupt', event, `does not fit version ${version} once lifted: ${fault}`)
  return lifted
}

const isMeta = (meta: unknown): meta is EventMeta =>
  isJsonObject(meta) &&
  typeof meta['schema'] === 'number' &&
  meta['schema'] >= 1 &&
  typeof meta['commandId'] === 'string' &&
  typeof meta['at'] === 'string' &&
  isJsonObject(meta['actor']) &&
  isJsonObject(meta['route'])

const parse = (event: LoggedEvent, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw undecodable('corrupt', event, 'is not JSON')
  }
}

const recorded = (event: LoggedEvent, data: JsonObject, meta: EventMeta): Recorded => {
  const { id, type, stream, revision, position, recordedAt } = event
  return { type, data, id, stream, revision, position, recordedAt, meta }
}

/**
 * An event as it was read, so far as that can be without a key. `closed`: its sealed members wait for the key of this name, still in
 * the blob; once they were opened the event stands there with them, for whoever is shown that the key is still there.
 */
export type Decoded = {
  readonly logged: LoggedEvent
  readonly event: Recorded
  readonly closed: { readonly codec: EventCodec; readonly key: string; opened: Recorded | undefined } | undefined
}

/** @throws {UndecodableEventError} */
const decode = (logged: LoggedEvent, codecs: ReadonlyMap<string, EventCodec>): Decoded => {
  if (logged.damaged) throw damagedError(logged)
  const codec = codecs.get(logged.type)
  if (!codec) throw undecodable('unknown-type', logged, 'has a type that this version does not know')
  const data = parse(logged, logged.data)
  const meta = parse(logged, logged.meta)
  if (!isJsonObject(data) || !isMeta(meta)) throw undecodable('corrupt', logged, 'has no data or envelope')
  const { version, sealed } = codec.declared
  if (meta.schema > version) throw undecodable('newer-schema', logged, `is of version ${meta.schema}, not ${version}`)
  if (meta.key !== undefined)
    return { logged, event: recorded(logged, data, meta), closed: { codec, key: meta.key, opened: undefined } }
  if (sealed.length > 0 && data[SEALED] !== undefined)
    throw undecodable('corrupt', logged, 'is sealed and names no key')
  const current = meta.schema < version ? lift(logged, codec, data, meta.schema, false) : data
  return { logged, event: recorded(logged, current, meta), closed: undefined }
}

/** Events that others have read. */
export type DecodedEvents = {
  find(logged: LoggedEvent): Decoded | undefined
  add(decoded: Decoded): void
}

/** What of a page can be read, and why the rest cannot: `failure` stands for the event after the last of `decoded`. */
export type Page = { readonly decoded: readonly Decoded[]; readonly failure: UndecodableEventError | undefined }

/** Everything of a page but the opening of what is sealed: `openPage` does that, once the keys are there. */
export const readPage = (
  logged: readonly LoggedEvent[],
  codecs: ReadonlyMap<string, EventCodec>,
  known?: DecodedEvents,
): Page => {
  const decoded: Decoded[] = []
  try {
    for (const each of logged) {
      const found = known?.find(each)
      const fresh = found ?? decode(each, codecs)
      if (!found) known?.add(fresh)
      decoded.push(fresh)
    }
  } catch (error) {
    if (!(error instanceof UndecodableEventError)) throw error
    return { decoded, failure: error }
  }
  return { decoded, failure: undefined }
}

/** The names of the keys that a page waits for. */
export const keysOfPage = ({ decoded }: Page): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const { closed } of decoded) if (closed) names.add(closed.key)
  return names
}

/** @throws {UndecodableEventError} when the key is there and does not fit. */
const open = ({ logged, event, closed }: Decoded, keys: ReadonlyMap<string, SealingKey>): Recorded => {
  if (!closed) return event
  const key = keys.get(closed.key)
  if (key && closed.opened) return closed.opened
  const { [SEALED]: blob, ...clear } = event.data
  const { meta } = event
  const { codec } = closed
  const finish = (data: JsonObject, removed: boolean): JsonObject =>
    meta.schema < codec.declared.version ? lift(logged, codec, data, meta.schema, removed) : data
  if (!key) {
    // Whoever has it too is shown it no more.
    closed.opened = undefined
    return { ...recorded(logged, finish(clear, true), meta), removed: true }
  }
  const opened = unseal(blob, key, binding(logged.id, logged.type, logged.stream))
  if (!opened) throw undecodable('corrupt', logged, `cannot be opened with the key ${key.name}`)
  closed.opened = recorded(logged, finish({ ...clear, ...opened }, false), meta)
  return closed.opened
}

/** The events of a page, with what is closed opened. `keys` holds those of the page that exist; the text under any other was removed. */
export const openPage = (
  { decoded, failure }: Page,
  keys: ReadonlyMap<string, SealingKey>,
): { readonly events: readonly Recorded[]; readonly failure: UndecodableEventError | undefined } => {
  const events: Recorded[] = []
  try {
    for (const each of decoded) events.push(open(each, keys))
  } catch (error) {
    if (!(error instanceof UndecodableEventError)) throw error
    return { events, failure: error }
  }
  return { events, failure }
}
