/**
 * The channels of the live feed: which events each carries, its filters, who sees what, and the data that is sent. Who sees
 * an event is decided by `meta.route`, which says who might see it then, by how its document stands now, and by permissions.
 */

import Type from 'typebox'
import type { Listener, LiveFilter, Now, Standing } from '../core/live/channels.ts'
import { accountCategory, RoleGranted, RoleTaken } from '../domain/account/account.ts'
import { SessionsEnded } from '../domain/account/session-end-events.ts'
import { defined } from '../domain/defined.ts'
import { denied } from '../domain/denial.ts'
import { entryStream } from '../domain/entry/entry.ts'
import { EntryRedacted, EntryRetired } from '../domain/entry/events.ts'
import type { EventType, JsonObject, Recorded } from '../domain/event.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Permission } from '../domain/roles.ts'
import type { LogFilter } from '../ports/event-store.ts'

const strict = { additionalProperties: false }
const word = Type.Optional(Type.String({ minLength: 1, maxLength: 100 }))

export const liveFilters = {
  entries: Type.Object({ language: word, type: word, entryId: word }, strict),
  stories: Type.Object({ language: word, type: word }, strict),
  activity: Type.Object({}, strict),
  projections: Type.Object({ name: word }, strict),
  events: Type.Object({ category: word, type: word, stream: word, actor: word, language: word }, strict),
  me: Type.Object({ type: word }, strict),
} as const
export type ChannelName = keyof typeof liveFilters
export const channelNames = ['entries', 'stories', 'activity', 'projections', 'events', 'me'] as const

type Channel = {
  /** Undefined: open to all. `actor`: to anybody who is known. */
  readonly needs?: Permission | 'actor'
  /** Absent: fed by the clock, not by the log. */
  readonly log?: LogFilter
}

const declared: Readonly<Record<ChannelName, Channel>> = {
  entries: { needs: 'entries:read', log: { categories: ['entry'] } },
  // There until stories are told of: a client may listen from today on.
  stories: { needs: 'entries:read', log: { categories: [] } },
  activity: {},
  projections: { needs: 'operations:read' },
  events: { needs: 'events:read', log: {} },
  me: { needs: 'actor', log: { categories: ['token', 'session', 'notification', accountCategory] } },
}

export const isChannel = (name: string): name is ChannelName => channelNames.some(each => each === name)

export const channelOf = (name: ChannelName): Channel => declared[name]

/** Why somebody may not listen to a channel; undefined where they may. */
export const listeningFault = (name: ChannelName, listener: Listener): Refusal | undefined => {
  const { needs } = declared[name]
  if (needs === undefined) return undefined
  if (needs !== 'actor') return listener.permissions.has(needs) ? undefined : denied(needs, listener)
  return listener.actor ? undefined : refuse('permission-denied', `The channel ${name} needs an access token.`)
}

/** Listeners of one scope see the same events in the same form: what is encoded for one is sent to all. */
export const scopeOf = ({ actor, permissions }: Listener, channel: ChannelName): string => {
  if (channel === 'me') return `owner ${actor?.id ?? ''}`
  if (channel === 'events') return permissions.has('events:read-text') ? 'text' : 'envelope'
  if (channel === 'activity') return permissions.has('analytics:read') ? 'figures' : 'public'
  const looks = ['entries:edit', 'entries:review', 'entries:draft'] as const
  const able = looks.filter(permission => permissions.has(permission)).join(' ')
  if (permissions.has('entries:edit')) return able
  return actor ? `${able} ${actor.id}` : 'public'
}

const categoryOf = (event: Recorded): string => event.stream.slice(0, event.stream.indexOf('-'))
const idOf = (event: Recorded): string => event.stream.slice(event.stream.indexOf('-') + 1)

/** Might this listener have seen it then? What was its author's is theirs who is its author still. */
const visibleThen = (
  { meta: { route } }: Recorded,
  { actor, permissions }: Listener,
  author: string | undefined,
): boolean => {
  if (route.visibility === 'public' || permissions.has('entries:edit')) return true
  if (actor === undefined) return false
  if (route.visibility === 'members') return true
  return route.owner === actor.id && (author ?? actor.id) === actor.id
}

/**
 * May it be shown now? Of what was removed only those who may draft are told afterwards, without its text: to all others there
 * never was such an entry. What is retired is for those who review; the others are told that it was retired, and nothing else.
 */
const visibleNow = (event: Recorded, { permissions }: Listener, { now, replayed }: Now): boolean => {
  if (!now) return true
  if (now.removed) return permissions.has('entries:draft') || (event.type === EntryRedacted.type && !replayed)
  return !now.retired || permissions.has('entries:review') || event.type === EntryRetired.type
}

/** What people are told of their own account, each under the notice that switches it off; of the rest nothing can be. */
const ownNotices: ReadonlyMap<string, 'roles' | undefined> = new Map([
  [RoleGranted.type, 'roles'],
  [RoleTaken.type, 'roles'],
  [SessionsEnded.type, undefined],
])

/** The notice that an event is; undefined where it is none that may be switched off. */
export const noticeOf = ({ type }: Pick<Recorded, 'type'>): 'roles' | undefined => ownNotices.get(type)

const fits = (event: Recorded, filter: LiveFilter): boolean =>
  Object.entries(filter).every(([member, wanted]) => {
    switch (member) {
      case 'language':
        return event.meta.route.language?.toLowerCase() === wanted.toLowerCase()
      case 'type':
        return event.type === wanted
      case 'entryId':
        return idOf(event) === wanted
      case 'stream':
        return event.stream === wanted
      case 'category':
        return categoryOf(event) === wanted
      case 'actor':
        return event.meta.actor.id === wanted
      default:
        return false
    }
  })

/** Does this listener get this event on this channel? */
export const wants = (
  name: ChannelName,
  filter: LiveFilter,
  listener: Listener,
  event: Recorded,
  look: Now,
): boolean => {
  const { log } = declared[name]
  if (!log || (log.categories && !log.categories.includes(categoryOf(event))) || !fits(event, filter)) return false
  if (name === 'events') return true
  if (name === 'me')
    return (
      listener.actor !== undefined &&
      event.meta.route.owner === listener.actor.id &&
      (categoryOf(event) !== accountCategory || ownNotices.has(event.type))
    )
  return visibleThen(event, listener, look.now?.author) && visibleNow(event, listener, look)
}

/**
 * Members that are left out: personal data and secrets, whoever listens; text that was removed since, which a replay must not bring
 * back; people's text on the channel of the log, for those who may read its envelopes alone.
 */
const leftOut = (
  name: ChannelName,
  { permissions }: Listener,
  type: EventType | undefined,
  removed: boolean,
): readonly string[] => {
  if (!type) return []
  if (removed) return [...type.sealed, ...type.text, ...type.secrets]
  const withheld = type.seal === 'subject' || (name === 'events' && !permissions.has('events:read-text'))
  return withheld ? [...type.sealed, ...type.secrets] : type.secrets
}

/**
 * What is sent as `data`. Reasons are for those who review, as in the history of an entry; so is a replacement that was
 * itself withdrawn since. `standing` is that of any stream.
 */
export const dataOf = (
  name: ChannelName,
  listener: Listener,
  event: Recorded,
  types: ReadonlyMap<string, EventType>,
  standing: (stream: string) => Standing | undefined,
): JsonObject => {
  const { meta, revision, stream } = event
  const { permissions } = listener
  const gone = standing(stream)?.removed === true
  const out = leftOut(name, listener, types.get(event.type), gone)
  const data: JsonObject =
    out.length === 0
      ? event.data
      : Object.fromEntries(Object.entries(event.data).filter(([member]) => !out.includes(member)))
  const removed = (event.removed || (gone && data !== event.data)) && { removed: true }
  if (name === 'events') {
    const { actor, correlationId, causationId } = meta
    const envelope = { eventId: event.id, stream, revision: String(revision), actor, correlationId, causationId }
    return { ...envelope, recordedAt: event.recordedAt, ...removed, data }
  }
  // Of their own account people are told why, and not which administrator it was.
  if (name === 'me') {
    const { by, ...told } = data
    return { id: idOf(event), ...removed, ...told, ...(by === listener.actor?.id && { by }) }
  }
  const { reason, replacedBy, record: _, ...rest } = data
  const reviews = permissions.has('entries:review')
  const other = typeof replacedBy === 'string' ? standing(entryStream(replacedBy)) : undefined
  const shown = {
    ...rest,
    ...(reason !== undefined && reviews && { reason }),
    ...(replacedBy !== undefined && (reviews || !(other?.retired || other?.removed)) && { replacedBy }),
  }
  return {
    entryId: idOf(event),
    revision: String(revision),
    ...removed,
    ...defined({ language: meta.route.language }),
    ...shown,
  }
}
