/**
 * A mail that its receiver has refused for good: a fact that others act on, such as who knows whose address it is. It names the
 * recipient by id and says nothing of address or text. Its stream is the mail's, so that it is written once.
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType } from '../event.ts'
import { streamName, uuidv5 } from '../ids.ts'

// Stream

export const mailCategory = 'mail'
/** `eventId`: of the event that the mail is about. */
export const mailStream = (eventId: string, recipient: string): string =>
  streamName(mailCategory, uuidv5(eventId, recipient))

// Events

const text = Type.String({ minLength: 1 })

/**
 * `recipient` as the port of recipients knows it (`account:<id>`); `eventId` of the event that it was about; `code` is the server's
 * answer, absent where the address is none that mail can be sent to.
 */
export const MailRefused = eventType(
  'MailRefused',
  Type.Object(
    {
      eventId: text,
      recipient: text,
      template: text,
      code: Type.Optional(Type.Integer({ minimum: 500, maximum: 599 })),
      reason: text,
    },
    { additionalProperties: false },
  ),
)
export const mailEvents = [MailRefused] as const
export type MailEvent = EventOf<typeof MailRefused>

// Fold

export type MailState = { readonly account?: string } | undefined

const ACCOUNT = 'account:'
const stateOf = (recipient: string): MailState =>
  recipient.startsWith(ACCOUNT) ? { account: recipient.slice(ACCOUNT.length) } : {}

export const mailAggregate: Aggregate<MailState, MailEvent> = {
  category: mailCategory,
  events: mailEvents,
  initial: undefined,
  evolve: (_, { data }) => stateOf(data.recipient),
  route: mail => ({ visibility: 'owner', ...defined({ owner: mail?.account }) }),
}

// Decide

export const refuseMail =
  (refusal: MailEvent['data']): Decide<MailState, MailEvent, never> =>
  mail =>
    mail ? [] : [{ type: 'MailRefused', data: refusal }]
