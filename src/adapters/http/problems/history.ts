/** The problems of the history. */

import type { HistoryRefusal } from '../../../queries/history.ts'
import type { Problem } from '../problem.ts'

export const historyProblems = {
  'event-not-found': { status: 404, title: 'No such event', help: 'There is no event with this id.' },
  'stream-not-found': {
    status: 404,
    title: 'No such stream',
    help: 'There is no stream of this name. Streams are named <category>-<id>, such as entry-501a48e3-b4ec-5dec-be9f-e904d6447fe3.',
  },
} as const satisfies Record<HistoryRefusal, Problem>

type HistoryProblems = typeof historyProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends HistoryProblems {}
}
