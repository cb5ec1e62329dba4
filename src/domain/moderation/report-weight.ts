/**
 * How much a report counts for. The score is that of Discourse's review queue (app/models/reviewable_score.rb): one, and what is known of the reporter's
 * trust, and how often they were right: an accuracy of 70 percent changes nothing, and what is above or below counts for more the more
 * verdicts there are, five at the most for each power of four. A score is never below nothing.
 */

/** `upheld`, `dismissed`: how the reports of this account ended so far. `isIdle`: it is suspended or limited. */
export type Reporter = {
  readonly isStaff: boolean
  readonly isNew: boolean
  readonly isIdle: boolean
  readonly upheld: number
  readonly dismissed: number
}

const BASE = 1
const STAFF = 5
const KNOWN = 1
/** Nobody is judged by fewer verdicts. */
const FEWEST = 5
const PIVOT = 0.7
const MOST = 5

/** From below 0, for those who are mostly wrong, to above. */
export const accuracyOf = ({ upheld, dismissed }: Pick<Reporter, 'upheld' | 'dismissed'>): number => {
  const verdicts = upheld + dismissed
  if (verdicts <= FEWEST) return 0
  const share = upheld / verdicts
  const distance = share >= PIVOT ? (share - PIVOT) / (1 - PIVOT) : (share - PIVOT) / PIVOT
  return distance * MOST * (Math.log(verdicts) / Math.log(4))
}

/** Rounded to hundredths, so that sums are the same in whatever order they are made. */
export const weightOf = (reporter: Reporter): number => {
  if (reporter.isIdle) return 0
  const trust = reporter.isStaff ? STAFF : reporter.isNew ? 0 : KNOWN
  return Math.max(0, Math.round(100 * (BASE + trust + accuracyOf(reporter))) / 100)
}
