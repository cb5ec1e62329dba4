/**
 * What the fold of an entry keeps of its past: which revision set what, and no text. A revision is read with it from as many
 * events as an entry has members, and the difference of two from those that set what differs, however long the stream is.
 */
import type { EventsByRevision } from '../decider.ts'
import type { Recorded } from '../event.ts'
import { countWithin, firstOf, type Growing, growing, grown, itemAt, lastWithin, nothingYet } from '../growing.ts'
import type { EntryContentChange, EntryStatus } from './content.ts'
import type { EntryEvent } from './events.ts'

export const contentMembers = ['variants', 'senses', 'forms', 'pronunciations', 'etymology', 'categories'] as const
export type ContentMember = (typeof contentMembers)[number]

/** A revision with the position and the time (`meta.at`, in milliseconds since 1970) of its event; positions count bytes at most, far below 2^53. */
export type Moment = { readonly revision: number; readonly position: number; readonly at: number }
/** What is so from a revision on. */
export type Since<T> = { readonly revision: number; readonly value: T }

export type EntryPast = {
  readonly moments: Growing<Moment>
  /** The revisions that gave the entry its identity, licence and source: its draft, its imports. */
  readonly origins: Growing<number>
  /** For each member of the content the revisions that set it. */
  readonly setters: Readonly<Record<ContentMember, Growing<number>>>
  readonly statuses: Growing<Since<EntryStatus>>
  /** null: nobody. */
  readonly authors: Growing<Since<string | null>>
  /** null: nothing. */
  readonly replacements: Growing<Since<string | null>>
  readonly edited: Growing<Since<boolean>>
  readonly contributors: Growing<Since<string>>
  /** The decisions that hold it back, in one, with a space between them. */
  readonly holds: Growing<Since<string>>
}

export const noPast: EntryPast = {
  moments: nothingYet,
  origins: nothingYet,
  setters: {
    variants: nothingYet,
    senses: nothingYet,
    forms: nothingYet,
    pronunciations: nothingYet,
    etymology: nothingYet,
    categories: nothingYet,
  },
  statuses: nothingYet,
  authors: nothingYet,
  replacements: nothingYet,
  edited: nothingYet,
  contributors: nothingYet,
  holds: nothingYet,
}

/** Of an entry what its past keeps the values of: none of it is text. */
type Standing = {
  readonly status: EntryStatus
  readonly edited: boolean
  readonly author?: string
  readonly replacedBy?: string
  readonly contributors: readonly string[]
  readonly holds?: readonly string[]
}

/** The content that an event sets, as far as it does; undefined: it sets none, or its text was removed. */
export const contentIn = (event: Recorded<EntryEvent> | undefined): EntryContentChange | undefined => {
  if (!event || event.removed) return undefined
  switch (event.type) {
    case 'EntryDrafted':
    case 'EntryImported':
    case 'EntryReverted':
      return event.data.content
    case 'DraftEdited':
    case 'EntryEdited':
      return event.data.changes
    default:
      return undefined
  }
}

/** Does the event give a whole content? Then also the members that it lacks are as it says. */
const isWhole = ({ type }: Recorded<EntryEvent>): boolean =>
  type === 'EntryDrafted' || type === 'EntryImported' || type === 'EntryReverted'

const settersAfter = (setters: EntryPast['setters'], event: Recorded<EntryEvent>, revision: number) => {
  const set = contentIn(event)
  if (!set) return setters
  const after = (member: ContentMember): Growing<number> =>
    isWhole(event) || set[member] !== undefined ? grown(setters[member], revision) : setters[member]
  return {
    variants: after('variants'),
    senses: after('senses'),
    forms: after('forms'),
    pronunciations: after('pronunciations'),
    etymology: after('etymology'),
    categories: after('categories'),
  }
}

const sinceThen = <T>(list: Growing<Since<T>>, revision: number, value: T): Growing<Since<T>> => {
  const last = itemAt(list, list.length - 1)
  return last && last.value === value ? list : grown(list, { revision, value })
}

const contributorsAfter = (past: EntryPast, { contributors }: Standing, revision: number) => {
  let list = past.contributors
  for (const value of contributors.slice(list.length)) list = grown(list, { revision, value })
  return list
}

const momentAt = ({ revision, position, meta }: Recorded<EntryEvent>): Moment => ({
  revision: Number(revision),
  position: Number(position),
  at: Date.parse(meta.at),
})

/** What is kept once the text is removed: when the entry began. */
export const pastOfRemoved = ({ moments }: EntryPast, event: Recorded<EntryEvent>): EntryPast => ({
  ...noPast,
  moments: growing([itemAt(moments, 0) ?? momentAt(event)]),
})

/** The past with one more event, which made the entry what it is. */
export const pastAfter = (past: EntryPast, entry: Standing, event: Recorded<EntryEvent>): EntryPast => {
  const revision = Number(event.revision)
  const isOrigin = event.type === 'EntryDrafted' || event.type === 'EntryImported'
  return {
    moments: grown(past.moments, momentAt(event)),
    origins: isOrigin ? grown(past.origins, revision) : past.origins,
    setters: settersAfter(past.setters, event, revision),
    statuses: sinceThen(past.statuses, revision, entry.status),
    authors: sinceThen(past.authors, revision, entry.author ?? null),
    replacements: sinceThen(past.replacements, revision, entry.replacedBy ?? null),
    edited: sinceThen(past.edited, revision, entry.edited),
    contributors: contributorsAfter(past, entry, revision),
    // Of what was never held nothing is kept.
    holds:
      entry.holds || past.holds.length > 0
        ? sinceThen(past.holds, revision, (entry.holds ?? []).join(' '))
        : past.holds,
  }
}

const upTo =
  (revision: number) =>
  (item: { readonly revision: number }): boolean =>
    item.revision <= revision

const valueAt = <T>(list: Growing<Since<T>>, revision: number): T | undefined => lastWithin(list, upTo(revision))?.value

/** The last revision so far, undefined before the first. */
export const latestOf = ({ moments }: EntryPast): number | undefined => itemAt(moments, moments.length - 1)?.revision

/** A revision of the entry, undefined where it has none of this number. */
export const momentOf = ({ moments }: EntryPast, revision: number): Moment | undefined => {
  const found = lastWithin(moments, upTo(revision))
  return found?.revision === revision ? found : undefined
}

/** The first revision's time. */
export const beginningOf = ({ moments }: EntryPast): Moment | undefined => itemAt(moments, 0)

/** The last revision that was there at a position or a time (milliseconds since 1970), both included. */
export const momentBy = (
  { moments }: EntryPast,
  until: { readonly position: number } | { readonly at: number },
): Moment | undefined =>
  lastWithin(moments, each => ('position' in until ? each.position <= until.position : each.at <= until.at))

const holdsIn = (joined: string | undefined): readonly string[] | undefined => (joined ? joined.split(' ') : undefined)

/** What is kept of the entry as it was at a revision, beside its content and identity. */
export const standingAt = (past: EntryPast, revision: number) => ({
  status: valueAt(past.statuses, revision) ?? ('draft' as const),
  edited: valueAt(past.edited, revision) ?? false,
  author: valueAt(past.authors, revision) ?? undefined,
  replacedBy: valueAt(past.replacements, revision) ?? undefined,
  holds: holdsIn(valueAt(past.holds, revision)),
})

export const contributorsAt = ({ contributors }: EntryPast, revision: number): readonly string[] =>
  firstOf(contributors, countWithin(contributors, upTo(revision))).map(({ value }) => value)

const lastUpTo = (list: Growing<number>, revision: number): number | undefined =>
  lastWithin(list, each => each <= revision)

/** The revision that gave the entry the identity, licence and source that it had at a revision. */
export const originAt = (past: EntryPast, revision: number): number | undefined => lastUpTo(past.origins, revision)

/** The revision that set a member of the content as it was at a revision. */
export const setterAt = (past: EntryPast, member: ContentMember, revision: number): number | undefined =>
  lastUpTo(past.setters[member], revision)

const isPublic = (status: EntryStatus | undefined): boolean => status === 'published' || status === 'retired'

/** The last revision below another one, or of all; of those alone that everybody could see where `open` is so. */
export const revisionBelow = (past: EntryPast, below: number | undefined, open: boolean): number | undefined => {
  let bound = below
  for (;;) {
    const end = bound
    const found = end === undefined ? latestOf(past) : lastWithin(past.moments, each => each.revision < end)?.revision
    if (found === undefined || !open) return found
    const run = lastWithin(past.statuses, upTo(found))
    if (!run || isPublic(run.value)) return found
    // Nobody but its people saw it since that revision.
    bound = run.revision
  }
}

/** The events that hold content and identity of a revision: at most one for each member, and one more. */
export const holdersOf = (past: EntryPast, revision: number): readonly bigint[] => {
  const holders = [originAt(past, revision), ...contentMembers.map(member => setterAt(past, member, revision))]
  return [...new Set(holders)].flatMap(each => (each === undefined ? [] : [BigInt(each)]))
}

/** Of the content at a revision these members, from the events that set them; undefined: their text was removed. */
export const membersAt = (
  past: EntryPast,
  revision: number,
  { events, members }: { readonly events: EventsByRevision<EntryEvent>; readonly members: readonly ContentMember[] },
): EntryContentChange | undefined => {
  const found: { -readonly [Member in ContentMember]?: EntryContentChange[Member] } = {}
  const take = <Member extends ContentMember>(member: Member, set: EntryContentChange): void => {
    const value = set[member]
    if (value !== undefined) found[member] = value
  }
  for (const member of members) {
    const setter = setterAt(past, member, revision)
    if (setter === undefined) continue
    const set = contentIn(events.get(BigInt(setter)))
    if (!set) return undefined
    take(member, set)
  }
  return found
}

/** The members whose content was set between two revisions; all of them where there is none before. */
export const membersSetBetween = (
  past: EntryPast,
  before: number | undefined,
  after: number,
): readonly ContentMember[] =>
  contentMembers.filter(
    member => before === undefined || setterAt(past, member, before) !== setterAt(past, member, after),
  )

const until = <T>(list: Growing<T>, isWithin: (item: T) => boolean): Growing<T> => {
  const count = countWithin(list, isWithin)
  return count === list.length ? list : growing(firstOf(list, count))
}

/** The past as it was at a revision. */
export const pastUntil = (past: EntryPast, revision: number): EntryPast => {
  if (latestOf(past) === revision) return past
  const since = upTo(revision)
  const set = (each: number): boolean => each <= revision
  return {
    moments: until(past.moments, since),
    origins: until(past.origins, set),
    setters: {
      variants: until(past.setters.variants, set),
      senses: until(past.setters.senses, set),
      forms: until(past.setters.forms, set),
      pronunciations: until(past.setters.pronunciations, set),
      etymology: until(past.setters.etymology, set),
      categories: until(past.setters.categories, set),
    },
    statuses: until(past.statuses, since),
    authors: until(past.authors, since),
    replacements: until(past.replacements, since),
    edited: until(past.edited, since),
    contributors: until(past.contributors, since),
    holds: until(past.holds, since),
  }
}

const MOMENT_BYTES = 80
const CHANGE_BYTES = 24

/** Bytes that a past takes in memory, about. */
export const weightOf = (past: EntryPast): number => {
  const { moments, origins, setters, ...changes } = past
  const numbers = [origins, ...Object.values(setters)].reduce((sum, { length }) => sum + length, 0)
  const values = Object.values(changes).reduce((sum, { length }) => sum + length, 0)
  return moments.length * MOMENT_BYTES + (numbers + values * 4) * CHANGE_BYTES
}
