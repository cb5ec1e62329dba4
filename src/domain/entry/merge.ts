/** Three-way merge of an entry: what stands now, and what somebody asks for, both made of the same base. */
import { defined } from '../defined.ts'
import type { Json } from '../event.ts'
import { sameJson } from '../json.ts'
import type { EntryContent } from './content.ts'
import { mergeList } from './merge-list.ts'
import { mergeText, type Three } from './merge-text.ts'
import { contentAtPlaces, type Overlap, type PlaceValue, placesOf } from './places.ts'

/** The members in one order, whoever made the item. */
const canonical = (value: unknown): unknown =>
  typeof value !== 'object' || value === null
    ? value
    : Array.isArray(value)
      ? value.map(canonical)
      : Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, member]) => [name, canonical(member)]),
        )
/** The same text for the same value. */
export const canonicalText = (value: unknown): string => JSON.stringify(canonical(value))

const isList = (value: PlaceValue | undefined): value is readonly Json[] =>
  value !== undefined && typeof value !== 'string'
const isText = (value: PlaceValue | undefined): value is string => typeof value === 'string'

type Merged = { readonly value: PlaceValue | undefined } | 'overlap'
const found = (value: PlaceValue | undefined): Merged => (value === undefined ? 'overlap' : { value })

const mergePlace = ({ base, theirs, ours }: Three<PlaceValue | undefined>): Merged => {
  if (sameJson(theirs, ours) || sameJson(base, ours)) return { value: theirs }
  if (sameJson(base, theirs)) return { value: ours }
  if (isText(base) && isText(theirs) && isText(ours)) return found(mergeText({ base, theirs, ours }))
  if (!isList(base) || !isList(theirs) || !isList(ours)) return 'overlap'
  return found(mergeList({ base, theirs, ours }, canonicalText))
}

export type Merge = { readonly content: EntryContent } | { readonly overlaps: readonly Overlap[] }

/** The content with the changes of both, or the places at which both say something else, in the order of their pointers. */
export const mergeContents = ({ base, theirs, ours }: Three<EntryContent>): Merge => {
  const [first, second, third] = [placesOf(base), placesOf(theirs), placesOf(ours)]
  const places = new Map<string, PlaceValue>()
  const overlaps: Overlap[] = []
  for (const pointer of [...new Set([...first.keys(), ...second.keys(), ...third.keys()])].sort()) {
    const sides = { base: first.get(pointer), theirs: second.get(pointer), ours: third.get(pointer) }
    const merged = mergePlace(sides)
    if (merged === 'overlap') overlaps.push({ pointer, ...defined<Three<Json | undefined>>(sides) })
    else if (merged.value !== undefined) places.set(pointer, merged.value)
  }
  return overlaps.length > 0 ? { overlaps } : { content: contentAtPlaces(places) }
}
