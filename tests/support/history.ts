/** The history's part of the edge for tests and benchmarks of other routes: there, and never asked. */
import type { HistoryEdge } from '../../src/adapters/http/routes/history.ts'

const absent = (): never => {
  throw new Error('Nobody reads the history here.')
}

export const noHistory: HistoryEdge = {
  history: { page: absent, stream: absent, event: absent, revisions: absent },
  readings: { page: absent, open: absent, close: async () => undefined },
  types: new Map([['entry', ['EntryDrafted']]]),
  personal: new Set(),
}
