/**
 * Whom an account has blocked, and whom it has muted. A block holds both ways: neither is shown what the other says, nor answers it. A
 * mute is one's own affair: one is not shown, nor told of, what the other says.
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'

/** What is refused of relations. */
export type RelationRefusal = 'relation-to-oneself' | 'relations-full'

// Stream

export const relationsCategory = 'relations'
export const relationsStream = (accountId: string): string => streamName(relationsCategory, accountId)

// Events

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const pair = Type.Object({ accountId: id, other: id }, strict)

export const PersonBlocked = eventType('PersonBlocked', pair)
export const PersonUnblocked = eventType('PersonUnblocked', pair)
export const PersonMuted = eventType('PersonMuted', pair)
export const PersonUnmuted = eventType('PersonUnmuted', pair)
/** The account was erased: it is nobody to anybody any more. */
export const RelationsCleared = eventType(
  'RelationsCleared',
  Type.Object({ accountId: id, others: Type.Array(id) }, strict),
)

export const relationEvents = [PersonBlocked, PersonUnblocked, PersonMuted, PersonUnmuted, RelationsCleared] as const
export type RelationEvent = EventOf<(typeof relationEvents)[number]>

// Fold

/** Ids of accounts, each with the time (RFC 3339) since when. */
export type Relations = {
  readonly accountId?: string
  readonly blocked: ReadonlyMap<string, string>
  readonly muted: ReadonlyMap<string, string>
}
type Kept = ReadonlyMap<string, string>

const nobody: Omit<Relations, 'accountId'> = { blocked: new Map(), muted: new Map() }

const having = (people: Kept, other: string, at: string): Kept =>
  people.has(other) ? people : new Map(people).set(other, at)
const lacking = (people: Kept, other: string): Kept => new Map([...people].filter(([known]) => known !== other))

const evolveRelations = (before: Relations, event: Recorded<RelationEvent>): Relations => {
  const { at } = event.meta
  const relations = { ...before, accountId: event.data.accountId }
  switch (event.type) {
    case 'PersonBlocked':
      return { ...relations, blocked: having(relations.blocked, event.data.other, at) }
    case 'PersonUnblocked':
      return { ...relations, blocked: lacking(relations.blocked, event.data.other) }
    case 'PersonMuted':
      return { ...relations, muted: having(relations.muted, event.data.other, at) }
    case 'PersonUnmuted':
      return { ...relations, muted: lacking(relations.muted, event.data.other) }
    case 'RelationsCleared':
      return { accountId: event.data.accountId, ...nobody }
  }
}

/** Bytes that one of them takes. */
const PERSON_BYTES = 200

export const relationsAggregate: Aggregate<Relations, RelationEvent> = {
  category: relationsCategory,
  events: relationEvents,
  initial: nobody,
  evolve: evolveRelations,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
  weigh: ({ blocked, muted }) => PERSON_BYTES * (1 + blocked.size + muted.size),
  isAskedForByAnybody: true,
}

// Decide

/** Of each kind. */
export const MOST_RELATIONS = 2_000

type Deciding = Decide<Relations, RelationEvent, RelationRefusal>
/** Whose it is, and to whom. */
export type Pair = { readonly accountId: string; readonly other: string }

const kinds = {
  blocked: { begin: 'PersonBlocked', end: 'PersonUnblocked' },
  muted: { begin: 'PersonMuted', end: 'PersonUnmuted' },
} as const
export type RelationKind = keyof typeof kinds

/** Whether there is such an account is nobody's business: any id may be named. */
export const relate =
  (kind: RelationKind, { accountId, other }: Pair): Deciding =>
  relations => {
    if (other === accountId) return refuse('relation-to-oneself', 'One neither blocks nor mutes oneself.')
    if (relations[kind].has(other)) return []
    if (relations[kind].size >= MOST_RELATIONS)
      return refuse('relations-full', `An account blocks and mutes ${MOST_RELATIONS} people each at most.`)
    return [{ type: kinds[kind].begin, data: { accountId, other } }]
  }

export const unrelate =
  (kind: RelationKind, { accountId, other }: Pair): Decide<Relations, RelationEvent, never> =>
  relations =>
    relations[kind].has(other) ? [{ type: kinds[kind].end, data: { accountId, other } }] : []

/** Lets go of all: the account is erased. Repeating it is harmless. */
export const clearRelations =
  (accountId: string): Decide<Relations, RelationEvent, never> =>
  ({ blocked, muted }) => {
    const others = [...new Set([...blocked.keys(), ...muted.keys()])]
    return others.length === 0 ? [] : [{ type: 'RelationsCleared', data: { accountId, others } }]
  }
