/** What of a pattern an index can be asked for. */

/** The literal text before the first wildcard. */
export const literalPrefix = (key: string): string => key.split(/[*?]/, 1)[0] ?? ''
/** The literal text behind the last wildcard, backwards; an escaped letter stays whole. */
export const reversedLiteral = (key: string): string => {
  const tail = key.split(/[*?]/).at(-1) ?? ''
  return (tail.match(/~[0-9a-f]{6}|[^~]/g) ?? []).toReversed().join('')
}
