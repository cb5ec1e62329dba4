/** The feed described: an AsyncAPI 3.0 document from the schemas that messages are checked against. */
import type { JsonObject } from '../../domain/event.ts'
import { channelNames, channelOf, liveFilters } from '../../subscribers/live-channels.ts'
import { clientMessages, serverMessages } from '../../subscribers/live-messages.ts'

const about: Readonly<Record<(typeof channelNames)[number], string>> = {
  entries: 'What happens to entries, as far as you may see it.',
  stories: 'What happens to stories; nothing while there are none.',
  activity: 'Events of the log counted, once a second.',
  projections: 'Progress, lag and rebuilds of the read models, once a second.',
  events: 'The whole log, for auditors.',
  me: 'What concerns you: your tokens, sessions and notifications.',
}

const plain = (schema: unknown): JsonObject => JSON.parse(JSON.stringify(schema))

const messagesOf = (schemas: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, payload]) => [
      name,
      { name, contentType: 'application/json', payload: plain(payload) },
    ]),
  )

const refs = (names: readonly string[]) => names.map(name => ({ $ref: `#/channels/live/messages/${name}` }))

/** The document; `version` is the service's. */
export const asyncApi = (version: string): JsonObject => ({
  asyncapi: '3.0.0',
  info: {
    ...{ title: 'Lexichron live feed', version },
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
      ...{ address: '/v1/live', title: 'WebSocket, subprotocol lexichron.v1' },
      messages: { ...messagesOf(clientMessages), ...messagesOf(serverMessages) },
    },
  },
  operations: {
    receiveFromClient: {
      ...{ action: 'receive', channel: { $ref: '#/channels/live' } },
      messages: refs(Object.keys(clientMessages)),
    },
    sendToClient: {
      ...{ action: 'send', channel: { $ref: '#/channels/live' } },
      messages: refs(Object.keys(serverMessages)),
    },
  },
})
