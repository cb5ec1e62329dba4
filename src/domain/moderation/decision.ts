/** A decision about what somebody wrote, or about an account: what was done, why, and whether it stands. */
import type { Static } from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { type CommonRefusal, type Refusal, refuse } from '../refusal.ts'
import { readText } from '../text/text.ts'
import { type DecidedSchema, type DecisionEvent, decisionEvents, type overturnedBy } from './decision-events.ts'
import type { DecisionRefusal } from './decision-refusals.ts'
import { isTakenOn, type Measure, MOST_MEASURES } from './measures.ts'
import { FACTS_LENGTH, RULE_LENGTH, type Statement } from './statement.ts'
import { type ModeratedWork, moderatedKey } from './target.ts'

// Stream

export const decisionCategory = 'decision'
export const decisionStream = (id: string): string => streamName(decisionCategory, id)
/** The decision's id from the name of its stream. */
export const decisionIdOf = ({ stream }: { readonly stream: string }): string =>
  stream.slice(decisionCategory.length + 1)

// Events: src/domain/moderation/decision-events.ts

// Fold

export type Decided = Static<typeof DecidedSchema>
/** Why it was overturned, when (RFC 3339), by whom; without words where they were removed. */
export type Overturned = {
  readonly by: string
  readonly at: string
  readonly through: (typeof overturnedBy)[number]
  readonly reason?: string
}

/** `facts` and `texts` are absent once they were removed. `by`: who took it. */
export type Decision = {
  readonly case?: string
  readonly isAutomated: boolean
  readonly by: string
  readonly at: string
  readonly about: readonly Decided[]
  readonly measures: readonly Measure[]
  readonly statement: Statement
  readonly facts?: string
  readonly texts?: readonly string[]
  readonly overturned?: Overturned
}
export type DecisionState = Decision | undefined

const evolveDecision = (decision: DecisionState, event: Recorded<DecisionEvent>): DecisionState => {
  const { at, actor } = event.meta
  if (event.type === 'DecisionTaken') {
    const { case: ends, isAutomated, about, measures, statement, facts, texts } = event.data
    return (
      decision ?? {
        ...defined({ case: ends }),
        isAutomated,
        by: actor.id,
        at,
        about,
        measures,
        statement,
        ...defined({ facts: event.removed ? undefined : facts, texts: event.removed ? undefined : texts }),
      }
    )
  }
  if (!decision || decision.overturned) return decision
  const { through, reason } = event.data
  const overturned = { by: actor.id, at, through, ...defined({ reason: event.removed ? undefined : reason }) }
  return { ...decision, overturned }
}

export const decisionAggregate: Aggregate<DecisionState, DecisionEvent> = {
  category: decisionCategory,
  events: decisionEvents,
  initial: undefined,
  evolve: evolveDecision,
  // Whoever is affected is told by an event of their own.
  route: () => ({ visibility: 'owner' }),
  isAskedForByAnybody: true,
}

/** Whose things it is about, each once. */
export const affectedBy = ({ about }: Pick<Decision, 'about'>): readonly string[] => [
  ...new Set(about.flatMap(({ authors }) => authors)),
]

// Decide

type DecisionDecide = Decide<DecisionState, DecisionEvent, DecisionRefusal>
type Refused = Refusal<DecisionRefusal | CommonRefusal>

export const decisionNotFound = (): Refusal<DecisionRefusal> =>
  refuse('decision-not-found', 'There is no such decision, or it is not for you to see.')

const invalid = (pointer: string, detail: string): Refusal<DecisionRefusal> =>
  refuse('decision-invalid', detail, { errors: [{ pointer, code: 'invalid', detail }] })

/** Words of a moderator or an author in stored form; `pointer` names the member that they came in. */
export const readWords = (
  given: string,
  { pointer, max, multiline }: { readonly pointer: string; readonly max: number; readonly multiline: boolean },
): string | Refusal<'text-invalid'> => {
  const { text, fault } = readText(given.trim(), { max, multiline })
  if (fault === undefined && text !== '') return text
  const detail = fault ?? 'It says nothing.'
  return refuse('text-invalid', detail, { errors: [{ pointer, code: 'text-invalid', detail }] })
}

/** `isAutomated`: no person takes it. */
export type Taking = {
  readonly case?: string
  readonly isAutomated: boolean
  readonly measures: readonly Measure[]
  readonly statement: Statement
  readonly facts: string
}

/** What is wrong with the measures themselves: none, too many, one that is not taken on such a thing, one twice. */
const measuresFault = (measures: readonly Measure[]): Refusal<DecisionRefusal> | undefined => {
  if (measures.length === 0 || measures.length > MOST_MEASURES)
    return invalid('/measures', `A decision takes one measure at least, and ${MOST_MEASURES} at most.`)
  const seen = new Set<string>()
  for (const [index, { measure, target }] of measures.entries()) {
    if (!isTakenOn(measure, target.kind))
      return invalid(`/measures/${index}`, `There is no measure ${measure} on something of the kind ${target.kind}.`)
    const key = `${measure} ${moderatedKey(target)}`
    if (seen.has(key)) return invalid(`/measures/${index}`, 'This measure is named twice.')
    seen.add(key)
  }
  return undefined
}

/** Of what is gone nothing is left to be decided about, and nobody decides about what is their own. */
const worksFault = (works: readonly ModeratedWork[], by: string): Refusal<DecisionRefusal> | undefined => {
  if (works.some(({ isGone }) => isGone))
    return refuse('moderated-gone', 'It was deleted: there is nothing left to be decided about.')
  return works.some(({ authors }) => authors.includes(by))
    ? refuse('own-case', 'It is about something of yours: another moderator has to decide.')
    : undefined
}

/** `works`: what the measures are about, each once, as it stands. */
export const takeDecision =
  (
    { case: ends, isAutomated, measures, statement, facts: given }: Taking,
    works: readonly ModeratedWork[],
    by: string,
  ): DecisionDecide =>
  known => {
    if (known) return refuse('conflict', 'There is a decision of this id.')
    const fault: Refused | undefined = measuresFault(measures) ?? worksFault(works, by)
    if (fault) return fault
    const facts = readWords(given, { pointer: '/statement/facts', max: FACTS_LENGTH, multiline: true })
    if (typeof facts !== 'string') return facts
    const rule = readWords(statement.rule, { pointer: '/statement/rule', max: RULE_LENGTH, multiline: false })
    if (typeof rule !== 'string') return rule
    return [
      {
        type: 'DecisionTaken',
        data: {
          ...defined({ case: ends }),
          isAutomated,
          about: works.map(({ target, authors, revision }) => ({ target, authors: [...authors], revision })),
          measures: [...measures],
          statement: { ...statement, rule },
          facts,
          texts: works.map(({ text }) => text),
        },
      },
    ]
  }

/** Once: what was overturned stays so. */
export const overturnDecision =
  (given: string, through: Overturned['through'], by: string): DecisionDecide =>
  decision => {
    if (!decision) return decisionNotFound()
    if (decision.overturned) return []
    if (affectedBy(decision).includes(by))
      return refuse('own-case', 'It is about something of yours: somebody else has to decide.')
    const reason = readWords(given, { pointer: '/reason', max: FACTS_LENGTH, multiline: true })
    if (typeof reason !== 'string') return reason
    return [{ type: 'DecisionOverturned', data: { ...defined({ case: decision.case }), through, reason } }]
  }
