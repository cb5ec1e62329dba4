/** Positions of the log. */

/** The later one of two. */
export const later = (a: bigint, b: bigint): bigint => (a > b ? a : b)
