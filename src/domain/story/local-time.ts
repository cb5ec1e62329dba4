/** Times by the clock of a zone, as people plan with them: an instant is found for each that the clock shows. */

const parts = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/

const DAY_MS = 24 * 60 * 60 * 1000

/** What the zone's clock shows at the instant, as if it were UTC; in milliseconds. */
const shownAt = (instant: number, timeZone: string): number => {
  const shown = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant)
  const value = (type: string): number => Number(shown.find(part => part.type === type)?.value)
  return Date.UTC(value('year'), value('month') - 1, value('day'), value('hour'), value('minute'), value('second'))
}

/** The same text as a time of UTC, in milliseconds; undefined where the calendar has no such day or the day no such time. */
const asUtc = (local: string): number | undefined => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (parts.exec(local) ?? [])
    .slice(1)
    .map(part => Number(part ?? 0))
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(time)
  const isSame =
    year >= 1970 &&
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  return isSame ? time : undefined
}

/**
 * The instant at which the clock of `timeZone` (IANA) shows the time: the first of two, where clocks are put back over it. `no-time`:
 * it is no time of the calendar; `gap`: clocks are put forward over it, and never show it.
 */
export const instantAt = (local: string, timeZone: string): Date | 'no-time' | 'gap' => {
  const wanted = asUtc(local)
  if (wanted === undefined) return 'no-time'
  // No zone changes its offset twice within a day on either side.
  const offsets = [wanted - DAY_MS, wanted + DAY_MS].map(near => shownAt(near, timeZone) - near)
  const instants = offsets.map(offset => wanted - offset).filter(instant => shownAt(instant, timeZone) === wanted)
  return instants.length === 0 ? 'gap' : new Date(Math.min(...instants))
}
