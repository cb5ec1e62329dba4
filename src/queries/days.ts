/** The word of the day: the same for everyone, chosen at the first question of the day and kept as an event. */

import type { Query } from '../core/query/define.ts'
import type { Day } from '../domain/entry/day.ts'
import { refuse } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'
import { isOutage } from '../ports/outage.ts'
import { entriesProjection } from '../projections/entries.ts'
import type { EntryReads } from './entries.ts'
import { drawEntry } from './entry-draw.ts'
import { publicTags } from './entry-lists.ts'
import { EntrySchema, type EntryView, peopleIn, viewFor } from './entry-view.ts'

export type DayInput = { readonly language: string; readonly date?: string }

export type DayDeps = {
  readonly reads: EntryReads
  readonly clock: Clock
  /** The word as it stands in the log. */
  readonly chosen: (language: string, date: string) => Promise<Day>
  /** Records the choice, unless somebody was first: answers what counts. */
  readonly choose: (language: string, date: string, entryId: string, gone: string | undefined) => Promise<Day>
  /** A point in the space of ids, the same for the same seed. */
  readonly pointOf: (seed: string) => string
}

const HOUR_MS = 60 * 60 * 1000
/** Somewhere it is a day ahead of UTC (Kiritimati, UTC+14), somewhere a day behind (Baker Island, UTC-12). */
const AHEAD_MS = 14 * HOUR_MS
const BEHIND_MS = -12 * HOUR_MS

const dayOf = (clock: Clock, offsetMs = 0): string =>
  new Date(clock.now().getTime() + offsetMs).toISOString().slice(0, 10)

/** A day without a choice that is today nowhere on Earth stays without one: strangers cannot fill the log with days. */
export const wordOfTheDay = (deps: DayDeps): Query<DayInput, EntryView> => {
  const { reads, clock } = deps
  const visible = async (id: string) => {
    const found = (await reads.entries.get([id])).get(id)
    return found?.body.status === 'published' ? found : undefined
  }
  /** The day's entry as it is recorded; undefined where nothing can be written now. */
  const choose = async (language: string, date: string, entryId: string, gone: string | undefined) => {
    try {
      return (await deps.choose(language, date, entryId, gone))?.entryId
    } catch (error) {
      if (!isOutage(error)) throw error
      return undefined
    }
  }
  return {
    name: 'word-of-the-day',
    ofAll: true,
    people: peopleIn,
    permission: 'entries:read',
    output: EntrySchema,
    reads: [entriesProjection],
    closed: ['language', 'date'],
    caching: ({ language, date }) => ({
      strategy: 'until-changed',
      tags: publicTags(language),
      also: date ?? dayOf(clock),
    }),
    run: async ({ language, date }, reader) => {
      const day = date ?? dayOf(clock)
      const isToday = day >= dayOf(clock, BEHIND_MS) && day <= dayOf(clock, AHEAD_MS)
      const before = await deps.chosen(language, day)
      let found = before && (await visible(before.entryId))
      let isRecorded = true
      if (!found && isToday) {
        const { found: drawn } = await drawEntry(
          reads,
          { language },
          deps.pointOf(`${language} ${day} ${before?.entryId ?? ''}`),
        )
        const chosen = drawn && (await choose(language, day, drawn.id, before?.entryId))
        isRecorded = chosen !== undefined
        // Where nothing can be written the one that was drawn is answered.
        found = drawn && (await visible(chosen ?? drawn.id))
      }
      const value = found && viewFor(reader, found.id, found.body, found.body.revision)
      return value
        ? // Kept for nobody, so that the next one who asks records the choice.
          { value, position: reads.entries.position(), passing: !isRecorded }
        : refuse('day-unknown', 'No word was chosen for this language and day.')
    },
  }
}
