/** What is counted. */
import { searchesAggregate } from '../../domain/search/searches.ts'
import { analyticsProjection } from '../../projections/analytics.ts'
import type { Declared } from '../declared.ts'

export const analytics: Declared = {
  name: 'analytics',
  aggregates: [searchesAggregate],
  projections: [analyticsProjection],
}
