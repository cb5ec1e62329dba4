/** An entry's past, read from its own stream: the truth, always there, and short enough to be folded for each reader. */
import Type, { type Static } from 'typebox'
import type { Log } from '../core/log/log.ts'
import { defined } from '../domain/defined.ts'
import type { EntryContent } from '../domain/entry/content.ts'
import { type Entry, entryStream, evolveEntry } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import type { Json, Recorded } from '../domain/event.ts'
import { sameJson } from '../domain/json.ts'
import { isEntryEvent } from '../projections/entries.ts'

/** One revision: the event and the entry after it. */
export type Revision = { readonly event: Recorded<EntryEvent>; readonly entry: Entry }

const isPublic = ({ entry }: Revision): boolean => entry.status === 'published' || entry.status === 'retired'

/** Every revision of the entry, oldest first. Whoever takes them keeps as few as it needs: a past may be long and large. */
export const revisionsOf = async function* (log: Pick<Log, 'readStream'>, id: string): AsyncGenerator<Revision> {
  let entry: Entry | undefined
  for await (const page of log.readStream(entryStream(id)))
    for (const event of page) {
      if (!isEntryEvent(event)) continue
      entry = evolveEntry(entry, event)
      if (entry) yield { event, entry }
    }
}

/** The last `count` of what was pushed. */
const lastOf = (count: number) => {
  const kept: Revision[] = []
  return {
    kept,
    push: (revision: Revision): void => {
      kept.push(revision)
      if (kept.length > count) kept.shift()
    },
  }
}

/**
 * The last revision, and the last `count` and `count` public ones before revision `before`, oldest first: all that a page of the
 * history is made of, whoever reads it.
 */
export const lastRevisions = async (
  log: Pick<Log, 'readStream'>,
  id: string,
  count: number,
  before: bigint | undefined,
): Promise<{ readonly now?: Revision; readonly all: readonly Revision[]; readonly open: readonly Revision[] }> => {
  const [all, open] = [lastOf(count), lastOf(count)]
  let now: Revision | undefined
  for await (const revision of revisionsOf(log, id)) {
    now = revision
    if (before !== undefined && revision.event.revision >= before) continue
    all.push(revision)
    if (isPublic(revision)) open.push(revision)
  }
  return { ...defined({ now }), all: all.kept, open: open.kept }
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

/** What changed between two revisions, member by member. `before` undefined: everything is new. */
export const differencesOf = (before: Entry | undefined, after: Entry): readonly EntryDifference[] => [
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
  },
  { $id: 'EntryRevision' },
)
export type EntryRevision = Static<typeof HistoryItem>

/**
 * The history for a reader, newest first. The public sees the revisions that were public, each compared with the last
 * public one before it, so that no draft shows through a difference. Reasons, and who reviewed, need `entries:review`.
 */
export const historyFor = (
  revisions: readonly Revision[],
  sight: 'public' | 'author' | 'reviewer',
): readonly EntryRevision[] => {
  const seen = sight === 'public' ? revisions.filter(isPublic) : revisions
  return seen
    .map(({ event, entry }, index): EntryRevision => {
      const reason = 'reason' in event.data && typeof event.data.reason === 'string' ? event.data.reason : undefined
      const review =
        event.type === 'EntryReturned' ||
        event.type === 'EntryPublished' ||
        event.type === 'EntryRetired' ||
        event.type === 'EntryRestored'
      const actor = sight === 'reviewer' || !review ? event.meta.actor : { kind: event.meta.actor.kind, id: 'withheld' }
      return {
        revision: String(event.revision),
        type: event.type,
        at: event.meta.at,
        actor,
        status: entry.status,
        differences: [...differencesOf(seen[index - 1]?.entry, entry)],
        ...(sight === 'reviewer' && reason !== undefined && { reason }),
      }
    })
    .toReversed()
}

/** The actors that a revision names, as far as its members are shown: who acted, and who was made its author. */
export const peopleInRevision = (shown: unknown): readonly string[] => {
  if (typeof shown !== 'object' || shown === null) return []
  const { actor, differences = [] }: Partial<EntryRevision> = shown
  const authors = differences.flatMap(({ pointer, before, after }) => (pointer === '/author' ? [before, after] : []))
  return [actor?.id, ...authors].filter(id => typeof id === 'string')
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
      return [{ pointer, ...(shows(before) && { before }), ...(shows(after) && { after }) }]
    }),
  }))
}
