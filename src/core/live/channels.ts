/**
 * The declaration of a live channel: how it is named, who may listen, by what its messages are filtered, what of the log it
 * carries or what the clock tells on it, and in what form. The hub, what is checked of clients, and the documents are made
 * of the declarations; none of them knows a channel by name.
 */
import { denied } from '../../domain/denial.ts'
import type { Actor, EventType, JsonObject, Recorded } from '../../domain/event.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Permission, Rights } from '../../domain/roles.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import type { FilterMember } from './filter-members.ts'
import type { Standing } from './standings.ts'

/** Who listens. */
export type Listener = Rights & { readonly actor?: Actor }

/** An event that may be told to somebody. */
export type Telling = {
  readonly event: Recorded
  /** undefined: this version has no such event. */
  readonly type: EventType | undefined
  readonly listener: Listener
  /** Of a channel of one thing: its id. */
  readonly id: string | undefined
  /** It is read again, and not as it happens. */
  readonly replayed: boolean
  /** How the document of a stream stands, where not as its events say. */
  readonly standing: (stream: string) => Standing | undefined
}

/** What a channel tells of the log. */
export type Carried = {
  /** Categories of streams, or types of events; nothing: the whole log. */
  readonly from: LogFilter
  /** Listeners of one scope see the same events in the same form: what is encoded for one is sent to all. */
  readonly scope: (listener: Listener) => string
  /** Does the listener get the event? Asked of what `from` and the filter let through. */
  readonly wants: (telling: Telling) => boolean
  /** What is sent as `data`. */
  readonly data: (telling: Telling) => JsonObject
  /** The JSON Schema of what `data` makes of such events. */
  readonly schema: (type: EventType) => JsonObject
}

/** A message that the clock tells, each second in which somebody listens. */
export type ClockMessage = {
  /** The JSON Schema of its `data`. */
  readonly schema: unknown
  /** Everybody on the channel, unless said. */
  readonly needs?: Permission
}

export type LiveChannel = {
  /** As clients name it: a word, or one with an id after it, `shelf:{id}`, which is a channel for each id. */
  readonly name: string
  /** A regular expression that the whole of an id fits; UUIDs unless said. */
  readonly ids?: string
  /** A sentence for the documents. */
  readonly about: string
  /** Who may listen: all, unless said; `actor`: anybody who is known. */
  readonly needs?: Permission | 'actor'
  /** A message that the clock tells is held against them by the members of its data. */
  readonly filters: Readonly<Record<string, FilterMember>>
  /** Absent: it is fed by the clock alone. */
  readonly carried?: Carried
  /** What the clock tells, by the type of the message. */
  readonly clocked?: Readonly<Record<string, ClockMessage>>
  /** Whoever listens reads the log itself: that is recorded before it begins. */
  readonly isRecorded?: true
}

/** A channel as somebody listens to it: by the name that was asked for. */
export type ListenedTo = { readonly channel: LiveChannel; readonly name: string; readonly id: string | undefined }

/** What happened within one second: events that everybody may see, in all and of each type. */
export type Second = { readonly events: number; readonly types: Readonly<Record<string, number>> }

type Tell = (second: Second) => Promise<readonly JsonObject[]> | readonly JsonObject[]

/** What a channel is told each second, where somebody listens. */
export type News = {
  readonly channel: LiveChannel
  readonly type: string
  readonly to: (listener: Listener) => boolean
  readonly tell: Tell
}

/** What the clock tells on a channel: each of its messages is told by somebody. */
export const newsOf = <Type extends string>(
  channel: LiveChannel & { readonly clocked: Readonly<Record<Type, ClockMessage>> },
  tells: Readonly<Record<Type, Tell>>,
): readonly News[] => {
  const told = new Map<string, Tell>(Object.entries(tells))
  return Object.entries<ClockMessage>(channel.clocked).flatMap(([type, { needs }]) => {
    const tell = told.get(type)
    const to = ({ permissions }: Listener): boolean => needs === undefined || permissions.has(needs)
    return tell ? [{ channel, type, to, tell }] : []
  })
}

const UUIDS = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const BY_ID = ':{id}'

/** `shelf:` of `shelf:{id}`; undefined of a channel that is one alone. */
const prefixOf = ({ name }: LiveChannel): string | undefined =>
  name.endsWith(BY_ID) ? name.slice(0, 1 - BY_ID.length) : undefined

/** What clients may call a channel: the name itself, or the regular expression of all its names. */
export const namesOf = (channel: LiveChannel): { readonly name: string } | { readonly pattern: string } => {
  const prefix = prefixOf(channel)
  return prefix === undefined ? { name: channel.name } : { pattern: `^${prefix}(?:${channel.ids ?? UUIDS})$` }
}

export type Channels = {
  readonly all: readonly LiveChannel[]
  /** undefined: there is none of this name. */
  find(name: string): ListenedTo | undefined
}

const NAME = /^[a-z][a-z-]*(?::\{id\})?$/

/** @throws {TypeError} for a name that is none, or that two channels have. */
export const openChannels = (all: readonly LiveChannel[]): Channels => {
  for (const { name } of all) {
    if (!NAME.test(name)) throw new TypeError(`${name} is no name of a channel`)
    if (all.filter(other => other.name === name).length > 1) throw new TypeError(`two channels are called ${name}`)
  }
  const single = new Map(all.map(channel => [channel.name, channel]))
  const byId = all.flatMap(channel => {
    const prefix = prefixOf(channel)
    const names = namesOf(channel)
    return prefix !== undefined && 'pattern' in names ? [{ channel, prefix, pattern: new RegExp(names.pattern) }] : []
  })
  return {
    all,
    find: name => {
      const found = byId.find(({ pattern }) => pattern.test(name))
      if (found) return { channel: found.channel, name, id: name.slice(found.prefix.length) }
      const channel = single.get(name)
      return channel && prefixOf(channel) === undefined ? { channel, name, id: undefined } : undefined
    },
  }
}

/** Why somebody may not listen; undefined where they may. */
export const listeningFault = ({ channel: { needs }, name }: ListenedTo, listener: Listener): Refusal | undefined => {
  if (needs === undefined) return undefined
  if (needs !== 'actor') return listener.permissions.has(needs) ? undefined : denied(needs, listener)
  return listener.actor ? undefined : refuse('permission-denied', `The channel ${name} needs an access token.`)
}

/** What of the log is told on it; undefined: the clock feeds it. */
export const logOf = ({ channel }: ListenedTo): LogFilter | undefined => channel.carried?.from

/** Of a channel that the clock feeds: which of its messages the listener is told. */
const clockScope = ({ clocked = {} }: LiveChannel, { permissions }: Listener): string =>
  Object.values(clocked)
    .map(({ needs }) => (needs === undefined || permissions.has(needs) ? '+' : '-'))
    .join('')

/** Listeners of one scope are told the same. */
export const scopeOf = ({ channel }: ListenedTo, listener: Listener): string =>
  `${channel.carried?.scope(listener) ?? ''} ${clockScope(channel, listener)}`
