/** The problems of entries and of reading them. */

import type { EntryRefusal } from '../../../domain/entry/refusals.ts'
import type { EntryQueryRefusal } from '../../../queries/entries.ts'
import type { Problem } from '../problem.ts'

export const dictionaryProblems = {
  'entry-exists': {
    status: 409,
    title: 'The entry exists',
    help: 'Language, lemma, part of speech and homograph identify an entry, and there is one with these already. The problem names it in entryId; a second word of the same spelling takes another homograph.',
  },
  'entry-not-found': {
    status: 404,
    title: 'No such entry',
    help: 'There is no entry with this id, or it is not visible to you.',
  },
  'entry-removed': {
    status: 410,
    title: 'The entry was removed',
    help: 'The text of this entry was removed for good, for privacy, copyright, law or abuse, and its identity is not used again: who drafts one is told the next free homograph in nextHomograph. Only those who may draft are told; to all others there is no such entry.',
  },
  'entry-gone': {
    status: 410,
    title: 'The entry was retired',
    help: 'This entry was retired. replacedBy names the entry that took its place, if there is one that is published.',
  },
  'entry-not-draft': { status: 409, title: 'Not a draft', help: 'Only a draft can be submitted or taken over.' },
  'entry-not-submitted': {
    status: 409,
    title: 'Not submitted',
    help: 'Only an entry that was submitted can be returned.',
  },
  'entry-not-published': { status: 409, title: 'Not published', help: 'Only a published entry can be retired.' },
  'entry-not-retired': { status: 409, title: 'Not retired', help: 'Only a retired entry can be restored.' },
  'entry-held': {
    status: 409,
    title: 'The entry is held back',
    help: 'A decision of a moderator holds the entry back: it is edited, and nothing else, until that is overturned.',
  },
  'entry-retired': {
    status: 409,
    title: 'The entry is retired',
    help: 'A retired entry is restored before anything else is done to it.',
  },
  'entry-not-stale': {
    status: 409,
    title: 'The draft is in use',
    help: 'A draft may be taken over once its author has left it alone for 30 days; an editor may do so at any time.',
  },
  'entry-incomplete': {
    status: 422,
    title: 'The entry is incomplete',
    help: 'An entry needs at least one sense before it is submitted or published.',
  },
  'entry-edited': {
    status: 409,
    title: 'The entry was edited',
    help: 'People have edited this entry since it was imported; the import keeps their text.',
  },
  'identity-fixed': {
    status: 422,
    title: 'The identity is fixed',
    help: 'Language, lemma, part of speech and homograph never change. Draft a new entry, then retire this one with replacedBy.',
  },
  'sense-unknown': {
    status: 422,
    title: 'Unknown sense',
    help: 'A sense has an id that this entry does not know. Leave the id out for a new sense.',
  },
  'sense-repeated': { status: 422, title: 'Repeated sense', help: 'The same sense id occurs twice.' },
  'revision-unknown': {
    status: 422,
    title: 'Unknown revision',
    help: 'The entry has no revision of this number. Its history lists those it has.',
  },
  'replacement-unknown': { status: 422, title: 'Unknown replacement', help: 'replacedBy names no entry.' },
  'day-unknown': { status: 404, title: 'No word of that day', help: 'No word was chosen for this language and date.' },
  'nothing-found': { status: 404, title: 'Nothing found', help: 'No published entry matches these filters.' },
  'as-of-invalid': {
    status: 400,
    title: 'Not a time to look back to',
    help: 'asOf is a time (RFC 3339) or a Sync-Token of the past.',
  },
  'pattern-invalid': {
    status: 400,
    title: 'The pattern has too many wildcards',
    help: 'A pattern has three wildcards at most.',
  },
  'pattern-too-broad': {
    status: 422,
    title: 'The pattern is too broad',
    help: 'A pattern has a literal letter as its first or its last character; *mid* would mean reading the whole dictionary.',
  },
} as const satisfies Record<EntryRefusal | EntryQueryRefusal, Problem>

type DictionaryProblems = typeof dictionaryProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends DictionaryProblems {}
}
