/** Text that was removed leaves the files of the read models, not only what can be read of them. */
import type { HealthPart } from '../adapters/http/operation.ts'
import type { Job } from '../adapters/jobs/housekeeping.ts'
import { parkedOf, requestRetry } from '../core/consume/parking.ts'
import { consumerOf } from '../core/subscribe/define.ts'
import { AccountErased } from '../domain/account/erasure-events.ts'
import { defined } from '../domain/defined.ts'
import { REDACTION } from '../subscribers/redaction.ts'
import type { Core } from './core.ts'
import { removalsOf } from './declared.ts'
import type { Cleaning } from './engines.ts'

/**
 * Up to where removals have left the files: `<log id> <position>`. Whichever node was first has done it for all. What is noted as
 * `cleaned` is of builds that wrote removed text again as they built, and did not overwrite free pages; as `scrubbed`, of those that kept
 * addresses with people's words in them.
 */
const RECORD = 'left-the-files'
/** Those addresses. A node of such a build may have written them again. */
const ADDRESSES = 'hot-answers'
const consumer = consumerOf({ name: REDACTION })
/** Readers and writers are waited out so often, for so many milliseconds; then others have their turn for five seconds. */
const TRIES = 40
const PAUSE_MS = 50

/** What was removed so long ago and is still there is too late, in milliseconds. */
const LATE_MS = 60_000
/** What is parked is tried again so often, in milliseconds: it waits for nobody to ask. */
const RETRY_MS = 60_000

type Deps = Pick<Core, 'store' | 'reads' | 'clock' | 'areas'>

const openCleaned = ({ reads, store }: Pick<Deps, 'reads' | 'store'>) => {
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

/** A removal of which not every trace is known to be gone. */
type Owed = { readonly position: bigint; readonly at: number }

export type WatchedRemovals = {
  readonly job: Job
  /** For /health: how many removals are owed, since when and why; nothing of what was removed. */
  readonly part: () => HealthPart
}

/**
 * Looks every five seconds for a removal that the read models have taken in, and then works through the file until nothing of
 * it is left: a few seconds for a gigabyte, in stretches between which others write. `cleaning` has the engine whose file can be.
 */
export const watchRemovals = (deps: Deps, cleaning: Cleaning | undefined): WatchedRemovals => {
  const { store, reads, clock } = deps
  const cleaned = openCleaned(deps)
  const types = [...removalsOf(deps.areas).map(({ type }) => type.type), AccountErased.type]
  let read: bigint | undefined
  let owed: readonly Owed[] = []
  let reason = ''
  /** What the pages before `from` are free of. */
  let aim = ''
  let from = 1
  /** With some removals parked, the others leave the files once. */
  let done = ''
  let first = true
  let retried = Number.NEGATIVE_INFINITY

  const lookForRemovals = async (): Promise<void> => {
    read ??= await cleaned.position()
    if ((await store.head()) <= read) return
    for await (const batch of store.readAll(read, { types })) {
      const found = batch.events.filter(event => !event.damaged)
      owed = [...owed, ...found.map(({ position, recordedAt }) => ({ position, at: Date.parse(recordedAt) }))]
      read = batch.position
    }
  }
  const dropAddresses = async (): Promise<void> => {
    const kept = await reads.record(ADDRESSES)
    if (kept !== undefined) await reads.swap(ADDRESSES, kept, undefined)
  }
  const isDoneUpTo = (position: bigint): void => {
    owed = owed.filter(removal => removal.position > position)
  }
  const scrubbed = async (signal: AbortSignal): Promise<boolean> => {
    if (!cleaning) return true
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
  const isPassed = async (removal: bigint): Promise<boolean> => {
    const removed = await reads.checkpoint(consumer)
    return removed !== undefined && removed.logId === store.logId && removed.position >= removal
  }
  const retry = async (): Promise<void> => {
    if (clock.monotonic() - retried < RETRY_MS) return
    retried = clock.monotonic()
    await requestRetry(reads, consumer, clock.now())
  }
  const run: Job['run'] = async signal => {
    if (first) await dropAddresses()
    first = false
    await lookForRemovals()
    isDoneUpTo(await cleaned.position())
    const removal = owed.at(-1)?.position
    if (removal === undefined) return undefined
    if (!(await isPassed(removal))) {
      reason = `the subscriber ${REDACTION} has not carried them out`
      return undefined
    }
    const parked = (await parkedOf(reads, consumer)).size
    if (parked > 0) await retry()
    const wanted = `${removal} ${parked}`
    if (wanted !== done) {
      if (aim !== wanted) from = 1
      aim = wanted
      await dropAddresses()
      reason = 'the file of the read models is in use, or cannot be written'
      if (!(await scrubbed(signal))) return undefined
      from = 1
      await cleaning?.removeSetAside()
      done = wanted
    }
    if (parked > 0) {
      reason = `the subscriber ${REDACTION} has parked ${parked} of them`
      return undefined
    }
    await cleaned.reached(removal)
    isDoneUpTo(removal)
    done = ''
    return 'what was removed has left the read models'
  }
  return {
    job: { name: 'removed-text', at: '*/5 * * * * *', run },
    part: () => {
      const [oldest] = owed
      const lateMs = oldest === undefined ? 0 : Math.max(0, clock.now().getTime() - oldest.at)
      const isLate = oldest !== undefined && lateMs > LATE_MS
      return {
        state: isLate ? 'degraded' : 'ok',
        ...defined({
          detail: isLate ? { owed: owed.length, first: String(oldest.position), lateMs, reason } : undefined,
        }),
      }
    },
  }
}
