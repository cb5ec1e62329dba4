/**
 * How far the clocks of nodes are apart. Locks are times by the clock of whoever took them, so that a clock that is far ahead
 * takes over what others still do. Each node writes its time every few seconds; who sees it change knows that it is fresh, and
 * compares it with their own. What never changes says nothing: its node may be gone.
 */
import type { Clock } from '../../ports/clock.ts'
import type { ConsumerStore } from '../../ports/read-store.ts'

export const BEAT_MS = 5_000
/** Between two looks at the others': what is seen of their clocks is older by no more. */
const LOOK_MS = 1_000
/** A record that has not changed for so long is of a node that is gone. */
const GONE_MS = 60_000

export const NODE_RECORDS = 'node:'

/** `at`: milliseconds since 1970 by the node's clock; `beat` raises with each. */
export const parseBeat = (text: string): { readonly at: number; readonly beat: number } | undefined => {
  const [, at, beat] = /^(\d{1,15}) (\d{1,15})$/.exec(text) ?? []
  return at === undefined || beat === undefined ? undefined : { at: Number(at), beat: Number(beat) }
}

export type NodeClocks = {
  /** Of the node that differs most, how far it is ahead, in milliseconds; 0 where no other is seen. */
  apart(): number
  close(): Promise<void>
}

type Seen = { readonly text: string; readonly since: number; readonly aheadMs: number | undefined }

/** Begins at once, and goes on where the store is away for a while. */
export const openNodeClocks = (deps: {
  readonly records: Pick<ConsumerStore, 'record' | 'records' | 'swap'>
  readonly clock: Clock
  readonly nodeId: string
}): NodeClocks => {
  const { records, clock, nodeId } = deps
  const ending = new AbortController()
  const mine = `${NODE_RECORDS}${nodeId}`
  const seen = new Map<string, Seen>()
  let own: string | undefined
  let beat = 0

  const say = async (): Promise<void> => {
    const next = `${clock.now().getTime()} ${beat}`
    beat += 1
    // An answer that was lost, or a file that was replaced: what is there now is not what was written last.
    if (await records.swap(mine, own, next)) own = next
    else own = await records.record(mine)
  }
  const compare = async (): Promise<void> => {
    const found = await records.records(NODE_RECORDS)
    const [now, monotonic] = [clock.now().getTime(), clock.monotonic()]
    for (const name of seen.keys()) if (!found.has(name)) seen.delete(name)
    for (const [name, text] of found) {
      if (name === mine) continue
      const before = seen.get(name)
      if (before?.text === text) {
        if (monotonic - before.since < GONE_MS) continue
        await records.swap(name, text, undefined)
        seen.delete(name)
        continue
      }
      const told = parseBeat(text)
      // The first look does not say how old it is.
      const aheadMs = before && told ? told.at - now : undefined
      seen.set(name, { text, since: monotonic, aheadMs })
    }
  }
  const done = (async () => {
    for (let look = 0; !ending.signal.aborted; look += 1) {
      try {
        if (look % (BEAT_MS / LOOK_MS) === 0) await say()
        await compare()
      } catch {
        // The store is away: nobody is seen meanwhile, and what was seen grows old.
      }
      await clock.sleep(LOOK_MS, ending.signal)
    }
  })()

  return {
    apart: () => {
      const all = [...seen.values()].flatMap(({ aheadMs, since }) =>
        aheadMs === undefined || clock.monotonic() - since >= GONE_MS ? [] : [aheadMs],
      )
      return all.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0)
    },
    close: async () => {
      ending.abort()
      await done
      if (own !== undefined) await records.swap(mine, own, undefined).catch(() => undefined)
    },
  }
}
