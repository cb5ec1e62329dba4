/**
 * Where a comment stands in its thread, as a text whose order is that of reading: a segment for each level, all of one width, in base 36.
 * What is below a comment is what its path begins, so that a branch is one scan; no two processes have to agree on a number.
 */
import { createHash } from 'node:crypto'

/** Digits of the time in milliseconds: enough for 3,000 years. */
const TIME_DIGITS = 9
/** Digits by which two of one millisecond differ. */
const TIE_DIGITS = 4
export const SEGMENT = TIME_DIGITS + TIE_DIGITS
const RADIX = 36

const tieOf = (id: string): string =>
  (createHash('sha256').update(id).digest().readUInt32BE(0) % RADIX ** TIE_DIGITS)
    .toString(RADIX)
    .padStart(TIE_DIGITS, '0')

/** The path of the comment `id` that is written at `at` below the one at `parent`; '' stands for the thread. */
export const pathBelow = (parent: string, id: string, at: Date): string =>
  `${parent}${Math.max(0, at.getTime()).toString(RADIX).padStart(TIME_DIGITS, '0')}${tieOf(id)}`

/** Levels of a path. */
export const depthOf = (path: string): number => path.length / SEGMENT

/** Is the path that of `branch`, or one below it? All are below ''. */
export const isWithin = (path: string, branch: string): boolean => path.startsWith(branch)

/** A key by which threads stand newest first, and what is within each in its order: the first segment counts from the other end. */
export const newestFirst = (path: string): string =>
  [...path.slice(0, SEGMENT)]
    .map(digit => (RADIX - 1 - Number.parseInt(digit, RADIX)).toString(RADIX))
    .join('')
    .concat(path.slice(SEGMENT))

/** Sorts after all that is below a path: no digit does. */
export const AFTER = '~'
