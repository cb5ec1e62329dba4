/**
 * A list that grows by its end and shares what it has with the lists before it: a fold keeps one for each event without copying
 * what came earlier, however long that is.
 */

const CHUNK = 128

export type Growing<T> = { readonly length: number; readonly chunks: readonly (readonly T[])[] }

export const nothingYet: Growing<never> = { length: 0, chunks: [] }

/** The list with one more item. */
export const grown = <T>({ length, chunks }: Growing<T>, item: T): Growing<T> => {
  const last = chunks.at(-1)
  return last && last.length < CHUNK
    ? { length: length + 1, chunks: chunks.with(-1, [...last, item]) }
    : { length: length + 1, chunks: [...chunks, [item]] }
}

export const itemAt = <T>({ chunks }: Growing<T>, index: number): T | undefined =>
  chunks[Math.floor(index / CHUNK)]?.[index % CHUNK]

/** How many items from the start on are within; those that are come before those that are not. */
export const countWithin = <T>(list: Growing<T>, isWithin: (item: T) => boolean): number => {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const item = itemAt(list, middle)
    if (item !== undefined && isWithin(item)) low = middle + 1
    else high = middle
  }
  return low
}

/** The last item that is within; those that are come before those that are not. */
export const lastWithin = <T>(list: Growing<T>, isWithin: (item: T) => boolean): T | undefined =>
  itemAt(list, countWithin(list, isWithin) - 1)

/** The items from the start on, `count` of them. */
export const firstOf = <T>(list: Growing<T>, count: number): readonly T[] =>
  list.chunks
    .slice(0, Math.ceil(count / CHUNK))
    .flat()
    .slice(0, count)

/** The list of these items. */
export const growing = <T>(items: readonly T[]): Growing<T> => {
  const chunks: (readonly T[])[] = []
  for (let at = 0; at < items.length; at += CHUNK) chunks.push(items.slice(at, at + CHUNK))
  return { length: items.length, chunks }
}
