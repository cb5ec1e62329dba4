/**
 * An appeal against a decision: one a decision, by somebody whom it affects, decided by another person than who took it
 * (Regulation (EU) 2022/2065, Article 20).
 */
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { type CommonRefusal, type Refusal, refuse } from '../refusal.ts'
import { type AppealEvent, appealEvents, type appealOutcomes, MESSAGE_LENGTH } from './appeal-events.ts'
import { affectedBy, type Decision, decisionNotFound, readWords } from './decision.ts'
import type { DecisionRefusal } from './decision-refusals.ts'

// Stream

export const appealCategory = 'appeal'
/** By the decision, so that there is one. */
export const appealStream = (decision: string): string => streamName(appealCategory, decision)
/** The id of the decision that it is against, from the name of its stream. */
export const appealedIn = ({ stream }: { readonly stream: string }): string => stream.slice(appealCategory.length + 1)

// Fold

export type Outcome = (typeof appealOutcomes)[number]
/** `from`: who appeals, or a moderator. `text` is absent once it was removed. `at` is RFC 3339. */
export type Message = { readonly from: 'author' | 'moderator'; readonly at: string; readonly text?: string }

/** `messages`: what was filed first. `isClosed`: nobody is left who appeals. */
export type Appeal = {
  readonly accountId: string
  readonly filedAt: string
  readonly messages: readonly Message[]
  readonly outcome?: { readonly outcome: Outcome; readonly by: string; readonly at: string; readonly reason?: string }
  readonly isClosed: boolean
}
export type AppealState = Appeal | undefined

const messageOf = (
  from: Message['from'],
  event: Recorded<Exclude<AppealEvent, { type: 'AppealClosed' }>>,
): Message => ({
  from,
  at: event.meta.at,
  ...defined({ text: event.removed ? undefined : event.data.message }),
})

const withoutReason = ({ reason: _, ...outcome }: NonNullable<Appeal['outcome']>) => outcome

const evolveAppeal = (appeal: AppealState, event: Recorded<AppealEvent>): AppealState => {
  const { at, actor } = event.meta
  if (event.type === 'AppealFiled') {
    const { accountId } = event.data
    return appeal ?? { accountId, filedAt: at, messages: [messageOf('author', event)], isClosed: false }
  }
  if (!appeal) return undefined
  switch (event.type) {
    case 'AppealQuestionAsked':
      return { ...appeal, messages: [...appeal.messages, messageOf('moderator', event)] }
    case 'AppealQuestionAnswered':
      return { ...appeal, messages: [...appeal.messages, messageOf('author', event)] }
    case 'AppealDecided': {
      const { outcome, message } = event.data
      const reason = event.removed ? undefined : message
      return { ...appeal, outcome: { outcome, by: actor.id, at, ...defined({ reason }) } }
    }
    case 'AppealClosed': {
      const { outcome, ...rest } = appeal
      const messages = appeal.messages.map(({ from, at: said }) => ({ from, at: said }))
      return { ...rest, messages, isClosed: true, ...defined({ outcome: outcome && withoutReason(outcome) }) }
    }
  }
}

export const appealAggregate: Aggregate<AppealState, AppealEvent> = {
  category: appealCategory,
  events: appealEvents,
  initial: undefined,
  evolve: evolveAppeal,
  route: appeal => ({ visibility: 'owner', ...defined({ owner: appeal?.accountId }) }),
  isRemoved: appeal => appeal?.isClosed === true,
  isAskedForByAnybody: true,
}

/** Is it still to be decided? */
export const isOpenAppeal = ({ outcome, isClosed }: Pick<Appeal, 'outcome' | 'isClosed'>): boolean =>
  !isClosed && outcome === undefined

const WINDOW_MONTHS = 6

/** Until when one appeals who was told at `givenAt` (both RFC 3339): six months. */
export const appealUntil = (givenAt: string): string => {
  const until = new Date(givenAt)
  until.setUTCMonth(until.getUTCMonth() + WINDOW_MONTHS)
  return until.toISOString()
}

// Decide

type AppealDecide = Decide<AppealState, AppealEvent, DecisionRefusal>
type Refused = Refusal<DecisionRefusal | CommonRefusal>

/** A decision with its id. `givenAt`: when who appeals was told of it; absent: not yet. */
export type Against = { readonly id: string; readonly decision: Decision; readonly givenAt?: string }

const wordsOf = (given: string): string | Refused =>
  readWords(given, { pointer: '/message', max: MESSAGE_LENGTH, multiline: true })

/** Files it. A decision about nothing of theirs is not there for them. */
export const fileAppeal =
  ({ id, decision, givenAt }: Against, given: string, by: { readonly id: string; readonly now: Date }): AppealDecide =>
  appeal => {
    if (!affectedBy(decision).includes(by.id)) return decisionNotFound()
    if (appeal) return refuse('appeal-exists', 'There is an appeal against this decision.')
    if (decision.overturned) return refuse('appeal-too-late', 'The decision was overturned already.')
    if (givenAt !== undefined && by.now.getTime() > Date.parse(appealUntil(givenAt)))
      return refuse('appeal-too-late', `One could appeal until ${appealUntil(givenAt)}.`)
    const message = wordsOf(given)
    if (typeof message !== 'string') return message
    return [{ type: 'AppealFiled', data: { decision: id, accountId: by.id, message } }]
  }

const MOST_MESSAGES = 40

const onOpen =
  (given: string, then: (appeal: Appeal, message: string) => readonly AppealEvent[] | Refused): AppealDecide =>
  appeal => {
    if (!appeal) return refuse('appeal-not-found', 'There is no appeal against this decision.')
    if (!isOpenAppeal(appeal)) return refuse('appeal-over', 'The appeal was decided, or closed.')
    const message = wordsOf(given)
    return typeof message === 'string' ? then(appeal, message) : message
  }

const isFull = ({ messages }: Appeal): Refused | undefined =>
  messages.length < MOST_MESSAGES
    ? undefined
    : refuse('appeal-full', `A dialogue has ${MOST_MESSAGES} messages at most.`)

/** Nobody judges what they have decided, nor what is their own. */
const partial = ({ decision }: Against, by: string): Refused | undefined =>
  decision.by === by || affectedBy(decision).includes(by)
    ? refuse('own-case', 'You took this decision, or it is about something of yours: another moderator has to.')
    : undefined

export const askInAppeal = (against: Against, given: string, by: string): AppealDecide =>
  onOpen(
    given,
    (appeal, message) =>
      partial(against, by) ??
      isFull(appeal) ?? [
        { type: 'AppealQuestionAsked', data: { decision: against.id, accountId: appeal.accountId, message } },
      ],
  )

export const answerInAppeal = (decision: string, given: string, by: string): AppealDecide =>
  onOpen(given, (appeal, message) => {
    if (appeal.accountId !== by) return refuse('appeal-not-yours', 'Who filed the appeal answers in it.')
    return (
      isFull(appeal) ?? [{ type: 'AppealQuestionAnswered', data: { decision, accountId: appeal.accountId, message } }]
    )
  })

export const decideAppeal = (
  against: Against,
  { outcome, message: given }: { readonly outcome: Outcome; readonly message: string },
  by: string,
): AppealDecide =>
  onOpen(
    given,
    (appeal, message) =>
      partial(against, by) ?? [
        { type: 'AppealDecided', data: { decision: against.id, accountId: appeal.accountId, outcome, message } },
      ],
  )

/** With the account of who filed it, also where it was decided. Repeating it is harmless. */
export const closeAppealOf =
  (accountId: string, decision: string): Decide<AppealState, AppealEvent, never> =>
  appeal =>
    !appeal || appeal.isClosed || appeal.accountId !== accountId
      ? []
      : [{ type: 'AppealClosed', data: { decision, accountId, ground: 'erasure' } }]
