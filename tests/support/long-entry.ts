/** One entry whose author has edited it again and again, with as much text as is wanted, over a counted store. */
import { openLog } from '../../src/core/log/open.ts'
import { openSnapshots, type SnapshotResult } from '../../src/core/write/snapshots.ts'
import { type Envelope, openTransactor } from '../../src/core/write/transact.ts'
import type { Deciding } from '../../src/domain/decider.ts'
import { emptyContent } from '../../src/domain/entry/content.ts'
import { entryStream } from '../../src/domain/entry/entry.ts'
import { type EntryEvent, entryEvents } from '../../src/domain/entry/events.ts'
import { type EntryState, entryAggregate } from '../../src/domain/entry/state.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { openTurns } from '../../src/domain/turns.ts'
import { entryHistory, getEntry } from '../../src/queries/entries.ts'
import { patientClock } from './clocks.ts'
import { countedStore } from './counted-store.ts'
import { openMemoryEventStore } from './memory-event-store.ts'
import { openMemoryKeys } from './memory-keys.ts'
import { memoryRecords } from './memory-records.ts'
import { unusedView } from './projections.ts'

export const AUTHOR = '018f4d5e-7a6b-7c3d-8e9f-0a1b2c3d4e5f'
const ID = '0d2f1a52-0c4b-5a7e-8a51-2f6d0b9c7e11'
const START = Date.parse('2026-01-01T00:00:00.000Z')
const PAGE_EVENTS = 16

const drafted: EntryEvent = {
  type: 'EntryDrafted',
  data: {
    language: 'en',
    lemma: 'long',
    partOfSpeech: 'noun',
    homograph: 1,
    licence: 'CC0-1.0',
    content: emptyContent,
  },
}

/** `revisions` edits of `characters` each, after the draft. */
export const openLongEntry = async (revisions: number, characters: number, records = memoryRecords()) => {
  const counted = countedStore(openMemoryEventStore({ pageSize: PAGE_EVENTS }))
  const keys = openMemoryKeys()
  const log = openLog({ store: counted.store, keys, types: entryEvents })
  const clock = patientClock()
  /** A node: another one has nothing of the first one's memory. */
  const start = () => {
    const results: SnapshotResult[] = []
    const onResult = (result: SnapshotResult): void => void results.push(result)
    const snapshots = openSnapshots({ records, logId: log.logId, clock, onResult })
    const options = { aggregate: entryAggregate, log, clock, random: () => 0, cachedStreams: 100 }
    const streams = openTransactor({ ...options, snapshots })
    const reads = { entries: unusedView, log, streams, folds: openTurns(1, 1) }
    return { streams, snapshots, results, history: entryHistory(reads), entry: getEntry(reads) }
  }
  const node = start()
  let commands = 0
  const envelope = (): Envelope => {
    commands += 1
    return {
      commandId: `00000000-0000-5000-8000-${String(commands).padStart(12, '0')}`,
      actor: { kind: 'account', id: AUTHOR },
      correlationId: 'long',
      at: new Date(START + commands * 60_000),
    }
  }
  const run = async (decide: Deciding<EntryState, EntryEvent>, on = node, as = envelope()) => {
    const result = await on.streams.run(entryStream(ID), decide, as)
    if (isRefusal(result)) throw new Error(result.detail)
    return result
  }
  const edit = (n: number): EntryEvent => ({
    type: 'DraftEdited',
    data: { changes: { etymology: `${n} `.padEnd(characters, 'x') } },
  })
  await run(() => [drafted])
  for (let n = 1; n <= revisions; n += 1) await run(() => [edit(n)])
  const timeOf = (revision: number): Date => new Date(START + (revision + 1) * 60_000)
  await node.snapshots.close()
  return {
    id: ID,
    stream: entryStream(ID),
    node,
    records,
    start,
    run,
    edit,
    envelope,
    timeOf,
    clock,
    during: counted.during,
    log,
    keys,
  }
}
export type LongEntry = Awaited<ReturnType<typeof openLongEntry>>
