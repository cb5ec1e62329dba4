/**
 * What channels send of each event type, as JSON Schema made from the schemas of the events themselves: for clients that make
 * code of it, and for tests, which check every message they get.
 */
import type { EventType, Json, JsonObject } from '../../domain/event.ts'
import { isJsonObject } from '../../domain/json.ts'
import type { LiveChannel } from './channels.ts'

export type DeclaredCategory = { readonly category: string; readonly events: readonly EventType[] }

/** The messages of one event type on one channel; `data` is the schema of the member of that name. */
export type LiveEventSchema = { readonly channel: string; readonly type: string; readonly data: JsonObject }

const plain = (schema: unknown): JsonObject => JSON.parse(JSON.stringify(schema))

/** Without what this system alone notes on its schemas: under which key a member is sealed. */
const bare = (schema: JsonObject): JsonObject => {
  const { seal: _, text: __, secret: ___, ...rest } = schema
  return rest
}

/** The members of an event's data, and which of them are always there. */
export type Members = { readonly properties: JsonObject; readonly required: readonly Json[] }

/** Without those that are secret, which are sent to nobody. */
export const membersOf = ({ schema, secrets }: EventType): Members => {
  const { properties, required } = plain(schema)
  const all = isJsonObject(properties) ? Object.entries(properties).filter(([name]) => !secrets.includes(name)) : []
  return {
    properties: Object.fromEntries(all.map(([name, inner]) => [name, isJsonObject(inner) ? bare(inner) : inner])),
    required: Array.isArray(required) ? required.filter(member => !secrets.some(name => name === member)) : [],
  }
}

export const textSchema = { type: 'string' } as const
export const removedSchema = {
  const: true,
  description: 'The text was removed; the members that held it are left out.',
} as const

/** Of an object that has no other members. */
export const closedSchema = (properties: JsonObject, required: readonly Json[]): JsonObject => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

export const withoutMembers = ({ properties, required }: Members, names: readonly string[]): Members => ({
  properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))),
  required: required.filter(member => !names.some(name => name === member)),
})

/** They may be absent: removed, withheld, or for others. */
export const optionalMembers = ({ properties, required }: Members, names: readonly string[]): Members => ({
  properties,
  required: required.filter(member => !names.some(name => name === member)),
})

/** The event types that a channel carries; none where the clock alone tells. */
export const typesOn = ({ carried }: LiveChannel, categories: readonly DeclaredCategory[]): readonly EventType[] => {
  if (!carried) return []
  const { categories: names, types } = carried.from
  return categories
    .filter(({ category }) => names?.includes(category) ?? true)
    .flatMap(({ events }) => events.filter(({ type }) => types?.includes(type) ?? true))
}

/** Of every message on every channel. */
export const liveEventSchemas = (
  channels: readonly LiveChannel[],
  categories: readonly DeclaredCategory[],
): readonly LiveEventSchema[] =>
  channels.flatMap(channel => {
    const { name, carried, clocked = {} } = channel
    return [
      ...(carried
        ? typesOn(channel, categories).map(type => ({ channel: name, type: type.type, data: carried.schema(type) }))
        : []),
      ...Object.entries(clocked).map(([type, { schema }]) => ({ channel: name, type, data: plain(schema) })),
    ]
  })
