/** The messages of the subprotocol lexichron.v1: one schema each, from which they are checked and documented. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { WELL_FORMED } from '../domain/forms.ts'
import { faultsOf } from '../domain/shape.ts'
import { channelNames } from './live-channels.ts'

const strict = { additionalProperties: false }
const id = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: WELL_FORMED,
  description: 'Chosen by the client, one a subscription.',
})
const after = Type.String({ minLength: 1, maxLength: 4096, description: 'An opaque position in the log.' })

export const clientMessages = {
  subscribe: Type.Object(
    {
      op: Type.Literal('subscribe'),
      id,
      channel: Type.Enum([...channelNames]),
      filter: Type.Optional(Type.Object({}, { additionalProperties: true })),
      after: Type.Optional(after),
    },
    strict,
  ),
  unsubscribe: Type.Object({ op: Type.Literal('unsubscribe'), id }, strict),
  ack: Type.Object({ op: Type.Literal('ack'), id, after }, strict),
  ping: Type.Object({ op: Type.Literal('ping') }, strict),
} as const

/** Why a message was not carried out. */
export const liveErrorCodes = [
  'message-malformed',
  'op-unknown',
  'message-invalid',
  'filter-invalid',
  'id-taken',
  'id-unknown',
  'too-many-subscriptions',
  'permission-denied',
  'after-invalid',
  'other-log',
  'unavailable',
] as const
export type LiveErrorCode = (typeof liveErrorCodes)[number]
/** `pointer` (RFC 6901) names the member of the message that is wrong. */
export type LiveFault = { readonly code: LiveErrorCode; readonly detail: string; readonly pointer?: string }

/** Why a token cannot be resumed after: a stream of server-sent events goes on without it. */
export const resetCodes = ['after-invalid', 'other-log'] as const satisfies readonly LiveErrorCode[]

const at = Type.String({ description: 'RFC 3339 UTC.' })
export const serverMessages = {
  subscribed: Type.Object({ op: Type.Literal('subscribed'), id, after }, strict),
  event: Type.Object(
    {
      op: Type.Literal('event'),
      id,
      after,
      type: Type.String(),
      at,
      data: Type.Object({}, { additionalProperties: true }),
    },
    strict,
  ),
  'caught-up': Type.Object({ op: Type.Literal('caught-up'), id, after }, strict),
  unsubscribed: Type.Object({ op: Type.Literal('unsubscribed'), id }, strict),
  error: Type.Object(
    {
      op: Type.Literal('error'),
      id: Type.Optional(id),
      code: Type.Enum([...liveErrorCodes]),
      detail: Type.String(),
      pointer: Type.Optional(Type.String({ description: 'RFC 6901: the member of the message that is wrong.' })),
    },
    strict,
  ),
  pong: Type.Object({ op: Type.Literal('pong') }, strict),
} as const

/** Of server-sent events alone: nothing is resumed, the stream begins `after`. */
export const resetMessage = Type.Object(
  { op: Type.Literal('reset'), id, after, code: Type.Enum([...resetCodes]), detail: Type.String() },
  strict,
)
export type ResetMessage = Type.Static<typeof resetMessage>

type SubscribeMessage = Type.Static<typeof clientMessages.subscribe>
export type ClientMessage =
  | SubscribeMessage
  | Type.Static<typeof clientMessages.unsubscribe>
  | Type.Static<typeof clientMessages.ack>
  | Type.Static<typeof clientMessages.ping>

const checks = {
  subscribe: Compile(clientMessages.subscribe),
  unsubscribe: Compile(clientMessages.unsubscribe),
  ack: Compile(clientMessages.ack),
  ping: Compile(clientMessages.ping),
}

const idIn = (value: object): { readonly id?: string } =>
  'id' in value &&
  typeof value.id === 'string' &&
  value.id.length > 0 &&
  value.id.length <= 64 &&
  value.id.isWellFormed()
    ? { id: value.id }
    : {}

export type ReadMessage = { readonly message: ClientMessage } | { readonly fault: LiveFault & { readonly id?: string } }

/** What a client sent, checked. Never throws. */
export const readMessage = (text: string): ReadMessage => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { fault: { code: 'message-malformed', detail: 'A message is one JSON object.' } }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { fault: { code: 'message-malformed', detail: 'A message is one JSON object.' } }
  const named = idIn(value)
  const op = 'op' in value ? value.op : undefined
  for (const known of ['subscribe', 'unsubscribe', 'ack', 'ping'] as const) {
    if (op !== known) continue
    const check = checks[known]
    if (check.Check(value)) return { message: value }
    const [first] = faultsOf(check.Errors(value).map(error => ({ ...error })))
    const { pointer = '', detail = 'This is wrong.' } = first ?? {}
    return {
      fault: { ...named, code: 'message-invalid', detail: `${known}: ${pointer || 'the message'}: ${detail}`, pointer },
    }
  }
  return {
    fault: { ...named, code: 'op-unknown', detail: 'op is one of subscribe, unsubscribe, ack, ping.', pointer: '/op' },
  }
}
