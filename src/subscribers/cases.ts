/**
 * From reports to cases, and from their ends back to whoever reported. A report and its case are two streams: the case hears of the report from the log, by a
 * command whose id follows from the event, so that a process that ends in between leaves nothing out and nothing is counted twice.
 */
import { digestOf } from '../commands/cases.ts'
import { type DecisionDeps, overturnDecision, takeDecision } from '../commands/decisions.ts'
import type { Log } from '../core/log/log.ts'
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Accepted, Envelope, Result, Transactor } from '../core/write/transact.ts'
import { accountCategory } from '../domain/account/account.ts'
import { AccountErased } from '../domain/account/erasure-events.ts'
import { commentCategory } from '../domain/comment/comment.ts'
import { CommentHeld } from '../domain/comment/events.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId, begunId, idOf, stepId } from '../domain/ids.ts'
import { type CaseState, caseCategory, caseKeyOf, caseStream } from '../domain/moderation/case.ts'
import * as decide from '../domain/moderation/case-decisions.ts'
import { CaseClosed, type CaseEvent, CaseOpened, CaseReported } from '../domain/moderation/case-events.ts'
import { decisionCategory, decisionIdOf, decisionStream } from '../domain/moderation/decision.ts'
import { DecisionTaken } from '../domain/moderation/decision-events.ts'
import { isTakenOn } from '../domain/moderation/measures.ts'
import { pipelineCommand } from '../domain/moderation/pipeline.ts'
import {
  type Report,
  type ReportState,
  reportCategory,
  reportIdOf,
  reportStream,
  tellOutcome,
} from '../domain/moderation/report.ts'
import {
  type ReportCategory,
  type ReportEvent,
  ReportFiled,
  type ReportOutcome,
} from '../domain/moderation/report-events.ts'
import type { Category } from '../domain/moderation/statement.ts'
import { type Moderated, moderatedKey } from '../domain/moderation/target.ts'
import { isRefusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'

export type CaseSubscriberDeps = DecisionDeps & {
  readonly cases: Pick<Transactor<CaseState, CaseEvent>, 'load' | 'run'>
  readonly reports: Pick<Transactor<ReportState, ReportEvent>, 'load' | 'run'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
  readonly clock: Pick<Clock, 'now'>
  /** What is reported by so much is hidden until a moderator has looked; 0: nothing is. */
  readonly hideWeight: number
}

const AUTOMATION = 'reports'
const automatic = { kind: 'system', id: actorId('system', AUTOMATION) } as const

/** What the statement of reasons calls what reporters call so. */
const categoryOf: Readonly<Record<ReportCategory, Category>> = {
  spam: 'scams-and-fraud',
  harassment: 'cyber-violence',
  hate: 'illegal-or-harmful-speech',
  violence: 'violence',
  'self-harm': 'self-harm',
  sexual: 'other-violation',
  minors: 'protection-of-minors',
  privacy: 'data-protection',
  'intellectual-property': 'intellectual-property',
  misleading: 'consumer-information',
  illegal: 'illegal-or-harmful-speech',
  other: 'other-violation',
}

const must = <State>(result: Result<State>, what: string): Accepted<State> => {
  if (isRefusal(result)) throw new Error(`${what}: ${result.refused}`)
  return result
}

const envelopeFor = ({ clock }: Pick<CaseSubscriberDeps, 'clock'>, { id, meta }: Recorded, step: string): Envelope => ({
  commandId: stepId(id, step),
  actor: automatic,
  correlationId: meta.correlationId,
  at: clock.now(),
})

const outcomes = { decision: 'upheld', dismissed: 'dismissed', gone: 'gone' } as const satisfies Record<
  NonNullable<NonNullable<CaseState>['closure']>['because'],
  ReportOutcome
>

/** Ends an automated decision, whose measures are then taken back by whoever carries decisions out. */
const letGo = async (deps: CaseSubscriberDeps, decision: string, event: Recorded): Promise<void> => {
  const overturning = { id: decision, reason: 'A moderator has looked at it.', through: 'moderator' } as const
  const done = await overturnDecision(deps, overturning, envelopeFor(deps, event, `let go ${decision}`))
  if (isRefusal(done) && done.refused !== 'decision-not-found') throw new Error(`it was not let go: ${done.refused}`)
}

/** By an automated decision, once a round, until a moderator has looked. */
const hide = async (deps: CaseSubscriberDeps, target: Moderated, event: Recorded): Promise<void> => {
  const stream = caseStream(caseKeyOf(target))
  const { state: known } = await deps.cases.load(stream)
  const isDue = known?.isOpen === true && known.holds.length === 0 && known.weight >= deps.hideWeight
  if (!isDue || deps.hideWeight === 0 || !isTakenOn('hide', target.kind)) return
  const [category = 'other'] = known.categories
  const envelope = envelopeFor(deps, event, 'hide')
  const commandId = stepId(target.id, `hide ${caseKeyOf(target)} ${known.round}`)
  const taken = await takeDecision(
    deps,
    { automation: AUTOMATION },
    {
      measures: [{ measure: 'hide', target }],
      statement: {
        category: categoryOf[category],
        rule: 'Reported by several people',
        ground: 'terms',
        source: 'report',
        automation: 'fully',
      },
      facts: `It was reported ${known.reports} times, and is hidden until a moderator has looked at it.`,
    },
    { ...envelope, commandId },
  )
  // Gone meanwhile: there is nothing to hide.
  if (isRefusal(taken)) {
    if (taken.refused === 'moderated-gone' || taken.refused === 'moderated-not-found') return
    throw new Error(`it was not hidden: ${taken.refused}`)
  }
  const decision = begunId('decision', commandId)
  const noted = must(await deps.cases.run(stream, decide.noteHold(decision), envelope), 'the case was not told')
  // A moderator has closed it in between.
  if (!noted.state?.holds.includes(decision)) await letGo(deps, decision, event)
}

const tell = async (
  deps: CaseSubscriberDeps,
  { report, round, outcome }: { readonly report: string; readonly round: number; readonly outcome: ReportOutcome },
  event: Recorded,
): Promise<void> => {
  const telling = tellOutcome(round, outcome)
  must(
    await deps.reports.run(reportStream(report), telling, envelopeFor(deps, event, `tell ${report}`)),
    'nobody was told',
  )
}

/** Which filing of the report the event is, from 1. */
const filingAt = ({ filings }: Report, { meta }: Recorded): number => filings.findIndex(({ at }) => at === meta.at) + 1

export const reportedCasesSubscriber = (deps: CaseSubscriberDeps): Subscriber => {
  const take = async (event: Recorded): Promise<void> => {
    const report = reportIdOf(event)
    const { state } = await deps.reports.load(event.stream)
    const at = state ? filingAt(state, event) : 0
    const filing = state?.filings[at - 1]
    if (!state || !filing) return
    const work = await deps.works(state.target)
    if (!work) return
    const { category, weight, revision, evidence } = filing
    const said = evidence?.text === undefined ? {} : { said: digestOf(evidence.text) }
    const reporting = { ...work, revision, report, filings: at, category, weight, ...said }
    const stream = caseStream(caseKeyOf(state.target))
    const envelope = envelopeFor(deps, event, 'case')
    const done = must(await deps.cases.run(stream, decide.reportCase(reporting), envelope), 'the case was not told')
    const known = done.state
    if (known?.isOpen) return hide(deps, state.target, event)
    // What was judged as it stands is not judged again.
    if (known?.closure)
      await tell(deps, { report, round: known.round, outcome: outcomes[known.closure.because] }, event)
  }
  return subscriber({
    name: 'reported-cases',
    categories: [reportCategory],
    types: [ReportFiled.type],
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        await take(event)
      }
    },
  })
}

const isCaseClosed = (event: Recorded): event is Recorded<Extract<CaseEvent, { type: 'CaseClosed' }>> =>
  event.type === CaseClosed.type

/** Whoever reported is told how it ended, and what was held back automatically is let go. */
export const closedCasesSubscriber = (deps: CaseSubscriberDeps): Subscriber => {
  const reportsOf = async (stream: string, round: number): Promise<ReadonlySet<string>> => {
    const found = new Set<string>()
    for await (const page of deps.log.readStream(stream))
      for (const { type, data } of page)
        if (type === CaseReported.type && data['round'] === round) found.add(String(data['report']))
    return found
  }
  return subscriber({
    name: 'closed-cases',
    categories: [caseCategory],
    types: [CaseClosed.type],
    attempts: 20,
    timeoutMs: 10 * 60_000,
    handle: async (events, signal) => {
      for (const event of events) {
        if (!isCaseClosed(event)) continue
        const { round, because, holds } = event.data
        for (const decision of holds) await letGo(deps, decision, event)
        for (const report of await reportsOf(event.stream, round)) {
          signal.throwIfAborted()
          await tell(deps, { report, round, outcome: outcomes[because] }, event)
        }
      }
    },
  })
}

/** A decision ends the case that it names, and the end of an account those of what is gone with it. */
export const settledCasesSubscriber = (deps: CaseSubscriberDeps): Subscriber => {
  const settle = async (event: Recorded): Promise<void> => {
    const key = event.data['case']
    if (typeof key !== 'string') return
    const stream = caseStream(key)
    const { state: known } = await deps.cases.load(stream)
    const { state: decision } = await deps.decisions.load(decisionStream(decisionIdOf(event)))
    if (!known || !decision) return
    // What was decided about is what was judged.
    const at = decision.about.findIndex(({ target }) => moderatedKey(target) === key)
    const text = decision.texts?.[at] ?? (await deps.works(known.target))?.text ?? ''
    const settled = { id: decisionIdOf(event), by: decision.by, said: digestOf(text) }
    must(await deps.cases.run(stream, decide.settleCase(settled), envelopeFor(deps, event, 'settle')), 'not settled')
  }
  /** From the log itself, since a read model may not have all of them yet; none is older than the account. */
  async function* openedSince(stream: string): AsyncGenerator<Recorded> {
    for await (const [first] of deps.log.readStream(stream, { limit: 1 })) {
      if (first)
        for await (const { events } of deps.log.readFrom(first.position, { types: [CaseOpened.type] })) yield* events
      return
    }
  }
  const end = async (event: Recorded): Promise<void> => {
    const account = idOf(event.stream)
    const about = new Set<string>()
    for await (const { stream, data } of openedSince(event.stream))
      if (Array.isArray(data['authors']) && data['authors'].includes(account)) about.add(stream)
    for (const stream of about) {
      const { state: known } = await deps.cases.load(stream)
      const work = known?.isOpen ? await deps.works(known.target) : undefined
      if (work && !work.isGone) continue
      must(await deps.cases.run(stream, decide.endGoneCase, envelopeFor(deps, event, `end ${stream}`)), 'not ended')
    }
  }
  return subscriber({
    name: 'settled-cases',
    categories: [decisionCategory, accountCategory],
    types: [DecisionTaken.type, AccountErased.type],
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        await (event.type === DecisionTaken.type ? settle(event) : end(event))
      }
    },
  })
}

const PIPELINE = 'pipeline'

/** What the pipeline held as it was written has its decision and its case: what holds it says so to its author, and a moderator lets it go or not. */
export const heldCommentsSubscriber = (deps: CaseSubscriberDeps): Subscriber => {
  const decideOn = async (event: Recorded, step: string): Promise<void> => {
    const target = { kind: 'comment', id: idOf(event.stream) } as const
    const envelope = envelopeFor(deps, event, PIPELINE)
    const statement = {
      category: 'other-violation',
      ground: 'terms',
      source: 'own-initiative',
      automation: 'fully',
    } as const
    const taken = await takeDecision(
      deps,
      { automation: PIPELINE },
      {
        measures: [{ measure: 'hide', target }],
        statement: { ...statement, rule: `Looked at before others see it: ${step}` },
        facts: 'It waits until a moderator has looked at it.',
      },
      { ...envelope, commandId: pipelineCommand(event.meta.commandId) },
    )
    if (isRefusal(taken)) {
      if (taken.refused === 'moderated-gone') return
      throw new Error(`what is held has no decision: ${taken.refused}`)
    }
    const work = await deps.works(target)
    if (!work) return
    const stream = caseStream(caseKeyOf(target))
    must(
      await deps.cases.run(stream, decide.openCase(work, { source: 'pipeline', step }), envelope),
      'there is no case of what is held',
    )
    const decision = decisionIdOf(taken)
    const noted = await deps.cases.run(stream, decide.noteHold(decision), envelopeFor(deps, event, 'hold'))
    // A moderator has closed it in between.
    if (!must(noted, 'the case was not told').state?.holds.includes(decision)) await letGo(deps, decision, event)
  }
  return subscriber({
    name: 'held-comments',
    categories: [commentCategory],
    types: [CommentHeld.type],
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        const { step } = event.data
        if (typeof step === 'string') await decideOn(event, step)
      }
    },
  })
}
