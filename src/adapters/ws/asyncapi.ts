/** The feed described: an AsyncAPI 3.0 document from the schemas that messages are checked against. */
import type { JsonObject } from '../../domain/event.ts'
import { channelNames, channelOf, liveFilters } from '../../subscribers/live-channels.ts'
import { clientMessages, resetMessage, serverMessages } from '../../subscribers/live-messages.ts'
import type { LiveEventSchema } from '../../subscribers/live-schemas.ts'

const about: Readonly<Record<(typeof channelNames)[number], string>> = {
  entries: 'What happens to entries, as far as you may see it.',
  stories: 'What happens to stories; nothing while there are none.',
  activity: 'Events of the log counted, once a second.',
  projections: 'Progress, lag and rebuilds of the read models, once a second.',
  events: 'The whole log, for auditors.',
  me: 'What concerns you: your tokens, sessions and notifications.',
}

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
      `${channel}.${type}`,
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

const refs = (channel: string, names: readonly string[]) =>
  names.map(name => ({ $ref: `#/channels/${channel}/messages/${name}` }))

/** The document; `version` is the service's, `events` what every channel sends of every type. */
export const asyncApi = (version: string, events: readonly LiveEventSchema[]): JsonObject => {
  const { event: _, ...answers } = serverMessages
  const { subscribed, 'caught-up': caughtUp } = serverMessages
  const sent = eventMessages(events)
  const told = messagesOf({ reset: resetMessage, subscribed, 'caught-up': caughtUp })
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Lexichron live feed',
      version,
      description: channelNames
        .map(name => {
          const { needs } = channelOf(name)
          const filters = Object.keys(liveFilters[name].properties).join(', ') || 'none'
          return `- ${name}: ${about[name]} Filters: ${filters}. ${needs === undefined ? 'Open to all' : `Needs ${needs}`}.`
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
        parameters: { channel: { enum: [...channelNames] } },
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
