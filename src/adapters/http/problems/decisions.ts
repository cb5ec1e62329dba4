/** The problems of decisions, and of appeals against them. */
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
  'appeal-exists': {
    status: 409,
    title: 'There is an appeal already',
    help: 'There is one appeal against a decision. What is to be said beside it is said in its dialogue.',
  },
  'appeal-not-found': { status: 404, title: 'No such appeal', help: 'Nobody has appealed against this decision.' },
  'appeal-not-yours': {
    status: 403,
    title: 'Not your appeal',
    help: 'Who filed an appeal answers in it.',
  },
  'appeal-too-late': {
    status: 409,
    title: 'Too late for an appeal',
    help: 'An appeal is filed within six months from when one was told of the decision, and against one that stands.',
  },
  'appeal-over': {
    status: 409,
    title: 'The appeal is over',
    help: 'It was decided, or closed: nothing more is said in it.',
  },
  'appeal-full': { status: 409, title: 'Nothing more is said', help: 'A dialogue has 40 messages at most: decide.' },
} as const satisfies Record<DecisionRefusal, Problem>

type DecisionProblems = typeof decisionProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends DecisionProblems {}
}
