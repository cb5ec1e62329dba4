/** The problems of reports, and of the cases that come of them. */
import type { CaseRefusal, ReportRefusal } from '../../../domain/moderation/report-refusals.ts'
import type { Problem } from '../problem.ts'

export const reportProblems = {
  'report-not-possible': {
    status: 409,
    title: 'Nothing that you may report',
    help: 'What is yours you may edit or delete; nobody reports themselves.',
  },
  'report-repeated': {
    status: 409,
    title: 'You have reported it',
    help: 'You have reported it as it stands. A day later, or when it says something else, you may report it again.',
  },
  'reports-too-many': {
    status: 429,
    title: 'Too many reports',
    help: 'An account reports so much within a day, and so much of what one person wrote. Retry-After says when to come again.',
  },
  'case-not-found': { status: 404, title: 'No such case', help: 'There is no case of this id.' },
  'case-closed': {
    status: 409,
    title: 'The case is closed',
    help: 'It was judged. It is opened again when what it is about says something else and is reported.',
  },
  'case-claimed': {
    status: 409,
    title: 'Somebody else has claimed it',
    help: 'Another moderator looks at it until the time that is told, or until they give it back.',
  },
  'case-own': {
    status: 403,
    title: 'Your own case',
    help: 'You wrote what it is about, or have reported it: another moderator judges it.',
  },
  'moderator-unknown': {
    status: 422,
    title: 'No such moderator',
    help: 'A case is assigned to an account that is a moderator now.',
  },
} as const satisfies Record<ReportRefusal | CaseRefusal, Problem>

type ReportProblems = typeof reportProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends ReportProblems {}
}
