/** A case: one thing that is to be judged, however many have reported it. It is closed by a judgement, and opened again by what is new. */
import type { Aggregate } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { type CaseEnd, type CaseEvent, type CaseSource, caseEvents } from './case-events.ts'
import type { ReportCategory } from './report-events.ts'
import { type Moderated, type ModeratedKind, moderatedKey } from './target.ts'

// Stream

export const caseCategory = 'case'
/** `comment-<id>`: a case is known by what it is about. */
export const caseKeyOf = moderatedKey
export const caseStream = (key: string): string => streamName(caseCategory, key)
export const caseIdOf = ({ stream }: { readonly stream: string }): string => stream.slice(caseCategory.length + 1)

// Events: src/domain/moderation/case-events.ts

// Fold

export type Claim = { readonly by: string; readonly at: string; readonly until: string }
export type CaseClosure = {
  readonly because: CaseEnd
  readonly at: string
  /** A digest of what was judged. */
  readonly said?: string
  readonly by?: string
  readonly decision?: string
  readonly reason?: string
}

/**
 * `round` counts from 1. `revision`: the last that was reported in it. `weight`: the sum of its reports'. `holds`: automated decisions that hold it back.
 * `closure`: of the last round that ended. `categories`: what it was reported for in this round.
 */
export type Case = {
  readonly target: Moderated
  readonly round: number
  readonly isOpen: boolean
  readonly source: CaseSource
  readonly authors: readonly string[]
  readonly openedAt: string
  readonly revision: string
  readonly language?: string
  readonly step?: string
  readonly reports: number
  readonly weight: number
  readonly categories: readonly ReportCategory[]
  readonly holds: readonly string[]
  readonly claim?: Claim
  readonly closure?: CaseClosure
}
export type CaseState = Case | undefined

const opened = (
  event: Recorded<Extract<CaseEvent, { type: 'CaseOpened' }>>,
  closure: CaseClosure | undefined,
): Case => {
  const { target, round, source, authors, revision, language, step } = event.data
  return {
    target,
    round,
    isOpen: true,
    source,
    authors,
    openedAt: event.meta.at,
    revision,
    ...defined({ language, step }),
    reports: 0,
    weight: 0,
    categories: [],
    holds: [],
    ...defined({ closure }),
  }
}

const unclaimed = ({ claim: _, ...known }: Case): Case => known

const closureOf = (event: Recorded<Extract<CaseEvent, { type: 'CaseClosed' }>>): CaseClosure => {
  const { because, said, by, decision, reason } = event.data
  return {
    because,
    at: event.meta.at,
    ...defined({ by, decision }),
    ...(event.removed ? {} : defined({ said, reason })),
  }
}

/** The case after the event. An event that cannot follow leaves it as it is; nothing throws. */
export const evolveCase = (known: CaseState, event: Recorded<CaseEvent>): CaseState => {
  if (event.type === 'CaseOpened') return opened(event, known?.closure)
  if (!known) return undefined
  switch (event.type) {
    case 'CaseReported': {
      const { category, revision, weight } = event.data
      return {
        ...known,
        reports: known.reports + 1,
        // Hundredths, of which a sum of binary fractions is none.
        weight: Math.round(100 * (known.weight + weight)) / 100,
        categories: known.categories.includes(category) ? known.categories : [...known.categories, category],
        revision,
      }
    }
    case 'CaseHeld':
      return known.holds.includes(event.data.decision)
        ? known
        : { ...known, holds: [...known.holds, event.data.decision] }
    case 'CaseClaimed':
      return { ...known, claim: { by: event.data.by, at: event.meta.at, until: event.data.until } }
    case 'CaseAssigned':
      return { ...known, claim: { by: event.data.to, at: event.meta.at, until: event.data.until } }
    case 'CaseReleased':
      return unclaimed(known)
    case 'CaseClosed':
      return { ...unclaimed(known), isOpen: false, holds: [], closure: closureOf(event) }
    default:
      return known
  }
}

export const caseAggregate: Aggregate<CaseState, CaseEvent> = {
  category: caseCategory,
  events: caseEvents,
  initial: undefined,
  evolve: evolveCase,
  route: known => ({
    visibility: 'owner',
    ...defined({ owner: known?.claim?.by }),
    ...defined({ language: known?.language }),
  }),
  isAskedForByAnybody: true,
}

/** What many see, or a person is, waits less than one comment. */
const kindWeights: Readonly<Record<ModeratedKind, number>> = { account: 2, story: 2, chapter: 1, entry: 1, comment: 0 }
const urgent: ReadonlySet<ReportCategory> = new Set(['minors', 'self-harm', 'violence'])
const URGENT = 10

/** Where it stands in the queue, the highest first: what its reports weigh, what it is, and what it is said to be. */
export const priorityOf = ({ weight, target, categories }: Pick<Case, 'weight' | 'target' | 'categories'>): number =>
  Math.round(100 * (weight + kindWeights[target.kind] + (categories.some(each => urgent.has(each)) ? URGENT : 0))) / 100

/** Is the claim still one at that time? */
export const isHeldBy = (claim: Claim | undefined, now: Date): claim is Claim =>
  claim !== undefined && now.getTime() < Date.parse(claim.until)

// Decide: src/domain/moderation/case-decisions.ts
