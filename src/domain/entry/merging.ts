/** What is decided on an entry for the sake of a proposal: what it asks for, its merge, and taking that back. */
import type { DecideOnEvents, Decision, EventsByRevision } from '../decider.ts'
import type { JsonObject } from '../event.ts'
import { sameJson } from '../json.ts'
import { type CommonRefusal, type Fault, isRefusal, type Refusal, refuse } from '../refusal.ts'
import { applyChange, type EntryContent, type EntryContentChange } from './content.ts'
import { contentChange, contentOf } from './content-rules.ts'
import { emptied } from './decisions.ts'
import type { Entry } from './entry.ts'
import type { EntryEvent } from './events.ts'
import { mergeContents } from './merge.ts'
import type { Three } from './merge-text.ts'
import { contentMembers, holdersOf, momentOf, standingAt } from './past.ts'
import { type Change, changed, type Overlap } from './places.ts'
import type { EntryRefusal } from './refusals.ts'
import { contentAt, type EntryState, entryAt, existing } from './state.ts'

/** What merging is refused for, beside what an edit is. */
export type MergeRefusal = 'proposal-conflicts'
type Refused = Refusal<EntryRefusal | MergeRefusal | CommonRefusal>

/** Whose proposal, and which. */
export type OfProposal = { readonly id: string; readonly author: string }

const unpublished = ({ status }: Entry): Refusal<EntryRefusal> =>
  refuse('entry-not-published', `Changes are proposed to what is published; this entry is ${status}.`)

/** The entry as it was at a revision that everybody could see, or why there is none. */
export const baseAt = (
  { entry, past }: EntryState,
  revision: number,
  events: EventsByRevision<EntryEvent>,
): Entry | Refusal<EntryRefusal> => {
  if (!entry) return refuse('entry-not-found', 'There is no such entry.')
  if (entry.removed) return refuse('entry-removed', 'The text of this entry was removed.')
  if (entry.status !== 'published') return unpublished(entry)
  const base =
    momentOf(past, revision) && standingAt(past, revision).status === 'published'
      ? entryAt(past, revision, events)
      : undefined
  const detail = `There is no revision ${revision} of it that was published.`
  return base ?? refuse('revision-unknown', detail, { errors: [{ pointer: '/base', code: 'unknown', detail }] })
}

/** The content that a merge patch asks for, by the rules of an edit. New senses get ids of `commandId`. */
export const askedFor = (
  base: Entry,
  patch: JsonObject,
  { id, revision, commandId }: { readonly id: string; readonly revision: string; readonly commandId: string },
): EntryContent | Refusal<EntryRefusal | CommonRefusal> => {
  const changes = contentChange(base, id, patch, commandId, revision)
  if (isRefusal(changes)) return changes
  const content = applyChange(base.content, changes)
  return emptied(base, content) ?? content
}

const WHERE = 'It was changed otherwise since.'
const faultOf = ({ pointer, ...sides }: Overlap): Fault => ({ pointer, code: 'overlap', detail: WHERE, ...sides })

const setTo = (from: EntryContent, to: EntryContent): EntryContentChange => {
  const differs = contentMembers.filter(member => !sameJson(from[member], to[member]))
  const set = { ...to, etymology: to.etymology ?? null }
  return Object.fromEntries(differs.map(member => [member, set[member]]))
}

/** An edit to what three sides come to, by the rules of one. */
const merged = (
  { status, content: theirs }: Entry,
  { base, ours }: Pick<Three<EntryContent>, 'base' | 'ours'>,
  proposal: OfProposal & { readonly act: 'merged' | 'reverted' },
): Decision<EntryEvent, EntryRefusal | MergeRefusal> => {
  const merge = mergeContents({ base, theirs, ours })
  if ('overlaps' in merge)
    return refuse('proposal-conflicts', 'Others have changed the same of this entry since.', {
      errors: merge.overlaps.map(faultOf),
    })
  // What each side may say, both together may not: lengths, and the size of the whole.
  const content = contentOf(merge.content, merge.content.senses, proposal.id)
  if (isRefusal(content)) return content
  const refused = emptied({ status, content: theirs }, content)
  if (refused) return refused
  const { id, author, act } = proposal
  const changes = setTo(theirs, content)
  return Object.keys(changes).length === 0
    ? []
    : [{ type: 'EntryEdited', data: { changes, proposal: { id, author, act } } }]
}

type Deciding = DecideOnEvents<EntryState, EntryEvent, EntryRefusal | MergeRefusal>

const standing =
  (then: (entry: Entry, state: EntryState) => ReturnType<typeof merged>): Deciding['decide'] =>
  state =>
    state.entry && !state.entry.removed && state.entry.status === 'published'
      ? then(state.entry, state)
      : existing(unpublished)(state)

const unknown = (revision: number): Refused => refuse('revision-unknown', `This entry has no revision ${revision}.`)

/** Merges into what stands what was asked for of the revision `base`. What it says already is not written again. */
export const mergeChanges = (base: number, changes: readonly Change[], proposal: OfProposal): Deciding => ({
  needs: ({ past }) => (momentOf(past, base) ? holdersOf(past, base) : []),
  decide: (current, events) =>
    standing((entry, { past }) => {
      const content = momentOf(past, base) && contentAt(past, base, events)
      if (!content) return unknown(base)
      return merged(entry, { base: content, ours: changed(content, changes) }, { ...proposal, act: 'merged' })
    })(current, events),
})

/** Takes back what the revision `at` merged, and nothing of what others changed since: from what it made to what stood before. */
export const undoChanges = (at: number, proposal: OfProposal): Deciding => ({
  needs: ({ past }) => (momentOf(past, at) ? [...holdersOf(past, at), ...holdersOf(past, at - 1)] : []),
  decide: (current, events) =>
    standing((entry, { past }) => {
      if (!momentOf(past, at) || at === 0) return unknown(at)
      const [base, ours] = [contentAt(past, at, events), contentAt(past, at - 1, events)]
      return base && ours ? merged(entry, { base, ours }, { ...proposal, act: 'reverted' }) : unknown(at)
    })(current, events),
})

/** What an entry says already of these changes, made of what it said at the base. */
export const saysAlready = (content: EntryContent, changes: readonly Change[]): boolean =>
  sameJson(changed(content, changes), content)
