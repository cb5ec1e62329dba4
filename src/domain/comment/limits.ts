/** The bounds of comments. Text is counted in code points. */

export const COMMENT_LENGTH = 10_000
/** The first of a thread is at depth 1. */
export const MOST_DEPTH = 50
/** Levels that a page shows below what it begins with. */
export const DEPTH_SHOWN = 5
export const MOST_MENTIONS = 10
export const MOST_QUOTES = 10
/** So long a comment may be edited, and so often. */
export const EDIT_HOURS = 24
export const MOST_EDITS = 50
/** Accounts are new for so long; what they post is counted within so many seconds. */
export const NEW_DAYS = 7
export const NEW_SECONDS = 900
/** Quotes, lists, brackets and emphasis one within another. */
export const COMMENT_NESTING = 20
