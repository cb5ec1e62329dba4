/**
 * The events of proposals. What people write is sealed under the proposal's own key: the changes, and every reason. Those that others fold by
 * people and languages carry whose they are and which language it is.
 */
import Type from 'typebox'
import { Change } from '../entry/places.ts'
import { type EventOf, eventType } from '../event.ts'
import { MOST_CHANGES } from './limits.ts'

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const revision = Type.String()
const sealed = { seal: 'document' as const }
const reason = Type.Optional(Type.String({ minLength: 1, ...sealed }))
const nothing = Type.Unsafe<Record<string, never>>(Type.Object({}, strict))
const pointers = Type.Array(id, { maxItems: MOST_CHANGES, description: 'Places, by pointers that hold no text.' })
const accounts = Type.Array(id)
const outcome = { entry: id, language: id, author: id }

export const verdicts = ['approve', 'reject'] as const
export type Verdict = (typeof verdicts)[number]
export const VerdictSchema = Type.Enum([...verdicts])

/** `base`: the revision of the entry that the changes were made of. `supersedes`: what its author asked for before. */
export const ChangeProposed = eventType(
  'ChangeProposed',
  Type.Object(
    {
      ...outcome,
      base: revision,
      touches: pointers,
      supersedes: Type.Optional(id),
      changes: Type.Array(Change, { minItems: 1, maxItems: MOST_CHANGES, ...sealed }),
      reason,
    },
    strict,
  ),
)
/** Somebody else proposed the same. */
export const ProposalSupported = eventType('ProposalSupported', Type.Object({ supporter: id }, strict))
/** `weight`: what the reviewer's word counted for in the language at that moment. */
export const ProposalReviewed = eventType(
  'ProposalReviewed',
  Type.Object({ reviewer: id, verdict: VerdictSchema, weight: Type.Number({ minimum: 0 }), reason }, strict),
)
export const ReviewWithdrawn = eventType('ReviewWithdrawn', Type.Object({ reviewer: id }, strict))
/** The entry says it, since its revision `revision`. `agreed`: who had approved. */
export const ProposalMerged = eventType(
  'ProposalMerged',
  Type.Object({ ...outcome, agreed: accounts, revision, by: id }, strict),
)
/** A merge came to nothing: at these places somebody had changed revision `revision` of the entry otherwise. */
export const ProposalConflicted = eventType('ProposalConflicted', Type.Object({ revision, where: pointers }, strict))
/** `by`: who decided alone; without, those who agreed did together. */
export const ProposalRejected = eventType(
  'ProposalRejected',
  Type.Object({ ...outcome, agreed: accounts, by: Type.Optional(id), reason }, strict),
)
export const ProposalWithdrawn = eventType('ProposalWithdrawn', nothing)
/** Its author asks for something else instead. */
export const ProposalSuperseded = eventType('ProposalSuperseded', Type.Object({ successor: id }, strict))
export const ProposalExpired = eventType('ProposalExpired', nothing)

export const closingGrounds = ['overtaken', 'entry-retired'] as const
/** There is nothing left to decide: the entry says it by somebody else's edit, or was retired. */
export const ProposalClosed = eventType(
  'ProposalClosed',
  Type.Object({ ground: Type.Enum([...closingGrounds]) }, strict),
)
/** What was merged was taken back, at the entry's revision `revision`. */
export const ProposalReverted = eventType(
  'ProposalReverted',
  Type.Object({ ...outcome, revision, by: id, reason }, strict),
)
/** Its text is gone, and the key that sealed it is destroyed because of it. */
export const ProposalRemoved = eventType(
  'ProposalRemoved',
  Type.Object({ ground: Type.Enum(['entry-removed', 'erasure']) }, strict),
)

export const proposalEvents = [
  ChangeProposed,
  ProposalSupported,
  ProposalReviewed,
  ReviewWithdrawn,
  ProposalMerged,
  ProposalConflicted,
  ProposalRejected,
  ProposalWithdrawn,
  ProposalSuperseded,
  ProposalExpired,
  ProposalClosed,
  ProposalReverted,
  ProposalRemoved,
] as const
export type ProposalEvent = EventOf<(typeof proposalEvents)[number]>
