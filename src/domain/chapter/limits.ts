/** The bounds of a chapter. Text is counted in code points. */

export const TITLE_LENGTH = 255
export const NOTE_LENGTH = 5_000
/** What is published has so much at least; a draft may be empty. */
export const LEAST_TEXT = 10
export const MOST_TEXT = 510_000
/** A draft is saved at most so often within a minute. */
export const SAVES = 6
export const SAVES_MS = 60_000
/** A text may hold a whole from so many differences; after that the next one is a whole again. */
export const MOST_DIFFERENCES = 50
/**
 * Characters of packed text in one event. It is sealed, which takes a third more: 955,736 characters, and with the envelope below
 * the 1,000,000 bytes that an append takes on every engine.
 */
export const PART_LENGTH = 700 * 1024
/** So many parts the longest text takes that does not pack (2,040,000 bytes in base64), and as many again of a published one. */
export const MOST_PARTS = 8
/** Marks nest so deep at most: blocks, and what is emphasised within them. */
export const MOST_NESTING = 100
