/** Single events of a stream by their revisions, for what knows which ones it needs. */
import type { Recorded } from '../../domain/event.ts'
import type { Log } from './log.ts'

type Run = { readonly from: bigint; readonly limit: number }

/** Revisions that lie next to each other are one read. */
const runsOf = (revisions: readonly bigint[]): readonly Run[] => {
  const runs: Run[] = []
  for (const revision of [...new Set(revisions)].toSorted((a, b) => (a < b ? -1 : 1))) {
    const last = runs.at(-1)
    if (last && last.from + BigInt(last.limit) === revision)
      runs.splice(-1, 1, { from: last.from, limit: last.limit + 1 })
    else runs.push({ from: revision, limit: 1 })
  }
  return runs
}

/** The events of the stream at these revisions; a revision that it has not is left out. @throws {EventStoreError | UndecodableEventError} */
export const eventsAt = async (
  log: Pick<Log, 'readStream'>,
  stream: string,
  revisions: readonly bigint[],
): Promise<ReadonlyMap<bigint, Recorded>> => {
  const events = new Map<bigint, Recorded>()
  const read = async ({ from, limit }: Run): Promise<void> => {
    for await (const page of log.readStream(stream, { from, limit }))
      for (const event of page) events.set(event.revision, event)
  }
  await Promise.all(runsOf(revisions).map(read))
  return events
}
