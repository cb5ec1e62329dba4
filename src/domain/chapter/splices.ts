/**
 * The difference of two texts as splices: trimmed by what begins and ends alike, then by paragraphs that are the same, then within
 * those that are not. Bounded on any input: beyond so many edits the rest is one splice.
 */
import { diffArrays } from 'diff'

/** From a place of the text before, so many units (UTF-16) go, and this comes. In ascending order, apart. */
export type Splice = readonly [at: number, removed: number, inserted: string]

/** Paragraphs that may differ: the work is at most paragraphs times this. */
const MOST_EDITS = 400

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

/** Units that both begin with, half of no pair. */
const sameStart = (a: string, b: string): number => {
  const most = Math.min(a.length, b.length)
  let at = 0
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at += 1
  // A pair stays whole: the text between is well-formed by itself.
  return at > 0 && (isLow(a.charCodeAt(at)) || isLow(b.charCodeAt(at))) ? at - 1 : at
}

/** Units that both end with beyond those that they begin with. */
const sameEnd = (a: string, b: string, start: number): number => {
  const most = Math.min(a.length, b.length) - start
  let count = 0
  while (count < most && a.charCodeAt(a.length - 1 - count) === b.charCodeAt(b.length - 1 - count)) count += 1
  return count > 0 && isLow(a.charCodeAt(a.length - count)) ? count - 1 : count
}

/** The one splice between what begins and what ends alike; none for the same text. */
const trimmed = (before: string, after: string, offset: number): readonly Splice[] => {
  if (before === after) return []
  const start = sameStart(before, after)
  const end = sameEnd(before, after, start)
  return [[offset + start, before.length - start - end, after.slice(start, after.length - end)]]
}

/** Lines with what ends them: joined they are the text. */
const linesOf = (text: string): readonly string[] => text.split(/(?<=\n)/).filter(line => line !== '')

const joined = (lines: readonly string[], from: number, count: number): string =>
  lines.slice(from, from + count).join('')

/** A number for each line, the same for the same: numbers are compared at once, long lines that begin alike are not. */
const numbered = (lines: readonly string[], known: Map<string, number>): number[] =>
  lines.map(line => {
    const number = known.get(line) ?? known.size
    known.set(line, number)
    return number
  })

/** The splices that make the one text of the other. */
export const splicesBetween = (before: string, after: string): readonly Splice[] => {
  if (before === after) return []
  const start = sameStart(before, after)
  const end = sameEnd(before, after, start)
  const [old, now] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  const whole: readonly Splice[] = [[start, old.length, now]]
  const [oldLines, nowLines] = [linesOf(old), linesOf(now)]
  if (oldLines.length < 2 || nowLines.length < 2) return whole
  const known = new Map<string, number>()
  const changes = diffArrays(numbered(oldLines, known), numbered(nowLines, known), { maxEditLength: MOST_EDITS })
  if (!changes) return whole
  const splices: Splice[] = []
  let [oldAt, nowAt, offset, removed, added] = [0, 0, start, 0, 0]
  const flush = (): void => {
    if (removed === 0 && added === 0) return
    const [from, to] = [joined(oldLines, oldAt, removed), joined(nowLines, nowAt, added)]
    splices.push(...trimmed(from, to, offset))
    offset += from.length
    oldAt += removed
    nowAt += added
    ;[removed, added] = [0, 0]
  }
  for (const change of changes)
    if (change.removed) removed += change.count
    else if (change.added) added += change.count
    else {
      flush()
      offset += joined(oldLines, oldAt, change.count).length
      oldAt += change.count
      nowAt += change.count
    }
  flush()
  return splices
}

/** The text after the splices; undefined: they are none of this text. */
export const spliced = (before: string, splices: readonly Splice[]): string | undefined => {
  const parts: string[] = []
  let from = 0
  for (const [at, removed, inserted] of splices) {
    if (at < from || removed < 0 || at + removed > before.length) return undefined
    parts.push(before.slice(from, at), inserted)
    from = at + removed
  }
  parts.push(before.slice(from))
  return parts.join('')
}

export const isSplices = (value: unknown): value is readonly Splice[] =>
  Array.isArray(value) &&
  value.every(
    each =>
      Array.isArray(each) &&
      each.length === 3 &&
      Number.isSafeInteger(each[0]) &&
      Number.isSafeInteger(each[1]) &&
      typeof each[2] === 'string',
  )
