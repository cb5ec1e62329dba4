/** The problems of stories and series. */

import type { StoryRefusal } from '../../../domain/story/refusals.ts'
import type { SeriesRefusal } from '../../../domain/story/series.ts'
import type { Problem } from '../problem.ts'

export const storyProblems = {
  'story-not-found': {
    status: 404,
    title: 'No such story',
    help: 'There is no story with this id, or it is not visible to you.',
  },
  'story-incomplete': {
    status: 422,
    title: 'The story has nothing to show',
    help: 'A story has at least one published chapter before it is published, at once or at a time that is planned.',
  },
  'story-published': {
    status: 409,
    title: 'The story is published',
    help: 'A publication is planned for a story that is not published: unpublish it first.',
  },
  'story-not-published': {
    status: 409,
    title: 'The story is not published',
    help: 'Its only author may orphan a story that others can see. One that nobody could ever see is published first, or deleted.',
  },
  'story-held': {
    status: 409,
    title: 'The story is held back',
    help: 'A decision of a moderator holds it back. It says why, and how to appeal, at /v1/me/decisions; the story is shown again once it is overturned.',
  },
  'schedule-invalid': {
    status: 422,
    title: 'Not a time to publish at',
    help: 'at is a time to come by the clock of timeZone, such as 2026-12-24T18:00, and timeZone one of the IANA table, such as Europe/Madrid. A time that clocks are put forward over is none.',
  },
  'chapter-unknown': { status: 404, title: 'No such chapter', help: 'The story has no chapter with this id.' },
  'chapter-order-invalid': {
    status: 422,
    title: 'Not an order of the chapters',
    help: 'An order names every chapter of the story once, drafts too. Read the table of contents again: a chapter may have come or gone since.',
  },
  'chapters-full': { status: 409, title: 'No more chapters', help: 'A story has 1,000 chapters at most.' },
  'last-chapter': {
    status: 409,
    title: 'The only published chapter',
    help: 'A story that is published, or about to be, keeps one published chapter at least. Unpublish the story first, or delete it.',
  },
  'authors-full': {
    status: 409,
    title: 'No more authors',
    help: 'A story has 50 authors at most, those who are invited among them.',
  },
  'last-author': {
    status: 409,
    title: 'The only author',
    help: 'Somebody has to stay. Orphan the story, so that it goes on without your name, or delete it.',
  },
  'invitee-unknown': {
    status: 422,
    title: 'Nobody to invite',
    help: 'There is no account of this id that could be invited, or it is your own.',
  },
  'invitation-not-found': {
    status: 404,
    title: 'No such invitation',
    help: 'You are not invited to a story of this id: you were not, or the invitation was withdrawn or answered.',
  },
  'adult-content': {
    status: 403,
    title: 'For adults',
    help: 'The story is for adults. Ask again with adult=true, or say in your preferences that such stories are shown to you.',
  },
  'series-not-found': {
    status: 404,
    title: 'No such series',
    help: 'There is no series with this id, or it is not visible to you; only who made it may change it.',
  },
  'series-order-invalid': {
    status: 422,
    title: 'Not the stories of a series',
    help: 'A series has up to 1,000 stories, each once, and you are an author of each that you add.',
  },
} as const satisfies Record<StoryRefusal | SeriesRefusal, Problem>

type StoryProblems = typeof storyProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends StoryProblems {}
}
