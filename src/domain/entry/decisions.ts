/** What people and imports may do to an entry. Authorisation on the entry itself (whose draft it is) is decided here. */

import type { By, DecideOnEvents, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import type { JsonObject } from '../event.ts'
import type { EntryIdentity } from '../ids.ts'
import { sameJson } from '../json.ts'
import { type CommonRefusal, isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { EntryContent } from './content.ts'
import { checkReason, contentChange, contentOf, type EntryInput } from './content-rules.ts'
import { derivedFault } from './derived.ts'
import type { Entry } from './entry.ts'
import type { EntryEvent, redactionGrounds } from './events.ts'
import { holdersOf, latestOf, momentOf } from './past.ts'
import type { EntryRefusal } from './refusals.ts'
import { contentAt, type EntryState, existing } from './state.ts'

/** A draft that its author has not touched for so long may be taken over by another contributor. */
export const STALE_DRAFT_MS = 30 * 24 * 60 * 60 * 1000

const isAuthor = (entry: Entry, by: By): boolean => entry.author === by.id
const denied = (detail: string): Refusal<EntryRefusal | CommonRefusal> => refuse('permission-denied', detail)

const incomplete = (detail: string): Refusal<EntryRefusal | CommonRefusal> =>
  refuse('entry-incomplete', detail, {
    errors: [{ pointer: '/senses', code: 'too-few', detail: 'There is no sense.' }],
  })

const complete = (entry: Entry): Refusal<EntryRefusal | CommonRefusal> | undefined =>
  entry.content.senses.length > 0
    ? undefined
    : incomplete('An entry needs at least one sense before it is submitted, published or restored.')

/** What readers or reviewers have before them does not lose its last sense. One that never had any may be mended otherwise. */
export const emptied = (
  entry: Pick<Entry, 'status' | 'content'>,
  after: Pick<EntryContent, 'senses'>,
): Refusal<EntryRefusal | CommonRefusal> | undefined =>
  entry.status !== 'draft' && entry.content.senses.length > 0 && after.senses.length === 0
    ? incomplete(`An entry that is ${entry.status} keeps at least one sense: retire it if it has to go.`)
    : undefined

/** What was written before there was a bound does not come back beyond it. */
const overfull = (content: EntryContent): Refusal<EntryRefusal | CommonRefusal> | undefined => {
  const fault = derivedFault(content)
  return fault && refuse('text-invalid', 'The content is too much to be found by.', { errors: [fault] })
}

export const draft =
  (identity: EntryIdentity & Pick<Entry, 'partOfSpeech'>, input: EntryInput, licence: string, by: By) =>
  ({ entry }: EntryState): Decision<EntryEvent, EntryRefusal> => {
    if (entry?.removed)
      return refuse(
        'entry-removed',
        'The text of an entry of this identity was removed for good: take another homograph.',
      )
    if (entry) return refuse('entry-exists', 'An entry with this language, lemma, part of speech and homograph exists.')
    const content = contentOf(input, [], by.commandId)
    if (isRefusal(content)) return content
    return [{ type: 'EntryDrafted', data: { ...identity, content, licence } }]
  }

const mayEdit = (entry: Entry, by: By): Refusal<EntryRefusal | CommonRefusal> | undefined => {
  if (entry.status === 'retired') return refuse('entry-retired', 'A retired entry is restored before it is edited.')
  if (by.permissions.has('entries:edit')) return undefined
  if (entry.status === 'draft' && isAuthor(entry, by)) return undefined
  return denied(
    entry.status === 'draft'
      ? 'Only its author and editors may edit this draft.'
      : `Only editors may edit an entry that is ${entry.status}.`,
  )
}

/** Applies a JSON Merge Patch to the editable members. */
export const edit =
  (patch: JsonObject, id: string, by: By) =>
  (state: EntryState): Decision<EntryEvent, EntryRefusal> =>
    existing((entry): Decision<EntryEvent, EntryRefusal> => {
      const refusal = mayEdit(entry, by)
      if (refusal) return refusal
      const latest = latestOf(state.past)
      const changes = contentChange(entry, id, patch, by.commandId, latest === undefined ? undefined : String(latest))
      if (isRefusal(changes)) return changes
      if (Object.keys(changes).length === 0) return []
      const refused = emptied(entry, { senses: changes.senses ?? entry.content.senses })
      if (refused) return refused
      const wasPublished = entry.status === 'published' || entry.status === 'held'
      return [{ type: wasPublished ? 'EntryEdited' : 'DraftEdited', data: { changes } }]
    })(state)

export const submit = (by: By) =>
  existing((entry): Decision<EntryEvent, EntryRefusal> => {
    if (!isAuthor(entry, by) && !by.permissions.has('entries:edit'))
      return denied('Only its author and editors may submit this draft.')
    if (entry.status === 'submitted') return []
    if (entry.status !== 'draft')
      return refuse('entry-not-draft', `Only a draft is submitted; this entry is ${entry.status}.`)
    return complete(entry) ?? [{ type: 'EntrySubmitted', data: {} }]
  })

const isHeld = () =>
  refuse('entry-held', 'A decision holds the entry back: it is published again once that is overturned.')

export const publish = existing((entry): Decision<EntryEvent, EntryRefusal> => {
  if (entry.status === 'published') return []
  if (entry.status === 'held') return isHeld()
  if (entry.status === 'retired') return refuse('entry-retired', 'A retired entry is restored, not published again.')
  return complete(entry) ?? [{ type: 'EntryPublished', data: {} }]
})

export const sendBack = (given: string) =>
  existing((entry): Decision<EntryEvent, EntryRefusal> => {
    if (entry.status === 'draft') return []
    if (entry.status !== 'submitted')
      return refuse('entry-not-submitted', `Only a submitted entry is returned; this one is ${entry.status}.`)
    const reason = checkReason(given)
    return typeof reason === 'string' ? [{ type: 'EntryReturned', data: { reason } }] : reason
  })

export const retire = (id: string, given: string, replacedBy: string | undefined) =>
  existing((entry): Decision<EntryEvent, EntryRefusal> => {
    if (entry.status === 'retired')
      return entry.replacedBy === replacedBy
        ? []
        : refuse('entry-retired', 'This entry is retired already, with another replacement.')
    if (entry.status === 'held') return isHeld()
    if (entry.status !== 'published')
      return refuse('entry-not-published', `Only a published entry is retired; this one is ${entry.status}.`)
    if (replacedBy === id)
      return refuse('replacement-unknown', 'An entry is not replaced by itself.', {
        errors: [{ pointer: '/replacedBy', code: 'self', detail: 'This is the entry that is retired.' }],
      })
    const reason = checkReason(given)
    if (typeof reason !== 'string') return reason
    return [{ type: 'EntryRetired', data: { reason, ...defined({ replacedBy }) } }]
  })

export const restore = (given: string | undefined) =>
  existing((entry): Decision<EntryEvent, EntryRefusal> => {
    if (entry.status === 'published') return []
    if (entry.status !== 'retired')
      return refuse('entry-not-retired', `Only a retired entry is restored; this one is ${entry.status}.`)
    const refused = complete(entry)
    if (refused) return refused
    const reason = given === undefined ? undefined : checkReason(given)
    if (reason !== undefined && typeof reason !== 'string') return reason
    return [{ type: 'EntryRestored', data: reason === undefined ? {} : { reason } }]
  })

/** A new revision with the content of an old one. Sense ids come back with their senses. */
export const revert = (
  toRevision: bigint,
  given: string | undefined,
): DecideOnEvents<EntryState, EntryEvent, EntryRefusal> => ({
  needs: ({ past }) => (momentOf(past, Number(toRevision)) ? holdersOf(past, Number(toRevision)) : []),
  decide: (current, events) =>
    existing((entry, { past }): Decision<EntryEvent, EntryRefusal> => {
      if (!momentOf(past, Number(toRevision)))
        return refuse('revision-unknown', `This entry has no revision ${toRevision}.`, {
          errors: [{ pointer: '/toRevision', code: 'unknown', detail: `There is no revision ${toRevision}.` }],
        })
      if (entry.status === 'retired')
        return refuse('entry-retired', 'A retired entry is restored before it is reverted.')
      const content = contentAt(past, Number(toRevision), events)
      // Its key is gone already, whatever else of the stream was read before.
      if (!content) return refuse('entry-removed', 'The text of this entry was removed.')
      if (sameJson(content, entry.content)) return []
      const refused = emptied(entry, content) ?? overfull(content)
      if (refused) return refused
      const reason = given === undefined ? undefined : checkReason(given)
      if (reason !== undefined && typeof reason !== 'string') return reason
      return [
        {
          type: 'EntryReverted',
          data: { toRevision: String(toRevision), content, ...defined({ reason }) },
        },
      ]
    })(current),
})

export const takeOver = (by: By) =>
  existing((entry): Decision<EntryEvent, EntryRefusal> => {
    if (isAuthor(entry, by)) return []
    if (entry.status !== 'draft')
      return refuse('entry-not-draft', `Only a draft is taken over; this entry is ${entry.status}.`)
    if (!by.permissions.has('entries:edit') && by.now.getTime() - Date.parse(entry.updatedAt) < STALE_DRAFT_MS)
      return refuse('entry-not-stale', 'Its author has touched this draft within the last 30 days.')
    return [{ type: 'EntryTakenOver', data: entry.author === undefined ? {} : { from: entry.author } }]
  })

export type ImportedRecord = {
  readonly identity: EntryIdentity & Pick<Entry, 'partOfSpeech'>
  readonly content: EntryContent
  readonly rank: number
  readonly licence: string
  readonly source: string
  /** Digest of all of the above: the state of the source's record. */
  readonly record: string
}

/** Writes a record only where the source has changed it, and never over what people have edited since. */
export const importRecord =
  (imported: ImportedRecord) =>
  ({ entry }: EntryState): Decision<EntryEvent, EntryRefusal> => {
    if (entry?.removed) return refuse('entry-removed', 'The text of this entry was removed; the import leaves it so.')
    if (entry?.edited) return refuse('entry-edited', 'People have edited this entry; the import keeps their text.')
    if (entry?.status === 'retired') return refuse('entry-retired', 'This entry was retired; the import leaves it so.')
    if (entry && entry.source !== imported.source)
      return refuse('entry-exists', `This entry was imported from ${entry.source}; the import keeps it.`)
    if (entry?.record === imported.record) return []
    const { identity, content, rank, licence, source, record } = imported
    return [{ type: 'EntryImported', data: { ...identity, content, rank, licence, source, record } }]
  }

/** Removes the text for ever; repeating it is harmless. */
export const redact =
  (ground: (typeof redactionGrounds)[number]) =>
  ({ entry }: EntryState): Decision<EntryEvent, EntryRefusal> =>
    !entry
      ? refuse('entry-not-found', 'There is no such entry.')
      : entry.removed
        ? []
        : [{ type: 'EntryRedacted', data: { ground } }]
