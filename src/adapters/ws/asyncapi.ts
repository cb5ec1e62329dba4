/** The feed described: an AsyncAPI 3.0 document from the schemas that messages are checked against. */
import type { LiveChannel } from '../../core/live/channels.ts'
import { clientMessagesOf, resetMessage, serverMessages } from '../../core/live/messages.ts'
import type { LiveEventSchema } from '../../core/live/schemas.ts'
import type { JsonObject } from '../../domain/event.ts'

const plain = (schema: unknown) => JSON.parse(JSON.stringify(schema))

const messagesOf = (schemas: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, payload]) => [
      name,
      { name, contentType: 'application/json', payload: plain(payload) },
    ]),
  )

/** An event of one type on one channel: the message `event` with its type named and its data described. */
const eventMessages = (schemas: readonly LiveEventSchema[]): JsonObject => {
  const { properties, required } = serverMessages.event
  return Object.fromEntries(
    schemas.map(({ channel, type, data }) => [
      `${componentOf(channel)}.${type}`,
      {
        name: type,
        title: `${type} on ${channel}`,
        contentType: 'application/json',
        payload: {
          type: 'object',
          additionalProperties: false,
          required: plain(required),
          properties: { ...plain(properties), type: { const: type }, data },
        },
      },
    ]),
  )
}

/** A name as a component of the document may be called: `shelf:{id}` is `shelf`. */
const componentOf = (channel: string): string => channel.replace(/:\{id\}$/, '-of-one')

const refs = (channel: string, names: readonly string[]) =>
  names.map(name => ({ $ref: `#/channels/${channel}/messages/${name}` }))

/** AsyncAPI 3.0 knows no patterns of a parameter: of channels with an id it is said in words. */
const parameterOf = (channels: readonly LiveChannel[]): JsonObject => {
  const names = channels.map(({ name }) => name)
  return names.some(name => name.includes('{')) ? { description: `One of ${names.join(', ')}.` } : { enum: names }
}

/** The document; `version` is the service's, `events` what every channel sends of every type. */
export const asyncApi = (
  version: string,
  channels: readonly LiveChannel[],
  events: readonly LiveEventSchema[],
): JsonObject => {
  const clientMessages = clientMessagesOf({ all: channels })
  const { event: _, ...answers } = serverMessages
  const { subscribed, 'caught-up': caughtUp } = serverMessages
  const sent = eventMessages(events)
  const told = messagesOf({ reset: resetMessage, subscribed, 'caught-up': caughtUp })
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Lexichron live feed',
      version,
      description: channels
        .map(({ name, about, needs, filters }) => {
          const members = Object.keys(filters).join(', ') || 'none'
          return `- ${name}: ${about} Filters: ${members}. ${needs === undefined ? 'Open to all' : `Needs ${needs}`}.`
        })
        .join('\n'),
    },
    defaultContentType: 'application/json',
    channels: {
      live: {
        address: '/v1/live',
        title: 'WebSocket, subprotocol lexichron.v1',
        messages: { ...messagesOf(clientMessages), ...messagesOf(answers), ...sent },
      },
      stream: {
        address: '/v1/live/{channel}',
        title: 'Server-sent events: one channel, each message as the data of one',
        parameters: { channel: parameterOf(channels) },
        messages: { ...told, ...sent },
      },
    },
    operations: {
      receiveFromClient: {
        action: 'receive',
        channel: { $ref: '#/channels/live' },
        messages: refs('live', Object.keys(clientMessages)),
      },
      sendToClient: {
        action: 'send',
        channel: { $ref: '#/channels/live' },
        messages: refs('live', [...Object.keys(answers), ...Object.keys(sent)]),
      },
      sendToReader: {
        action: 'send',
        channel: { $ref: '#/channels/stream' },
        messages: refs('stream', [...Object.keys(told), ...Object.keys(sent)]),
      },
    },
  }
}
