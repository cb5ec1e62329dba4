/** The word of the day of one language: chosen once, kept for ever, replaced only when the entry is no longer there. */
import Type from 'typebox'
import type { Aggregate, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType } from '../event.ts'
import { streamName } from '../ids.ts'

// Stream

export const dayCategory = 'day'
/** `date` is a calendar day of UTC, `YYYY-MM-DD`. Language and date are the natural key. */
export const dayStream = (language: string, date: string): string => streamName(dayCategory, `${language}.${date}`)

// Events

const text = Type.String({ minLength: 1 })
export const WordOfTheDayChosen = eventType(
  'WordOfTheDayChosen',
  Type.Object({ language: text, date: text, entryId: text }, { additionalProperties: false }),
)
export const dayEvents = [WordOfTheDayChosen] as const
export type DayEvent = EventOf<(typeof dayEvents)[number]>

// Fold

export type Day = { readonly language: string; readonly entryId: string } | undefined

export const dayAggregate: Aggregate<Day, DayEvent> = {
  category: dayCategory,
  events: dayEvents,
  initial: undefined,
  evolve: (_, event) => ({ language: event.data.language, entryId: event.data.entryId }),
  route: day => ({ visibility: 'public', ...defined({ language: day?.language }) }),
}

// Decide

/** Chooses the entry unless another has been chosen; `gone` names one that was, and is no longer there. */
export const choose =
  (chosen: { readonly language: string; readonly date: string; readonly entryId: string }, gone: string | undefined) =>
  (day: Day): Decision<DayEvent, never> =>
    day === undefined || day.entryId === gone ? [{ type: 'WordOfTheDayChosen', data: chosen }] : []
