/** The problems of proposals. */
import type { ProposalRefusal } from '../../../domain/proposal/refusals.ts'
import type { Problem } from '../problem.ts'

export const proposalProblems = {
  'proposal-not-found': {
    status: 404,
    title: 'No such proposal',
    help: 'There is no proposal of this id, or the entry that it is about is not for you to see.',
  },
  'proposal-changes-nothing': {
    status: 422,
    title: 'The proposal changes nothing',
    help: 'The entry says already what you ask for, or the proposal that you change does.',
  },
  'proposal-too-large': {
    status: 422,
    title: 'The proposal is too large',
    help: 'A proposal changes 2,000 places of an entry at most: ask for less at a time.',
  },
  'proposal-decided': {
    status: 409,
    title: 'It was decided against',
    help: 'The same change of this entry was proposed before, and was rejected or taken back. Propose something else, or ask an editor.',
  },
  'proposal-closed': {
    status: 409,
    title: 'The proposal is no longer open',
    help: 'It was merged, rejected, withdrawn or superseded, its 90 days are over, or there is nothing left to decide: state says which.',
  },
  'proposal-removed': {
    status: 409,
    title: 'The text of the proposal was removed',
    help: 'What it asked for was removed for good, with the entry or with the account of who asked for it.',
  },
  'proposal-own': {
    status: 409,
    title: 'It is your own proposal',
    help: 'Nobody decides on what they asked for themselves, alone or with others: neither who proposed it, nor who proposed the same.',
  },
  'proposal-unreviewed': {
    status: 409,
    title: 'Not enough have approved',
    help: 'A proposal is merged once reviews of a weight of 2 together, of at least two people, approve of it, and weigh more than those against it; or by an editor of its language.',
  },
  'proposal-unwanted': {
    status: 409,
    title: 'No review from you here',
    help: 'You and who proposed this do not hear each other: nothing of yours is taken here.',
  },
  'proposal-full': {
    status: 409,
    title: 'The proposal has enough of them',
    help: 'A proposal has 100 reviews, and 100 supporters, at most.',
  },
  'proposal-not-merged': {
    status: 409,
    title: 'It was not merged',
    help: 'Only what was merged can be taken back.',
  },
  'proposal-conflicts': {
    status: 409,
    title: 'Others have changed the same',
    help: 'errors has for each place of the entry (pointer) what stood there when both began (base), what stands there now (theirs) and what is asked for (ours). Change the proposal on the revision of today.',
  },
  'proposals-too-soon': {
    status: 429,
    title: 'Too many proposals of a new account',
    help: 'In its first seven days an account proposes three changes within fifteen minutes. Retry-After says when to come again.',
  },
} as const satisfies Record<ProposalRefusal, Problem>

type ProposalProblems = typeof proposalProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends ProposalProblems {}
}
