/** Three-way merge of one list by the values in it: who adds, and who takes away, what; and the order of what stays. */
import { sameJson } from '../json.ts'
import type { Three } from './merge-text.ts'

/** An item by its value, the second one of a value apart from the first. */
type Keyed<T> = ReadonlyMap<string, T>

const keyed = <T>(list: readonly T[], keyOf: (item: T) => string): Keyed<T> => {
  const seen = new Map<string, number>()
  return new Map(
    list.map(item => {
      const key = keyOf(item)
      const count = seen.get(key) ?? 0
      seen.set(key, count + 1)
      return [`${count} ${key}`, item]
    }),
  )
}

const without = (keys: Iterable<string>, other: Keyed<unknown>): readonly string[] =>
  [...keys].filter(key => !other.has(key))

/** The first in its order, and what the second alone has behind what it follows there, and behind what the first alone has there. */
const woven = (first: readonly string[], second: readonly string[]): readonly string[] => {
  const [inFirst, inSecond] = [new Set(first), new Set(second)]
  const behind = new Map<string, string[]>()
  let last = ''
  for (const key of second) {
    if (inFirst.has(key)) last = key
    else behind.set(last, [...(behind.get(last) ?? []), key])
  }
  const order: string[] = []
  let waiting = behind.get('') ?? []
  for (const key of first) {
    if (inSecond.has(key)) order.push(...waiting)
    order.push(key)
    if (inSecond.has(key)) waiting = behind.get(key) ?? []
  }
  return [...order, ...waiting]
}

/**
 * The list with the changes of both; undefined: both put something else in the place of the same item, or each another order. `keyOf` tells
 * items of one value: canonical, the same for the same.
 */
export const mergeList = <T>(lists: Three<readonly T[]>, keyOf: (item: T) => string): readonly T[] | undefined => {
  const [base, theirs, ours] = [keyed(lists.base, keyOf), keyed(lists.theirs, keyOf), keyed(lists.ours, keyOf)]
  const [addedByThem, addedByUs] = [without(theirs.keys(), base), without(ours.keys(), base)]
  const goneByUs = without(base.keys(), ours)
  const isReplacedByBoth =
    goneByUs.some(key => !theirs.has(key)) &&
    addedByThem.some(key => !ours.has(key)) &&
    addedByUs.some(key => !theirs.has(key))
  if (isReplacedByBoth) return undefined
  const inAll = (keys: Iterable<string>) => [...keys].filter(key => base.has(key) && theirs.has(key) && ours.has(key))
  const [first, second, third] = [inAll(base.keys()), inAll(theirs.keys()), inAll(ours.keys())]
  const [movedByThem, movedByUs] = [!sameJson(first, second), !sameJson(first, third)]
  if (movedByThem && movedByUs && !sameJson(second, third)) return undefined
  const stays = (key: string): boolean => (base.has(key) ? theirs.has(key) && ours.has(key) : true)
  const [theirKeys, ourKeys] = [[...theirs.keys()].filter(stays), [...ours.keys()].filter(stays)]
  const order = movedByUs ? woven(ourKeys, theirKeys) : woven(theirKeys, ourKeys)
  return order.flatMap(key => {
    const item = theirs.get(key) ?? ours.get(key)
    return item === undefined ? [] : [item]
  })
}
