/**
 * What each channel sends of each event type, as JSON Schema made from the schemas of the events themselves: for clients that
 * make code of it, and for tests, which check every message they get. Follows `dataOf` in live-channels.ts.
 */
import Type from 'typebox'
import { FillingSchema } from '../core/query/define.ts'
import type { EventType, Json, JsonObject } from '../domain/event.ts'
import { type ChannelName, channelOf } from './live-channels.ts'

export type DeclaredCategory = { readonly category: string; readonly events: readonly EventType[] }

/** The messages of one event type on one channel; `data` is the schema of the member of that name. */
export type LiveEventSchema = { readonly channel: ChannelName; readonly type: string; readonly data: JsonObject }

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const plain = (schema: unknown): JsonObject => JSON.parse(JSON.stringify(schema))

/** Without what this system alone notes on its schemas: under which key a member is sealed. */
const bare = (schema: JsonObject): JsonObject => {
  const { seal: _, text: __, secret: ___, ...rest } = schema
  return rest
}

type Members = { readonly properties: JsonObject; readonly required: readonly Json[] }

/** Without those that are secret, which are sent to nobody. */
const membersOf = ({ schema, secrets }: EventType): Members => {
  const { properties, required } = plain(schema)
  const all = isObject(properties) ? Object.entries(properties).filter(([name]) => !secrets.includes(name)) : []
  return {
    properties: Object.fromEntries(all.map(([name, inner]) => [name, isObject(inner) ? bare(inner) : inner])),
    required: Array.isArray(required) ? required.filter(each => !secrets.some(name => name === each)) : [],
  }
}

const text = { type: 'string' } as const
const removed = { const: true, description: 'The text was removed; the members that held it are left out.' }
const closed = (properties: JsonObject, required: readonly Json[]): JsonObject => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const without = ({ properties, required }: Members, names: readonly string[]): Members => ({
  properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))),
  required: required.filter(each => !names.some(name => name === each)),
})
/** They may be absent: removed, withheld, or for others. */
const optional = ({ properties, required }: Members, names: readonly string[]): Members => ({
  properties,
  required: required.filter(each => !names.some(name => name === each)),
})

const entryData = (type: EventType): JsonObject => {
  const { properties, required } = optional(without(membersOf(type), ['record']), [
    ...type.sealed,
    ...type.text,
    'reason',
  ])
  return closed({ entryId: text, revision: text, removed, language: text, ...properties }, [
    'entryId',
    'revision',
    ...required,
  ])
}

const ownData = (type: EventType): JsonObject => {
  const personal = type.seal === 'subject' ? type.sealed : []
  const { properties, required } = optional(without(membersOf(type), ['record', ...personal]), [
    ...type.sealed,
    ...type.text,
    'reason',
  ])
  return closed({ id: text, removed, ...properties }, ['id', ...required])
}

const actor = closed({ kind: { enum: ['account', 'service', 'import', 'system'] }, id: text }, ['kind', 'id'])
const loggedData = (type: EventType): JsonObject => {
  const { properties, required } = optional(membersOf(type), [...type.sealed, ...type.text])
  return closed(
    {
      eventId: text,
      stream: text,
      revision: text,
      actor,
      correlationId: text,
      causationId: text,
      recordedAt: text,
      removed,
      data: closed(properties, required),
    },
    ['eventId', 'stream', 'revision', 'actor', 'correlationId', 'causationId', 'recordedAt', 'data'],
  )
}

const ofLog = { entries: entryData, stories: entryData, me: ownData, events: loggedData } as const

const count = Type.Integer({ minimum: 0 })
const strict = { additionalProperties: false }
export const activitySchema = Type.Object(
  {
    seconds: Type.Literal(1),
    events: count,
    types: Type.Record(Type.String(), count),
    connections: Type.Integer({ minimum: 0, description: 'Live connections now, of all nodes that can be seen.' }),
  },
  strict,
)
export const progressSchema = Type.Object(
  {
    name: Type.String(),
    state: Type.String(),
    position: Type.String({ description: 'Opaque.' }),
    lag: Type.String({ description: 'Positions behind the head.' }),
    parked: count,
    rate: Type.Number({ description: 'Events a second.' }),
    progress: Type.Number({ minimum: 0, maximum: 1, description: 'Of a rebuild.' }),
    filling: Type.Optional(FillingSchema),
  },
  strict,
)

/** `figures` is the schema of the day's figures that `activity` tells those who may read them. */
export const liveEventSchemas = (
  categories: readonly DeclaredCategory[],
  figures: unknown,
): readonly LiveEventSchema[] => [
  ...(['entries', 'stories', 'me', 'events'] as const).flatMap(channel => {
    const carried = channelOf(channel).log?.categories
    return categories
      .filter(({ category }) => !carried || carried.includes(category))
      .flatMap(({ events }) => events.map(type => ({ channel, type: type.type, data: ofLog[channel](type) })))
  }),
  { channel: 'activity', type: 'Activity', data: plain(activitySchema) },
  { channel: 'activity', type: 'Analytics', data: plain(figures) },
  { channel: 'projections', type: 'ProjectionProgress', data: plain(progressSchema) },
]
