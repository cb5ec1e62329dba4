/**
 * What somebody is told of a decision about something of theirs: a stream for each person and decision, so that they are told once,
 * whatever is repeated. From its first event on they may appeal for six months (Regulation (EU) 2022/2065, Article 20).
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName, uuidv5 } from '../ids.ts'
import { overturnedBy } from './decision-events.ts'
import { MeasureSchema, MOST_MEASURES } from './measures.ts'
import { StatementSchema } from './statement.ts'

// Stream

export const statementCategory = 'statement'
/** Of two UUIDs, of which the first one is the space of the other's names. */
export const statementStream = (decision: string, accountId: string): string =>
  streamName(statementCategory, uuidv5(decision, accountId))

// Events

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
/** `measures`: those on what is theirs. The facts, and until when they may appeal, are read where the decision is. */
export const StatementGiven = eventType(
  'StatementGiven',
  Type.Object(
    {
      accountId: id,
      decision: id,
      measures: Type.Array(MeasureSchema, { minItems: 1, maxItems: MOST_MEASURES }),
      statement: StatementSchema,
    },
    strict,
  ),
)
/** The decision was overturned, and what it did has ended. */
export const StatementWithdrawn = eventType(
  'StatementWithdrawn',
  Type.Object({ accountId: id, decision: id, through: Type.Enum([...overturnedBy]) }, strict),
)
export const statementEvents = [StatementGiven, StatementWithdrawn] as const
export type StatementEvent = EventOf<(typeof statementEvents)[number]>

// Fold

/** `givenAt`: RFC 3339; absent as long as nobody is told. */
export type Given = { readonly accountId?: string; readonly givenAt?: string; readonly isWithdrawn: boolean }

const evolveGiven = (given: Given, { type, data, meta }: Recorded<StatementEvent>): Given =>
  type === 'StatementGiven'
    ? { accountId: data.accountId, givenAt: given.givenAt ?? meta.at, isWithdrawn: given.isWithdrawn }
    : { ...given, accountId: data.accountId, isWithdrawn: true }

export const statementAggregate: Aggregate<Given, StatementEvent> = {
  category: statementCategory,
  events: statementEvents,
  initial: { isWithdrawn: false },
  evolve: evolveGiven,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
  // Nobody reads one twice.
  cachedStreams: 1,
}

// Decide

type Telling = Decide<Given, StatementEvent, never>

export const giveStatement =
  (told: Extract<StatementEvent, { type: 'StatementGiven' }>['data']): Telling =>
  ({ givenAt }) =>
    givenAt === undefined ? [{ type: 'StatementGiven', data: told }] : []

export const withdrawStatement =
  (told: Extract<StatementEvent, { type: 'StatementWithdrawn' }>['data']): Telling =>
  ({ givenAt, isWithdrawn }) =>
    givenAt === undefined || isWithdrawn ? [] : [{ type: 'StatementWithdrawn', data: told }]
