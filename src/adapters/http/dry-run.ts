/** `?dryRun=true`, alike for every command: what it would write is answered, and nothing is written. */
import Type from 'typebox'
import type { Accepted } from '../../core/write/transact.ts'
import type { Answer, Documented } from './route.ts'

export const DryRunQuery = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Boolean({ description: 'true: answers with the events that would be written, and writes nothing.' }),
    ),
  },
  { additionalProperties: false },
)

export const DryRunSchema = Type.Object(
  { events: Type.Array(Type.Object({ type: Type.String(), data: Type.Object({}, { additionalProperties: true }) })) },
  { $id: 'DryRun' },
)

export const isDry = (query: unknown): boolean =>
  typeof query === 'object' && query !== null && 'dryRun' in query && query.dryRun === true

/** What a command answers, with what it answers to a dry run. */
export const withDryRun = (answers: Readonly<Record<number, Documented>>): Readonly<Record<number, Documented>> => {
  const changed = answers[200]
  const dry: Documented = changed?.schema
    ? {
        ...changed,
        description: `${changed.description} With dryRun: the events that would be written.`,
        schema: Type.Union([changed.schema, DryRunSchema]),
      }
    : { description: 'A dry run: the events that would be written.', schema: DryRunSchema, example: { events: [] } }
  return { ...answers, 200: dry }
}

/** The answer to a command that was accepted: its events where it was dry; else what `answer` says of it, marked where it is the first one again. */
export const answerTo = async <State>(
  accepted: Accepted<State>,
  isDryRun: boolean,
  answer: (accepted: Accepted<State>) => Omit<Answer, 'position'> | Promise<Omit<Answer, 'position'>>,
): Promise<Answer> => {
  const { position } = accepted
  if (isDryRun) {
    const events = accepted.events.map(({ type, data }) => ({ type, data }))
    return { status: 200, body: JSON.stringify({ events }), position }
  }
  const given = await answer(accepted)
  return accepted.replayed
    ? { ...given, position, headers: { ...given.headers, 'idempotent-replayed': 'true' } }
    : { ...given, position }
}
