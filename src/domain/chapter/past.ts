/**
 * What the fold of a chapter keeps of its past: which revision was what, and which events hold the text of each. No text. Any text is
 * made again of the last whole before it and the differences since, which are no more than that in bytes.
 */
import type { EventsByRevision } from '../decider.ts'
import type { Recorded } from '../event.ts'
import { countWithin, type Growing, itemAt, lastWithin } from '../growing.ts'
import type { ChapterEvent, TextChange } from './events.ts'
import { digestOf, type Since, type Step, stepped } from './packed.ts'

/** A chapter has two texts, each with its own changes: what its authors work on, and what readers have. */
export type Which = 'draft' | 'published'

export type MomentKind = 'begun' | 'saved' | 'restored' | 'published' | 'edited' | 'unpublished' | 'purged'
/** One revision of the chapter; `at` is `meta.at` in milliseconds, `words` those of the text that it is about. */
export type Moment = {
  readonly revision: number
  readonly at: number
  readonly by: string
  readonly kind: MomentKind
  readonly words: number
}

/** A revision that changed a text: how, the revisions of its parts, and the characters that it takes packed. */
export type Link = {
  readonly revision: number
  readonly form: 'whole' | 'splices'
  readonly size: number
  readonly parts: readonly number[]
}

const EMPTY = digestOf('')

/** What is known of a text without having it. */
export type Head = {
  readonly digest: string
  readonly words: number
  readonly characters: number
  readonly since: Since
}
export const emptyHead: Head = {
  digest: EMPTY,
  words: 0,
  characters: 0,
  since: { whole: 0, differences: 0, size: 0 },
}

const after = ({ whole, differences, size }: Since, form: Link['form'], added: number): Since =>
  form === 'whole'
    ? { whole: added, differences: 0, size: 0 }
    : { whole, differences: differences + 1, size: size + added }

export const headAfter = (head: Head, { digest, words, characters, form }: TextChange, size: number): Head => ({
  digest,
  words,
  characters,
  since: after(head.since, form, size),
})

/** The change of a text that an event carries; undefined: none, or it was removed. */
export const changeIn = (event: Recorded<ChapterEvent> | undefined, which: Which): TextChange | undefined => {
  if (!event || event.removed) return undefined
  switch (event.type) {
    case 'DraftSaved':
      return which === 'draft' ? event.data.change : undefined
    case 'ChapterPublished':
    case 'ChapterEdited':
      return which === 'published' ? event.data.change : undefined
    case 'HistoryPurged':
      return event.data[which]?.change
    default:
      return undefined
  }
}

const upTo =
  (revision: number) =>
  (item: { readonly revision: number }): boolean =>
    item.revision <= revision

/** The changes that lead to a text as it was at a revision, from its last whole on; none of an empty one. */
export const linksTo = (links: Growing<Link>, revision: number): readonly Link[] => {
  const found: Link[] = []
  for (let at = countWithin(links, upTo(revision)) - 1; at >= 0; at -= 1) {
    const link = itemAt(links, at)
    if (!link) break
    found.push(link)
    if (link.form === 'whole') break
  }
  return found.reverse()
}

/** The revisions of the events that hold it. */
export const holdersOf = (links: Growing<Link>, revision: number): readonly bigint[] => {
  const holders = linksTo(links, revision).flatMap(({ revision: own, parts }) => [...parts, own])
  return [...new Set(holders)].map(BigInt)
}

const partIn = (event: Recorded<ChapterEvent> | undefined): string | undefined =>
  event?.type === 'TextPart' && !event.removed ? event.data.part : undefined

/** The step that a change stands for; undefined: a part of it was removed. */
const stepOf = (change: TextChange, parts: readonly (string | undefined)[]): Step | undefined => {
  const { form, digest } = change
  if (change.packed !== undefined) return { form, digest, packed: change.packed }
  const there = parts.flatMap(part => (part === undefined ? [] : [part]))
  return there.length === parts.length && there.length > 0 ? { form, digest, packed: there.join('') } : undefined
}

/** The text as it was at a revision, from the events that hold it; undefined: it was removed. */
export const textAt = (
  links: Growing<Link>,
  revision: number,
  { events, which }: { readonly events: EventsByRevision<ChapterEvent>; readonly which: Which },
): string | undefined => {
  let text: string | undefined = ''
  for (const link of linksTo(links, revision)) {
    const change = changeIn(events.get(BigInt(link.revision)), which)
    const parts = link.parts.map(part => partIn(events.get(BigInt(part))))
    const step = change && stepOf(change, parts)
    text = step && stepped(text, step)
    if (text === undefined) return undefined
  }
  return text
}

/** Parts that have come and are named by nothing yet, by digest, each with what is kept of it. `of`: who follows one text has no others. */
export type Waiting<Part> = readonly { readonly of: Which; readonly digest: string; readonly part: Part }[]

/** What a change is made of, of the parts that wait; undefined: one is missing. */
export const partsFor = <Part>(
  { parts = [] }: Pick<TextChange, 'parts'>,
  waiting: Waiting<Part>,
): readonly Part[] | undefined => {
  const found = parts.flatMap(digest => waiting.find(each => each.digest === digest) ?? []).map(({ part }) => part)
  return found.length === parts.length ? found : undefined
}

/** The text that a change makes of another, with the parts that wait; undefined: it makes none of this one. */
export const changed = (text: string | undefined, change: TextChange, waiting: Waiting<string>): string | undefined => {
  const step = stepOf(change, partsFor(change, waiting) ?? [undefined])
  return step && stepped(text, step)
}

/** Of which text a revision is. */
export const whichAt = ({ kind }: Pick<Moment, 'kind'>): Which =>
  kind === 'published' || kind === 'edited' || kind === 'unpublished' ? 'published' : 'draft'

/** The moment of a revision; undefined: the chapter has none of this number, or its history was purged since. */
export const momentAt = (moments: Growing<Moment>, revision: number): Moment | undefined => {
  const found = lastWithin(moments, upTo(revision))
  return found?.revision === revision ? found : undefined
}

/** The last publication, or purge, before a revision: what was published then. */
export const publicationBefore = (moments: Growing<Moment>, revision: number): Moment | undefined => {
  for (let at = countWithin(moments, upTo(revision)) - 1; at >= 0; at -= 1) {
    const moment = itemAt(moments, at)
    if (moment?.kind === 'published' || moment?.kind === 'edited' || moment?.kind === 'purged') return moment
  }
  return undefined
}
