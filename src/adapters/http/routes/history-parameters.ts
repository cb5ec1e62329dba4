/** Path and query parameters of the history's routes, and what they ask for. */

import Type, { type Static } from 'typebox'
import type { SyncTokens } from '../../../core/log/sync-tokens.ts'
import type { Line } from '../../../core/log/transcript.ts'
import { defined } from '../../../domain/defined.ts'
import type { Actor } from '../../../domain/event.ts'
import { ACTOR, STREAM, UUID, VISIBLE } from '../../../domain/forms.ts'
import type { HistoryFilters } from '../../../domain/history/history.ts'
import { categoryOf } from '../../../domain/ids.ts'
import type { HistoryQuestion } from '../../../queries/history.ts'
import { invalid, timeOf } from './entry-parameters.ts'

const KINDS: readonly Actor['kind'][] = ['account', 'service', 'import', 'system']

/** Anything else is no event and no stream: 404, not 400. */
export const EventParams = Type.Object({
  eventId: Type.String({ pattern: UUID, description: 'The id of the event.' }),
})
export const StreamParams = Type.Object({
  stream: Type.String({ pattern: STREAM, description: 'The name of the stream, such as entry-501a48e3....' }),
})

const text = (description: string, pattern?: string) =>
  Type.Optional(
    Type.String({
      description,
      minLength: 1,
      maxLength: 200,
      ...defined({ pattern }),
    }),
  )
const paging = {
  order: Type.Optional(Type.Enum(['asc', 'desc'], { description: 'Oldest first (asc) by default.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Events a page, 20 by default.' })),
  cursor: Type.Optional(Type.String({ description: '`next` of the page before.', minLength: 1, maxLength: 4096 })),
}
const token = (description: string) => Type.Optional(Type.String({ description, minLength: 1, maxLength: 4096 }))

/** The categories and types are those of the log that is served. */
export const eventsQuery = (types: ReadonlyMap<string, readonly string[]>) =>
  Type.Object(
    {
      stream: text('The events of one stream.', STREAM),
      category: Type.Optional(
        Type.Enum([...types.keys()], { description: 'Of the streams: what their names begin with.' }),
      ),
      type: Type.Optional(Type.Enum([...types.values()].flat(), { description: 'The type of event.' })),
      actor: text('Who acted: an id, a kind (account, service, import, system), or kind:id.', ACTOR),
      correlationId: text('What one request brought about: its X-Request-Id.', VISIBLE),
      from: text('Of this time (RFC 3339) or later: `meta.at`.'),
      to: text('Of before this time (RFC 3339).'),
      after: token('A Sync-Token: what came after it.'),
      before: token('A Sync-Token: what came before it.'),
      ...paging,
    },
    { additionalProperties: false },
  )
export type EventsQuery = Static<ReturnType<typeof eventsQuery>>

export const StreamQuery = Type.Object(paging, { additionalProperties: false })
export type StreamQuery = Static<typeof StreamQuery>

/** @throws {ProblemError} validation. @throws {TokenError} sync-token-invalid, other-log. */
export const questionOf = async (query: EventsQuery, syncTokens: SyncTokens): Promise<HistoryQuestion> => {
  const { stream, category, type, correlationId } = query
  const from = query.from === undefined ? undefined : timeOf('from', query.from)
  const to = query.to === undefined ? undefined : timeOf('to', query.to)
  if (from && to && from.getTime() > to.getTime()) throw invalid('from', 'This is after `to`.')
  const after = query.after === undefined ? undefined : (await syncTokens.read(query.after)).position
  const before = query.before === undefined ? undefined : (await syncTokens.read(query.before)).position
  if (after !== undefined && before !== undefined && after > before)
    throw invalid('after', 'This comes after `before`.')
  const [kind, id] = query.actor?.includes(':') ? query.actor.split(':') : []
  const isKind = KINDS.some(each => each === query.actor)
  return {
    ...defined({
      stream,
      category,
      type,
      actorKind: kind ?? (isKind ? query.actor : undefined),
      actor: id ?? (isKind ? undefined : query.actor),
      correlationId,
      from,
      to,
      after,
      before,
    }),
    order: query.order ?? 'asc',
  }
}

/**
 * What is recorded of a question. A stream or correlation that nothing was found for may be anything that somebody typed,
 * so that it was named is all that is kept of it.
 */
export const filtersOf = (question: HistoryQuestion, found: boolean): HistoryFilters => {
  const { stream, correlationId, from, to, after, before, ...rest } = question
  const named = defined({ stream, correlationId })
  const unmatched = found ? [] : Object.keys(named)
  return {
    ...rest,
    ...(found && named),
    ...defined({
      from: from?.toISOString(),
      to: to?.toISOString(),
      after: after === undefined ? undefined : String(after),
      before: before === undefined ? undefined : String(before),
    }),
    ...defined({ unmatched: unmatched.length > 0 ? unmatched : undefined }),
  }
}

/** Whose personal data the lines show to this reader: each once, the reader not among them. */
export const subjectsOf = (lines: readonly Line[], reader: string): readonly string[] => [
  ...new Set(lines.flatMap(({ subject }) => (subject === undefined || subject === reader ? [] : subject))),
]

/** Does the question name an account: as the actor, or by a stream that is about one? */
export const namesAccount = (
  { actor, actorKind, stream }: Pick<HistoryQuestion, 'actor' | 'actorKind' | 'stream'>,
  personal: ReadonlySet<string>,
): boolean =>
  actor !== undefined || actorKind !== undefined || (stream !== undefined && personal.has(categoryOf(stream)))
