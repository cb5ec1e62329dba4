/** The bounds of reports and of the cases that they are gathered in. Text is counted in code points. */

export const REPORT_WORDS = 1_000
/** So much of what a text said is kept as evidence: with a whole chapter an event would be larger than a store takes. */
export const EVIDENCE_LENGTH = 100_000
/** The same is reported again by the same person after so long, or sooner where it says something else by then. */
export const AGAIN_HOURS = 24
/** What its author deleted may be reported for so long by those who had seen it. */
export const DELETED_MINUTES = 10
/** Evidence is kept for so long after its case ended: until nobody may appeal any more. */
export const EVIDENCE_DAYS = 184
/** A case that was claimed is asked after when so long has passed, and is free again after so long. */
export const REMINDER_HOURS = 48
export const CLAIM_HOURS = 72
export const CASE_REASON = 2_000
/** Cases that are claimed or dismissed at once. */
export const MOST_AT_ONCE = 50
