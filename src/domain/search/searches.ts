/**
 * How much was searched, and how well it was answered: each node appends what it counted in one batch, in place of an
 * event a search. Nothing that anybody typed and nobody who typed it is in it: ops/decisions/0017.
 */

import Type from 'typebox'
import type { Aggregate, Decision } from '../decider.ts'
import { type EventOf, eventType } from '../event.ts'
import { DAY } from '../forms.ts'
import { streamName } from '../ids.ts'
import { type Layer, layers } from './match.ts'

// Stream

export const searchesCategory = 'searches'
/** One stream a batch: a batch that is sent again finds itself there, and counts once. */
export const searchesStream = (nodeId: string, batch: number): string =>
  streamName(searchesCategory, `${nodeId}.${batch}`)

// Events

/** What a search came to: the best layer that found something, or nothing. */
export const searchOutcomes = [...layers, 'nothing'] as const
export type SearchOutcome = Layer | 'nothing'

const count = Type.Integer({ minimum: 1 })
const strict = { additionalProperties: false }

/** `day` is a calendar day of UTC; `counts` are those of this batch alone, outcomes that did not occur left out. */
export const SearchesCounted = eventType(
  'SearchesCounted',
  Type.Object(
    {
      node: Type.String({ minLength: 1 }),
      batch: Type.Integer({ minimum: 0 }),
      day: Type.String({ pattern: DAY }),
      counts: Type.Object(
        {
          exact: Type.Optional(count),
          case: Type.Optional(count),
          accent: Type.Optional(count),
          form: Type.Optional(count),
          stem: Type.Optional(count),
          prefix: Type.Optional(count),
          wildcard: Type.Optional(count),
          fuzzy: Type.Optional(count),
          definition: Type.Optional(count),
          nothing: Type.Optional(count),
        },
        strict,
      ),
    },
    strict,
  ),
)
export const searchesEvents = [SearchesCounted] as const
export type SearchesEvent = EventOf<(typeof searchesEvents)[number]>

export type SearchCounts = SearchesEvent['data']['counts']
export type SearchesBatch = SearchesEvent['data']

// Fold

/** Was the batch recorded? */
export type SearchesState = boolean

export const searchesAggregate: Aggregate<SearchesState, SearchesEvent> = {
  category: searchesCategory,
  events: searchesEvents,
  initial: false,
  evolve: () => true,
  // Nobody's own: it reaches those who read the log or the figures made of it, and no live channel.
  route: () => ({ visibility: 'owner' }),
  // Each batch has a stream of its own, which is read once at most.
  cachedStreams: 4,
}

// Decide

export const recordSearches =
  (batch: SearchesBatch) =>
  (recorded: SearchesState): Decision<SearchesEvent, never> =>
    recorded ? [] : [{ type: 'SearchesCounted', data: batch }]
