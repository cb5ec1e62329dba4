/** The event envelope, and the declaration of an event type: its name, schema, version, sealed members and upcasters. */
import type { Static, TSchema } from 'typebox'
import { defined } from './defined.ts'

/** JSON as RFC 8259 has it: what an event's data and a document may hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A member that is undefined is absent: canonical JSON leaves it out. */
export type JsonObject = { readonly [member: string]: Json | undefined }

/** Who acted. `id` is an opaque id, never a name: names are personal data and the log is kept for ever. */
export type Actor = { readonly kind: 'account' | 'service' | 'import' | 'system'; readonly id: string }

export type Visibility = 'public' | 'members' | 'owner'

/** Who may see the event on a live channel or be notified of it; set from the state after the event. */
export type EventRoute = { readonly language?: string; readonly visibility: Visibility; readonly owner?: string }

/** What is known of an event beside its data. `at` is the deciding clock's RFC 3339 time, later than that of the event before on its stream, `schema` the version of `data`. */
export type EventMeta = {
  readonly actor: Actor
  readonly commandId: string
  /** Keyed hash of the command's canonical body: tells a repeat from another command under the same key. */
  readonly fingerprint?: string
  readonly correlationId: string
  readonly causationId: string
  readonly at: string
  readonly schema: number
  readonly route: EventRoute
  /** Name of the key that seals this event's sealed members; absent when nothing is sealed. */
  readonly key?: string
  /** W3C Trace Context of the request that caused the event. */
  readonly traceparent?: string
}

/** What a decision returns: a fact without its envelope. */
export type DomainEvent<Type extends string = string, Data = JsonObject> = { readonly type: Type; readonly data: Data }

/**
 * An event as read: decoded, opened and upcast. `removed` says that its key was destroyed: the sealed members of `data`
 * are then absent whatever the type says, so a fold reads them as possibly missing.
 */
export type Recorded<E extends DomainEvent = DomainEvent> = E & {
  readonly id: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly recordedAt: string
  readonly meta: EventMeta
  readonly removed?: true
}

/** Turns `data` of version n into version n + 1. Pure; never throws, also when the sealed members are absent (removed). */
export type Upcaster = (data: JsonObject) => JsonObject

/** Which key seals a member: the document's (people's text) or the subject's (personal data). */
export type Seal = 'document' | 'subject'

/** Names the account that an event is about, from members of `data` that are not sealed. */
export type SubjectOf = (data: JsonObject) => string

/**
 * Is the event, and what comes after it on its stream, sealed under a document key of their own? The keys before can then be destroyed
 * without them.
 */
export type FreshKey = (data: JsonObject) => boolean

/** The declaration of one event type. The name is the storage format: past tense and never renamed. */
export type EventType<Type extends string = string, S extends TSchema = TSchema> = {
  readonly type: Type
  /** Current version of `data`, 1 to begin with. */
  readonly version: number
  readonly schema: S
  /** Top-level members of `data` that are encrypted at rest, found by the schema's `seal` annotation. */
  readonly sealed: readonly string[]
  readonly seal?: Seal
  /** Top-level members that hold text in the clear (imported text), found by the annotation `text`: see `eventType`. */
  readonly text: readonly string[]
  /**
   * Top-level members that nobody is shown, found by the annotation `secret`: hashes of passwords, codes and links, and what makes
   * codes. They are for decisions alone; every reader of events leaves them out, whoever asks.
   */
  readonly secrets: readonly string[]
  /** The account whose key (`subject:<account>`) seals the event; always there when `seal` is `subject`. */
  readonly subject?: SubjectOf
  readonly freshKey?: FreshKey
  /** `upcasters[n]` lifts version n to n + 1. */
  readonly upcasters: { readonly [version: number]: Upcaster }
}

const isText = (schema: unknown): boolean =>
  typeof schema === 'object' && schema !== null && 'text' in schema && schema.text === true

const isSecret = (schema: unknown): boolean =>
  typeof schema === 'object' && schema !== null && 'secret' in schema && schema.secret === true

/** The event a declaration stands for. */
export type EventOf<T extends EventType> =
  T extends EventType<infer Type, infer S> ? DomainEvent<Type, Static<S>> : never

const annotation = (schema: unknown): Seal | undefined =>
  typeof schema === 'object' &&
  schema !== null &&
  'seal' in schema &&
  (schema.seal === 'document' || schema.seal === 'subject')
    ? schema.seal
    : undefined

/**
 * Declares an event type. Members whose schema carries `{seal: 'document'}` or `{seal: 'subject'}` are sealed.
 * Those that carry `{text: true}` are left clear, and are what a reader drops when the document was removed. Those that carry
 * `{secret: true}`, sealed or not, are for decisions alone: no reader of events is shown them.
 * @throws when both kinds occur in one type (an event has one key), an upcaster is missing, or nobody says whose key seals.
 */
export const eventType = <const Type extends string, S extends TSchema>(
  type: Type,
  schema: S,
  options: {
    version?: number
    upcasters?: { readonly [version: number]: Upcaster }
    subject?: SubjectOf
    freshKey?: FreshKey
  } = {},
): EventType<Type, S> => {
  const version = options.version ?? 1
  const upcasters = options.upcasters ?? {}
  for (let from = 1; from < version; from += 1)
    if (!upcasters[from]) throw new Error(`${type}: no upcaster from version ${from}`)
  const properties: Readonly<Record<string, unknown>> =
    'properties' in schema && typeof schema.properties === 'object' && schema.properties !== null
      ? { ...schema.properties }
      : {}
  const seals = Object.entries(properties).flatMap(([member, inner]) => {
    const seal = annotation(inner)
    return seal ? [{ member, seal }] : []
  })
  const text = Object.entries(properties).flatMap(([member, inner]) => (isText(inner) ? [member] : []))
  const secrets = Object.entries(properties).flatMap(([member, inner]) => (isSecret(inner) ? [member] : []))
  const kinds = new Set(seals.map(each => each.seal))
  if (kinds.size > 1) throw new Error(`${type}: members under two kinds of key`)
  const [seal] = kinds
  const { subject, freshKey } = options
  if (seal === 'subject' && !subject) throw new Error(`${type}: nothing names the subject whose key seals it`)
  const sealed = seals.map(each => each.member)
  return { type, version, schema, upcasters, sealed, text, secrets, ...defined({ seal, subject, freshKey }) }
}
