/** What health says of the live feed: whether it has read what the log has. */
import type { HealthPart } from '../adapters/http/operation.ts'
import type { LiveStats } from '../adapters/metrics/sources.ts'
import type { Clock } from '../ports/clock.ts'

/** Events that the live feed has not read for longer are late for those who listen. */
const LATE_LIVE_MS = 10_000

/** How far the log was, and when: whoever has read up to there owes nothing older. */
type Mark = { readonly head: bigint; readonly at: number }

/** The live feed against the log's end; without news of that, against what was known of it. */
export const openLivePart = ({ clock }: { readonly clock: Pick<Clock, 'monotonic'> }, live?: () => LiveStats) => {
  let owed: Mark | undefined
  return (head: bigint | undefined): { readonly part?: HealthPart; readonly behindMs?: number } => {
    if (!live) return {}
    const { position, connections, replays } = live()
    const at = clock.monotonic()
    if (owed && position >= owed.head) owed = undefined
    if (!owed && head !== undefined && position < head) owed = { head, at }
    const behindMs = owed ? Math.round(at - owed.at) : 0
    const lag = head !== undefined && head > position ? head - position : 0n
    const part: HealthPart = {
      state: behindMs > LATE_LIVE_MS ? 'degraded' : 'ok',
      lag: String(lag),
      detail: { connections, replays, behindMs },
    }
    return { part, behindMs }
  }
}
