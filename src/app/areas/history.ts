/** The history of everything, and who read it. */
import { readingAggregate } from '../../domain/history/history.ts'
import { historyProjection } from '../../projections/history.ts'
import type { Declared } from '../declared.ts'

export const history: Declared = {
  name: 'history',
  aggregates: [readingAggregate],
  projections: [historyProjection],
}
