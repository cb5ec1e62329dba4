/**
 * A block: an address, a network or an account that the service does not serve, for a time or until it is taken away. Its
 * stream is named by a keyed hash of what is blocked, so that there is one for each, and nobody reads an address from the
 * name; the address itself, and the reason, are sealed.
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { type Family, networkText, readNetwork } from '../network.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { readText } from '../text/text.ts'

/** What is refused of a block. */
export type BlockRefusal =
  | 'block-target-invalid'
  | 'block-too-wide'
  | 'block-past'
  | 'block-protected'
  | 'block-not-found'

// Stream

export const blockCategory = 'block'
export const blockStream = (id: string): string => streamName(blockCategory, id)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })

export const blockKinds = ['network', 'account'] as const
export type BlockKind = (typeof blockKinds)[number]

/**
 * `target` is CIDR in its one form, or the id of an account. `subject` names the key: the account's own, so that it goes with
 * the account; of a network one for each addition, so that it can go when that is long over. Added again, with another reason or end, it takes the place of the one before.
 */
export const BlockAdded = eventType(
  'BlockAdded',
  Type.Object(
    {
      blockId: text,
      kind: Type.Enum([...blockKinds]),
      subject: text,
      target: secret,
      reason: secret,
      expiresAt: Type.Optional(text),
      by: text,
    },
    strict,
  ),
  { subject: data => String(data['subject']) },
)
export const BlockRemoved = eventType('BlockRemoved', Type.Object({ by: text }, strict))

export const blockEvents = [BlockAdded, BlockRemoved] as const
export type BlockEvent = EventOf<(typeof blockEvents)[number]>

// Fold

/** `target` and `reason` are absent once their key was destroyed: it blocks nobody then. Times are RFC 3339. */
export type Block = {
  readonly id: string
  readonly kind: BlockKind
  readonly target?: string
  readonly reason?: string
  readonly expiresAt?: string
  readonly by: string
  readonly at: string
  readonly removed: boolean
  /** How often it was added. */
  readonly added: number
}
export type BlockState = Block | undefined

export const evolveBlock = (block: BlockState, event: Recorded<BlockEvent>): BlockState => {
  switch (event.type) {
    case 'BlockAdded': {
      const { blockId: id, kind, target, reason, expiresAt, by } = event.data
      return {
        id,
        kind,
        by,
        at: event.meta.at,
        removed: false,
        added: (block?.added ?? 0) + 1,
        ...(!event.removed && { target, reason }),
        ...defined({ expiresAt }),
      }
    }
    case 'BlockRemoved':
      return block && { ...block, removed: true }
    default:
      return block
  }
}

export const blockAggregate: Aggregate<BlockState, BlockEvent> = {
  category: blockCategory,
  events: blockEvents,
  initial: undefined,
  evolve: evolveBlock,
  route: () => ({ visibility: 'owner' }),
}

/** Is it in force at `now` (milliseconds since 1970)? */
export const isInForce = (block: Block, now: number): boolean =>
  !block.removed && block.target !== undefined && (block.expiresAt === undefined || Date.parse(block.expiresAt) > now)

// Decide

/** The widest networks that may be blocked: no provider was given a wider one, and whoever blocks more blocks everybody. */
const WIDEST: Readonly<Record<Family, number>> = { 4: 8, 6: 19 }
const LONGEST_REASON = 500
const ACCOUNT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export type BlockTarget = { readonly kind: BlockKind; readonly target: string }

/** What a text asks to be blocked, in its one form. */
export const readTarget = (given: string): BlockTarget | Refusal<BlockRefusal> => {
  if (ACCOUNT.test(given)) return { kind: 'account', target: given.toLowerCase() }
  const network = readNetwork(given)
  if (!network) return refuse('block-target-invalid', 'This is no address, no network (CIDR) and no id of an account.')
  const widest = WIDEST[network.family]
  if (network.prefix < widest)
    return refuse(
      'block-too-wide',
      `${networkText(network)} holds too many: of IPv${network.family} a /${widest} is the widest that is blocked.`,
    )
  return { kind: 'network', target: networkText(network) }
}

export type NewBlock = BlockTarget & {
  readonly id: string
  readonly reason: string
  /** RFC 3339; absent: until it is taken away. */
  readonly expiresAt?: string
  readonly by: string
  readonly now: Date
}

export const addBlock =
  ({ id, kind, target, reason: given, expiresAt, by, now }: NewBlock): Decide<BlockState, BlockEvent, BlockRefusal> =>
  block => {
    const { text: reason, fault } = readText(given.trim(), { max: LONGEST_REASON, multiline: false })
    if (reason === '') return refuse('reason-required', 'A block needs a reason.')
    if (fault !== undefined) return refuse('text-invalid', `The reason is not text that can be kept. ${fault}`)
    if (expiresAt !== undefined && !(Date.parse(expiresAt) > now.getTime()))
      return refuse('block-past', 'The end of a block is a time to come.')
    if (block && isInForce(block, now.getTime()) && block.reason === reason && block.expiresAt === expiresAt) return []
    const ends = expiresAt === undefined ? {} : { expiresAt }
    const subject = kind === 'account' ? target : `${id}.${block?.added ?? 0}`
    return [{ type: 'BlockAdded', data: { blockId: id, kind, subject, target, reason, ...ends, by } }]
  }

/** Also of one that has ended by itself: from then on it is said to have been taken away. */
export const removeBlock =
  (by: string): Decide<BlockState, BlockEvent, BlockRefusal> =>
  block =>
    !block
      ? refuse('block-not-found', 'There is no such block.')
      : block.removed
        ? []
        : [{ type: 'BlockRemoved', data: { by } }]
