/**
 * An entry's past, read from its own stream: the truth, and always there. What is folded of it names for each revision the
 * events that hold it, so that a page reads what it shows and no more.
 */
import Type, { type Static } from 'typebox'
import type { Log } from '../core/log/log.ts'
import { eventsAt } from '../core/log/revisions.ts'
import { defined } from '../domain/defined.ts'
import { applyChange, type EntryContent, emptyContent } from '../domain/entry/content.ts'
import { type Entry, entryStream } from '../domain/entry/entry.ts'
import { type EntryEvent, OfProposal } from '../domain/entry/events.ts'
import {
  type EntryPast,
  membersAt,
  membersSetBetween,
  revisionBelow,
  setterAt,
  standingAt,
} from '../domain/entry/past.ts'
import type { Json, Recorded } from '../domain/event.ts'
import { sameJson, sizeOf } from '../domain/json.ts'
import { isEntryEvent } from '../projections/entries.ts'

/** Reads single events of an entry. */
export type EntryEvents = {
  /** The events at these revisions, those that were read before from memory. */
  at(revisions: readonly bigint[]): Promise<ReadonlyMap<bigint, Recorded<EntryEvent>>>
  /** Forgets those after a revision. */
  drop(after: bigint): void
}

export const openEntryEvents = (log: Pick<Log, 'readStream'>, id: string): EntryEvents => {
  const known = new Map<bigint, Recorded<EntryEvent>>()
  return {
    at: async revisions => {
      const missing = revisions.filter(revision => !known.has(revision))
      if (missing.length > 0)
        for (const [revision, event] of await eventsAt(log, entryStream(id), missing))
          if (isEntryEvent(event)) known.set(revision, event)
      return known
    },
    drop: after => {
      for (const revision of known.keys()) if (revision > after) known.delete(revision)
    },
  }
}

/** A difference between two revisions: `pointer` (RFC 6901) names the member, senses by their id. Absent: not there. */
export const Difference = Type.Object({
  pointer: Type.String(),
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
})
export type EntryDifference = Static<typeof Difference>

const compare = (pointer: string, before: Json | undefined, after: Json | undefined): readonly EntryDifference[] =>
  sameJson(before, after) ? [] : [{ pointer, ...defined({ before, after }) }]

const senseDifferences = (before: EntryContent | undefined, after: EntryContent): readonly EntryDifference[] => {
  const old = new Map(before?.senses.map(sense => [sense.id, sense]))
  const differences = after.senses.flatMap((sense): readonly EntryDifference[] => {
    const was = old.get(sense.id)
    if (!was) return [{ pointer: `/senses/${sense.id}`, after: sense }]
    return (['gloss', 'labels', 'examples', 'relations', 'translations'] as const).flatMap(member =>
      compare(`/senses/${sense.id}/${member}`, was[member], sense[member]),
    )
  })
  const kept = new Set(after.senses.map(sense => sense.id))
  const gone = [...old.values()].filter(sense => !kept.has(sense.id))
  const order = compare(
    '/senses',
    before?.senses.map(sense => sense.id).filter(id => kept.has(id)),
    after.senses.map(sense => sense.id).filter(id => old.has(id)),
  )
  return [
    ...differences,
    ...gone.map(sense => ({ pointer: `/senses/${sense.id}`, before: sense })),
    ...(before ? order : []),
  ]
}

/** What is compared of a revision. */
type Side = Pick<Entry, 'status' | 'author' | 'replacedBy' | 'content'>

/** What changed between two revisions, member by member. `before` undefined: everything is new. */
export const differencesOf = (before: Side | undefined, after: Side): readonly EntryDifference[] => [
  ...compare('/status', before?.status, after.status),
  ...compare('/author', before?.author, after.author),
  ...compare('/replacedBy', before?.replacedBy, after.replacedBy),
  ...(['variants', 'forms', 'pronunciations', 'etymology', 'categories'] as const).flatMap(member =>
    sameJson(before?.content[member] ?? [], after.content[member] ?? [])
      ? []
      : compare(`/${member}`, before?.content[member], after.content[member]),
  ),
  ...senseDifferences(before?.content, after.content),
]

export const HistoryItem = Type.Object(
  {
    revision: Type.String(),
    type: Type.String(),
    at: Type.String(),
    actor: Type.Object({ kind: Type.String(), id: Type.String() }),
    status: Type.String(),
    differences: Type.Array(Difference),
    reason: Type.Optional(Type.String()),
    proposal: Type.Optional(OfProposal),
  },
  { $id: 'EntryRevision' },
)
export type EntryRevision = Static<typeof HistoryItem>

export type HistorySight = 'public' | 'author' | 'reviewer'

/** Characters of revisions after which a page ends short: each may show two contents of 700 KB. */
const PAGE_CHARACTERS = 4_000_000

/** What changed from one revision to another, of which the second is there; undefined: the text of either was removed. */
const changesBetween = async (
  past: EntryPast,
  { before, after }: { readonly before: number | undefined; readonly after: number },
  events: EntryEvents,
): Promise<readonly EntryDifference[] | undefined> => {
  const members = membersSetBetween(past, before, after)
  const revisions = before === undefined ? [after] : [before, after]
  const setters = revisions.flatMap(revision => members.map(member => setterAt(past, member, revision)))
  const read = await events.at(setters.flatMap(each => (each === undefined ? [] : [BigInt(each)])))
  // What was not set in between is as nothing on both sides.
  const sideAt = (revision: number): Side | undefined => {
    const set = membersAt(past, revision, { events: read, members })
    if (!set) return undefined
    const { status, author, replacedBy } = standingAt(past, revision)
    return { status, content: applyChange(emptyContent, set), ...defined({ author, replacedBy }) }
  }
  const [old, now] = [before === undefined ? undefined : sideAt(before), sideAt(after)]
  if (!now || (before !== undefined && !old)) return undefined
  return differencesOf(old, now)
}

const isReview = ({ type }: Recorded<EntryEvent>): boolean =>
  type === 'EntryReturned' || type === 'EntryPublished' || type === 'EntryRetired' || type === 'EntryRestored'

/** The proposal that the revision merges or takes back. */
const proposalIn = (event: Recorded<EntryEvent>): EntryRevision['proposal'] =>
  event.type === 'EntryEdited' ? event.data.proposal : undefined

const shownTo = (
  sight: HistorySight,
  event: Recorded<EntryEvent>,
  change: Pick<EntryRevision, 'status' | 'differences'>,
): EntryRevision => {
  const { actor, at } = event.meta
  const reason = 'reason' in event.data && typeof event.data.reason === 'string' ? event.data.reason : undefined
  return {
    revision: String(event.revision),
    type: event.type,
    at,
    actor: sight === 'reviewer' || !isReview(event) ? actor : { kind: actor.kind, id: 'withheld' },
    ...change,
    ...defined({
      reason: sight === 'reviewer' && reason !== undefined ? reason : undefined,
      proposal: proposalIn(event),
    }),
  }
}

export type RevisionPage = { readonly items: readonly EntryRevision[]; readonly more: boolean }

/**
 * A page of the history for a reader, newest first, from below `before` on. The public sees the revisions that were public, each
 * compared with the last public one before it, so that no draft shows through a difference. Reasons, and who reviewed, need
 * `entries:review`. undefined: text of it was removed.
 */
export const historyPage = async (
  past: EntryPast,
  events: EntryEvents,
  page: { readonly limit: number; readonly before: number | undefined; readonly sight: HistorySight },
): Promise<RevisionPage | undefined> => {
  const open = page.sight === 'public'
  const items: EntryRevision[] = []
  let characters = 0
  let revision = revisionBelow(past, page.before, open)
  while (revision !== undefined && items.length < page.limit && characters <= PAGE_CHARACTERS) {
    const before = revisionBelow(past, revision, open)
    const event = (await events.at([BigInt(revision)])).get(BigInt(revision))
    const differences = await changesBetween(past, { before, after: revision }, events)
    if (!event || event.removed || !differences) return undefined
    const { status } = standingAt(past, revision)
    const item = shownTo(page.sight, event, { status, differences: [...differences] })
    items.push(item)
    characters += sizeOf(item)
    if (before !== undefined) events.drop(BigInt(before))
    revision = before
  }
  return { items, more: revision !== undefined }
}

/** The actors that a revision names, as far as its members are shown: who acted, and who was made its author. */
export const peopleInRevision = (shown: unknown): readonly string[] => {
  if (typeof shown !== 'object' || shown === null) return []
  const { actor, proposal, differences = [] }: Partial<EntryRevision> = shown
  const authors = differences.flatMap(({ pointer, before, after }) => (pointer === '/author' ? [before, after] : []))
  return [actor?.id, proposal?.author, ...authors].filter(id => typeof id === 'string')
}

const replacementsIn = ({ differences }: EntryRevision): readonly string[] =>
  differences.flatMap(({ pointer, before, after }) =>
    pointer === '/replacedBy' ? [before, after].filter(id => typeof id === 'string') : [],
  )

/** Without the replacements that are not published now: `published` says which are. */
export const withoutReplacements = async (
  revisions: readonly EntryRevision[],
  published: (ids: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<readonly EntryRevision[]> => {
  const named = [...new Set(revisions.flatMap(replacementsIn))]
  if (named.length === 0) return revisions
  const shown = await published(named)
  const shows = (id: unknown): boolean => typeof id === 'string' && shown.has(id)
  return revisions.map(revision => ({
    ...revision,
    differences: revision.differences.flatMap((difference): readonly EntryDifference[] => {
      const { pointer, before, after } = difference
      if (pointer !== '/replacedBy') return [difference]
      if (!shows(before) && !shows(after)) return []
      return [
        {
          pointer,
          ...defined({ before: shows(before) ? before : undefined }),
          ...defined({ after: shows(after) ? after : undefined }),
        },
      ]
    }),
  }))
}
