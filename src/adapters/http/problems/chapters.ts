/** The problems of chapters. */

import type { ChapterRefusal } from '../../../domain/chapter/refusals.ts'
import type { Problem } from '../problem.ts'

export const chapterProblems = {
  'chapter-not-found': {
    status: 404,
    title: 'No such chapter',
    help: 'The story has no chapter of this id, or readers do not have it yet, or not any more. Its authors read it by its draft.',
  },
  'chapter-too-short': {
    status: 422,
    title: 'Too short to be published',
    help: 'A chapter has 10 characters at least before readers get it; a draft may be empty.',
  },
  'chapter-revision-unknown': {
    status: 404,
    title: 'No such revision',
    help: 'The history of the chapter has no revision of this number: it was purged with those before it, or never was one. The history lists those that there are.',
  },
  'chapters-busy': {
    status: 503,
    title: 'Too many chapters wait',
    help: 'Chapters whose text was not read of late wait for their HTML, more than can be made soon. Retry-After says when to ask again.',
    retryAfter: 5,
  },
  'markup-too-deep': {
    status: 422,
    title: 'The markup nests too deep',
    help: 'Quotes, lists, brackets and emphasis nest 100 levels deep at most, one within another.',
  },
  'saves-too-many': {
    status: 429,
    title: 'Saved too often',
    help: 'A draft is saved six times a minute at most. Retry-After says when the next time may be; keep the text until then.',
    retryAfter: 10,
  },
} as const satisfies Record<ChapterRefusal, Problem>

type ChapterProblems = typeof chapterProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends ChapterProblems {}
}
