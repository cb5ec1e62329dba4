/** The problems of decisions. */
import type { DecisionRefusal } from '../../../domain/moderation/decision-refusals.ts'
import type { Problem } from '../problem.ts'

export const decisionProblems = {
  'decision-not-found': {
    status: 404,
    title: 'No such decision',
    help: 'There is no decision of this id, or it is about nothing of yours.',
  },
  'decision-invalid': {
    status: 422,
    title: 'Not a decision that can be taken',
    help: 'A decision names one measure at least, each once, and each on something that it is taken on: errors says which one is not.',
  },
  'moderated-not-found': {
    status: 404,
    title: 'Nothing to decide about',
    help: 'There never was such a thing, or nobody but its authors has ever seen it.',
  },
  'moderated-gone': {
    status: 409,
    title: 'It is gone already',
    help: 'Its author has deleted it, or it was removed: there is nothing left to be decided about.',
  },
  'own-case': {
    status: 403,
    title: 'It is your own',
    help: 'Nobody decides about what is their own, nor twice about the same thing: another moderator has to.',
  },
} as const satisfies Record<DecisionRefusal, Problem>

type DecisionProblems = typeof decisionProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends DecisionProblems {}
}
