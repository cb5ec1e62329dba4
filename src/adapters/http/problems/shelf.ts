/** The problems of shelves and reading lists. */
import type { ReadingListRefusal } from '../../../domain/shelf/reading-list.ts'
import type { ShelfRefusal } from '../../../domain/shelf/shelf.ts'
import type { Problem } from '../problem.ts'

export const shelfProblems = {
  'shelf-full': {
    status: 409,
    title: 'The shelf is full',
    help: 'An account keeps some 16,000 bookmarks, as many subscriptions and as many marks of progress; they are kept in sixteen parts, and one of them is full. Take something away first.',
  },
  'progress-too-soon': {
    status: 429,
    title: 'Marked less than a minute ago',
    help: 'How far you are in a story is marked once a minute. Retry-After says when to come again; the last mark stands until then.',
  },
  'reading-list-not-found': {
    status: 404,
    title: 'No such reading list',
    help: 'There is no reading list of this id, it is private to somebody else, or it is not yours to change.',
  },
  'reading-list-invalid': {
    status: 422,
    title: 'Not an order of stories',
    help: 'A reading list has stories that you may see, each once, 500 at most.',
  },
} as const satisfies Record<ShelfRefusal | ReadingListRefusal, Problem>

type ShelfProblems = typeof shelfProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends ShelfProblems {}
}
