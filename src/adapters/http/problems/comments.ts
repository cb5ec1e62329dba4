/** The problems of comments, and of whom one does not want to hear. */
import type { CommentRefusal } from '../../../domain/comment/refusals.ts'
import type { RelationRefusal } from '../../../domain/relation/relations.ts'
import type { Problem } from '../problem.ts'

export const commentProblems = {
  'comment-not-found': {
    status: 404,
    title: 'No such comment',
    help: 'There is no comment of this id, nothing is left of it, or what it is about is not for you to see.',
  },
  'comment-gone': {
    status: 409,
    title: 'The comment is gone',
    help: 'The comment was deleted, or is held back: it is neither answered nor quoted.',
  },
  'comment-fixed': {
    status: 409,
    title: 'The comment stands as it is',
    help: 'A comment may be edited for 24 hours, 50 times at most, and not once it was answered or is held back. It may always be deleted.',
  },
  'comment-unwanted': {
    status: 409,
    title: 'No comment from you here',
    help: 'You and somebody whose work or comment this is do not hear each other: nothing of yours is taken here.',
  },
  'text-refused': {
    status: 422,
    title: 'It is not taken as it is',
    help: 'What is looked at before others see it has refused the text: errors says which step, and why.',
  },
  'comments-not-open': {
    status: 409,
    title: 'Not open to comments',
    help: 'Comments are on what is published: on stories, their published chapters, and entries, and on none of their drafts.',
  },
  'comments-too-soon': {
    status: 429,
    title: 'Too many comments of a new account',
    help: 'In its first seven days an account posts three comments within fifteen minutes. Retry-After says when to come again.',
  },
  'quote-invalid': {
    status: 422,
    title: 'Not a part of a comment',
    help: 'A quote names a comment of the same thread that stands, one of its revisions, and from which code point to before which.',
  },
  'thread-closed': {
    status: 409,
    title: 'The thread is closed',
    help: 'Nothing more is said in it until it is reopened.',
  },
  'thread-frozen': {
    status: 409,
    title: 'The branch is frozen',
    help: 'Nothing more is said below this comment, and nothing that was said there is edited, until it is thawed.',
  },
  'thread-too-deep': {
    status: 409,
    title: 'The thread is too deep',
    help: 'Answers stand 50 deep at most: answer a comment further up.',
  },
  'relation-to-oneself': {
    status: 422,
    title: 'It is you',
    help: 'One neither blocks nor mutes oneself.',
  },
  'relations-full': {
    status: 409,
    title: 'The list is full',
    help: 'An account blocks 2,000 people at most, and mutes as many: let somebody go first.',
  },
} as const satisfies Record<CommentRefusal | RelationRefusal, Problem>

type CommentProblems = typeof commentProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends CommentProblems {}
}
