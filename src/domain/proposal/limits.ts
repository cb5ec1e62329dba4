/** The bounds of proposals. */

/** So long a proposal is open. */
export const OPEN_DAYS = 90
/** What a decision of those who review takes: this weight together, of so many people. */
export const QUORUM_WEIGHT = 2
export const QUORUM_PEOPLE = 2
/** Reviews and supporters that one proposal has at most. */
export const MOST_REVIEWS = 100
export const MOST_SUPPORTERS = 100
/** Places that one proposal changes at most: 200 senses of seven places, and what stands beside them. */
export const MOST_CHANGES = 2_000
