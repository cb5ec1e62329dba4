/** Text that was removed leaves the files of the read models, not only what can be read of them. */
import type { Job } from './adapters/jobs/housekeeping.ts'
import type { Core } from './app-core.ts'
import type { Cleaning } from './app-engines.ts'
import { EntryRedacted } from './domain/entry-events.ts'
import { AccountErased } from './domain/erasure.ts'
import { parkedOf } from './projections/parking.ts'
import { consumerOf } from './subscribers/define.ts'
import { REDACTION } from './subscribers/redaction.ts'

/**
 * Up to where removals have left the files: `<log id> <position>`. Whichever node was first has done it for all. What is noted as
 * `cleaned` is of builds that wrote removed text again as they built, and did not overwrite free pages.
 */
const RECORD = 'scrubbed'
const consumer = consumerOf({ name: REDACTION })
/** Readers and writers are waited out so often, for so many milliseconds; then others have their turn for five seconds. */
const TRIES = 40
const PAUSE_MS = 50

type Deps = Pick<Core, 'store' | 'reads' | 'clock'>

const openCleaned = ({ reads, store }: Deps) => {
  const read = async (): Promise<{ readonly text: string | undefined; readonly position: bigint }> => {
    const text = await reads.record(RECORD)
    const [, logId, position = '0'] = /^(\S+) (\d+)$/.exec(text ?? '') ?? []
    return { text, position: logId === store.logId ? BigInt(position) : 0n }
  }
  return {
    position: async () => (await read()).position,
    reached: async (position: bigint): Promise<void> => {
      const known = await read()
      // Where another node was faster it has written as much, or will be followed by the next run.
      if (known.position < position) await reads.swap(RECORD, known.text, `${store.logId} ${position}`)
    },
  }
}

/**
 * Looks every five seconds for a removal that the read models have taken in, and then works through the file until nothing of
 * it is left: a few seconds for a gigabyte, in stretches between which others write.
 */
export const removedTextJob = (deps: Deps, cleaning: Cleaning): Job => {
  const { store, reads, clock } = deps
  const cleaned = openCleaned(deps)
  let read: bigint | undefined
  let last = 0n
  /** What the pages before `from` are free of. */
  let aim = 0n
  let from = 1

  const lastRemoval = async (): Promise<bigint> => {
    read ??= await cleaned.position()
    if ((await store.head()) <= read) return last
    for await (const batch of store.readAll(read, { types: [EntryRedacted.type, AccountErased.type] })) {
      last = batch.events.at(-1)?.position ?? last
      read = batch.position
    }
    return last
  }
  const scrubbed = async (signal: AbortSignal): Promise<boolean> => {
    for (let tries = 0; tries < TRIES && !signal.aborted; ) {
      const next = await cleaning.scrub(from)
      if (next === 0) return true
      if (next === from) {
        tries += 1
        await clock.sleep(PAUSE_MS, signal)
      }
      from = next
    }
    return false
  }
  return {
    name: 'removed-text',
    at: '*/5 * * * * *',
    run: async signal => {
      const removal = await lastRemoval()
      if (removal <= (await cleaned.position())) return undefined
      const removed = await reads.checkpoint(consumer)
      if (!removed || removed.logId !== store.logId || removed.position < removal) return undefined
      if ((await parkedOf(reads, consumer)).size > 0) return undefined
      if (aim !== removal) from = 1
      aim = removal
      if (!(await scrubbed(signal))) return undefined
      from = 1
      await cleaning.removeSetAside()
      await cleaned.reached(removal)
      return 'what was removed has left the files of the read models'
    },
  }
}
