/** Schemas and examples of the history for the OpenAPI document. */
import Type from 'typebox'
import type { JsonObject } from '../../../domain/event.ts'
import { actorId, commandIdOf, eventId } from '../../../domain/ids.ts'
import { draftExample, exampleId } from '../examples.ts'
import type { Documented } from '../route.ts'

const author = { kind: 'service', id: actorId('service', 'author') }
const commandId = commandIdOf(author, 'POST', '/v1/entries', 'example')
/** The draft of the example entry, sent by `author` with the Idempotency-Key `example`. */
export const exampleEventId = eventId(commandId, 0)
export const exampleStream = `entry-${exampleId}`

const names = Type.Optional(Type.Array(Type.String()))
const EventSchema = Type.Object(
  {
    id: Type.String(),
    type: Type.String(),
    stream: Type.String(),
    revision: Type.String(),
    position: Type.String(),
    recordedAt: Type.String(),
    data: Type.Object({}, { additionalProperties: true }),
    meta: Type.Optional(
      Type.Object(
        {
          actor: Type.Object({ kind: Type.String(), id: Type.String() }),
          commandId: Type.String(),
          correlationId: Type.String(),
          causationId: Type.String(),
          at: Type.String(),
          schema: Type.Integer(),
          route: Type.Object({}, { additionalProperties: true }),
          traceparent: Type.Optional(Type.String()),
        },
        { additionalProperties: true },
      ),
    ),
    removed: names,
    withheld: names,
    unreadable: Type.Optional(Type.Enum(['unknown-type', 'newer-schema', 'corrupt', 'damaged'])),
    syncToken: Type.String({ description: 'Of this event: for after, before and asOf.' }),
  },
  { $id: 'HistoryEvent' },
)

const { senses: _, ...clear } = draftExample
const event: JsonObject = {
  id: exampleEventId,
  type: 'EntryDrafted',
  stream: exampleStream,
  revision: '0',
  position: '1',
  recordedAt: '2026-11-23T10:00:00.000Z',
  data: { ...clear, licence: 'CC-BY-SA-4.0' },
  meta: {
    actor: author,
    at: '2026-11-23T09:59:59.998Z',
    causationId: commandId,
    commandId,

    correlationId: '6fa1c0f2-58b7-4d5e-9f1a-8f0c1d2e3a4b',
    route: { language: 'en', visibility: 'owner' },
    schema: 1,
  },
  withheld: ['lemma', 'content'],
}
const item: JsonObject = { ...event, syncToken: 'dG9rZW4' }

export const itemAnswer: Documented = {
  description: 'The event.',
  schema: EventSchema,
  example: item,
  headers: ['Sync-Token'],
}
export const pageAnswer: Documented = {
  description: 'A page.',
  schema: Type.Object(
    { items: Type.Array(EventSchema), next: Type.Union([Type.String(), Type.Null()]) },
    { $id: 'HistoryPage' },
  ),
  example: { items: [item], next: null },
  headers: ['Link', 'Sync-Token'],
}
/** The same as a stream. */
export const streamExample = `${JSON.stringify(event)}\n{"after":"dG9rZW4","count":1}\n{"end":true,"count":1,"position":"1","after":"dG9rZW4"}\n`
export const eventsAnswer: Documented = {
  ...pageAnswer,
  description: 'A page; as application/x-ndjson, everything.',
  also: { type: 'application/x-ndjson', example: streamExample },
}
