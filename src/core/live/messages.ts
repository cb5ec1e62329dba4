/** The messages of the subprotocol lexichron.v1: one schema each, from which they are checked and documented. */
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { WELL_FORMED } from '../../domain/forms.ts'
import type { Fault } from '../../domain/refusal.ts'
import { faultsOf } from '../../domain/shape.ts'
import { type Channels, type ListenedTo, namesOf } from './channels.ts'

const strict = { additionalProperties: false }
const id = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: WELL_FORMED,
  description: 'Chosen by the client, one a subscription.',
})
const after = Type.String({ minLength: 1, maxLength: 4096, description: 'An opaque position in the log.' })

const unsubscribe = Type.Object({ op: Type.Literal('unsubscribe'), id }, strict)
const ack = Type.Object({ op: Type.Literal('ack'), id, after }, strict)
const ping = Type.Object({ op: Type.Literal('ping') }, strict)

/** A channel's name: those that are one alone, and the forms of those with an id. */
export const channelSchema = ({ all }: Pick<Channels, 'all'>) => {
  const names = all.map(namesOf)
  const single = names.flatMap(told => ('name' in told ? [told.name] : []))
  const forms = names.flatMap(told => ('pattern' in told ? [told.pattern] : []))
  const alone = Type.Enum(single)
  return forms.length === 0 ? alone : Type.Union([alone, ...forms.map(pattern => Type.String({ pattern }))])
}

/** What clients send, of these channels. */
export const clientMessagesOf = (channels: Pick<Channels, 'all'>) =>
  ({
    subscribe: Type.Object(
      {
        op: Type.Literal('subscribe'),
        id,
        channel: channelSchema(channels),
        filter: Type.Optional(Type.Object({}, { additionalProperties: true })),
        after: Type.Optional(after),
      },
      strict,
    ),
    unsubscribe,
    ack,
    ping,
  }) as const

/** Why a message was not carried out. */
export const liveErrorCodes = [
  'message-malformed',
  'op-unknown',
  'message-invalid',
  'filter-invalid',
  'id-taken',
  'id-unknown',
  'too-many-subscriptions',
  'too-many-replays',
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
export type ResetMessage = Static<typeof resetMessage>

export type ClientMessage =
  | {
      readonly op: 'subscribe'
      readonly id: string
      readonly channel: ListenedTo
      readonly filter?: object
      readonly after?: string
    }
  | Static<typeof unsubscribe>
  | Static<typeof ack>
  | Static<typeof ping>

const idIn = (value: object): { readonly id?: string } =>
  'id' in value &&
  typeof value.id === 'string' &&
  value.id.length > 0 &&
  value.id.length <= 64 &&
  value.id.isWellFormed()
    ? { id: value.id }
    : {}

export type ReadMessage = { readonly message: ClientMessage } | { readonly fault: LiveFault & { readonly id?: string } }

/** What a client sent, checked. */
export type ReadMessages = (text: string) => ReadMessage

const malformed: ReadMessage = { fault: { code: 'message-malformed', detail: 'A message is one JSON object.' } }

/** The function never throws. */
export const openMessages = (channels: Channels): ReadMessages => {
  const { subscribe } = clientMessagesOf(channels)
  const checks = {
    subscribe: Compile(subscribe),
    unsubscribe: Compile(unsubscribe),
    ack: Compile(ack),
    ping: Compile(ping),
  }
  const names = channels.all.map(({ name }) => name).join(', ')
  return text => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return malformed
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return malformed
    const named = idIn(value)
    const invalid = (known: string, { pointer, detail }: Pick<Fault, 'pointer' | 'detail'>): ReadMessage => ({
      fault: { ...named, code: 'message-invalid', detail: `${known}: ${pointer || 'the message'}: ${detail}`, pointer },
    })
    const op = 'op' in value ? value.op : undefined
    for (const known of ['subscribe', 'unsubscribe', 'ack', 'ping'] as const) {
      if (op !== known) continue
      const check = checks[known]
      if (!check.Check(value)) {
        const [first] = faultsOf(check.Errors(value).map(error => ({ ...error })))
        const { pointer = '', detail = 'This is wrong.' } = first ?? {}
        const isName = pointer === '/channel' && 'channel' in value
        return invalid(known, { pointer, detail: isName ? `This has to be one of ${names}.` : detail })
      }
      if (value.op !== 'subscribe') return { message: value }
      const channel = channels.find(value.channel)
      // Both are made of the same names.
      if (!channel) return invalid(known, { pointer: '/channel', detail: `This has to be one of ${names}.` })
      return { message: { ...value, channel } }
    }
    return {
      fault: {
        ...named,
        code: 'op-unknown',
        detail: 'op is one of subscribe, unsubscribe, ack, ping.',
        pointer: '/op',
      },
    }
  }
}
