/** Times as RFC 3339 has them (5.6 and 5.7), each part within its range: `Date` takes 24:00 for the next day. */

const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:Z|[+-](\d{2}):(\d{2}))$/i

/** The instant, or what is wrong with it. Where a clock has leap seconds, ours stands still: none of our events has one. */
export const instantOf = (text: string): Date | string => {
  const parts = DATE_TIME.exec(text)?.slice(1).map(Number)
  const malformed = 'This is not a time of RFC 3339, such as 2026-11-23T10:00:00.000Z.'
  if (!parts) return malformed
  // An offset of Z has no parts.
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, hours = 0, minutes = 0] = parts.map(
    part => part || 0,
  )
  if (second === 60) return 'Times here have no leap seconds: take the second before it, or the one after it.'
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  const fits = month >= 1 && month <= 12 && day >= 1 && day <= last && hour <= 23 && minute <= 59 && second <= 59
  return fits && hours <= 23 && minutes <= 59 ? new Date(text.toUpperCase()) : malformed
}
