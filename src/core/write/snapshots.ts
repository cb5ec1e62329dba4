/**
 * Stored snapshots: what is folded of a long stream, kept beside the read models so that a node which does not know the stream
 * reads on from there. A snapshot saves work and decides nothing: it is believed when its checksum fits, it is of this log, stream and
 * fold, and the event at its revision is the one that it names; else it is as if there were none, and the next one takes its place.
 */
import type { JsonObject } from '../../domain/event.ts'
import { checksum, mix } from '../../ports/checksum.ts'
import { type Clock, waitAtMost } from '../../ports/clock.ts'
import type { ReadStore } from '../../ports/read-store.ts'

/** A command of late as JSON: its id, its last revision, its time, the hash of its body. */
export type SeenCommand = readonly [id: string, revision: string, at: string, fingerprint: string | null]

export type Snapshot = {
  readonly logId: string
  readonly stream: string
  /** Of the fold that made it: of the aggregate and of what stands beside its state. */
  readonly version: string
  readonly revision: string
  /** Of the event at the revision (src/domain/mark.ts). */
  readonly mark: string
  /** Name of the document key that sealed the stream so far. */
  readonly key: string | null
  readonly recent: readonly SeenCommand[]
  readonly state: JsonObject
}

/** What names a snapshot beside the log, which is the one it was opened for. */
export type NewSnapshot = Omit<Snapshot, 'logId'>

export type Snapshots = {
  /** The stream's snapshot of this version; undefined when there is none that can be believed so far, or nobody answers in time. */
  find(stream: string, version: string): Promise<Snapshot | undefined>
  /** Keeps it, in the background: who folded is not held up, and what fails costs a later fold. */
  keep(snapshot: NewSnapshot): void
  /** Waits for what is being kept. */
  close(): Promise<void>
}

/** The read store may be away: a fold of the stream takes about as long. */
const PATIENCE_MS = 1_000
/** MongoDB takes 16 MB a document; the past of a million revisions. */
const MAX_CHARACTERS = 8_000_000

const nameOf = (stream: string): string => `snapshot:${stream}`

const isSeen = (value: unknown): value is SeenCommand =>
  Array.isArray(value) &&
  value.length === 4 &&
  value.every((each, at) => typeof each === 'string' || (at === 3 && each === null))

const isSnapshot = (value: unknown): value is Snapshot =>
  typeof value === 'object' &&
  value !== null &&
  'logId' in value &&
  'stream' in value &&
  'version' in value &&
  'revision' in value &&
  'mark' in value &&
  [value.logId, value.stream, value.version, value.revision, value.mark].every(each => typeof each === 'string') &&
  'key' in value &&
  (value.key === null || typeof value.key === 'string') &&
  'recent' in value &&
  Array.isArray(value.recent) &&
  value.recent.every(isSeen) &&
  'state' in value &&
  typeof value.state === 'object' &&
  value.state !== null &&
  !Array.isArray(value.state)

const sumOf = (text: string): number => checksum(mix(0, text.length), text)

/** Checksum and text: a space apart. */
const sealed = (snapshot: Snapshot): string => {
  const text = JSON.stringify(snapshot)
  return `${sumOf(text)} ${text}`
}

const opened = (stored: string | undefined): Snapshot | undefined => {
  if (stored === undefined) return undefined
  const end = stored.indexOf(' ')
  const text = stored.slice(end + 1)
  if (stored.slice(0, end) !== String(sumOf(text))) return undefined
  const value: unknown = JSON.parse(text)
  return isSnapshot(value) ? value : undefined
}

/** What became of a look-up, or of a snapshot that was to be kept. */
export type SnapshotResult = 'found' | 'none' | 'kept' | 'failed'

/** `onResult` hears of each: what fails costs a fold and nothing else. */
export const openSnapshots = (deps: {
  readonly records: Pick<ReadStore, 'record' | 'swap'>
  readonly logId: string
  readonly clock: Pick<Clock, 'sleep'>
  readonly onResult?: (result: SnapshotResult) => void
}): Snapshots => {
  const { records, logId, clock, onResult = () => undefined } = deps
  const keeping = new Map<string, Promise<void>>()

  const believed = (found: Snapshot | 'failed' | undefined, stream: string, version: string): Snapshot | undefined =>
    found !== undefined &&
    found !== 'failed' &&
    found.logId === logId &&
    found.stream === stream &&
    found.version === version
      ? found
      : undefined

  const write = async (snapshot: NewSnapshot): Promise<void> => {
    const { stream, version, revision } = snapshot
    const text = sealed({ ...snapshot, logId })
    if (text.length > MAX_CHARACTERS) return
    const stored = await records.record(nameOf(stream))
    const before = opened(stored)
    const isNewer = before?.logId === logId && before.version === version && BigInt(before.revision) >= BigInt(revision)
    // Where another node was first its own is as good, and where none is believed the next fold keeps one.
    if (!isNewer) await records.swap(nameOf(stream), stored, text)
    onResult('kept')
  }

  return {
    find: async (stream, version) => {
      let found: Snapshot | 'failed' | undefined = 'failed'
      const looking = records.record(nameOf(stream)).then(
        stored => {
          found = opened(stored)
        },
        () => undefined,
      )
      await waitAtMost(clock, PATIENCE_MS, looking)
      const result = believed(found, stream, version)
      onResult(result === undefined ? (found === 'failed' ? 'failed' : 'none') : 'found')
      return result
    },
    keep: snapshot => {
      const { stream } = snapshot
      // One at a time: the next one comes with the next events.
      if (keeping.has(stream)) return
      const work = write(snapshot)
        .catch(() => onResult('failed'))
        .finally(() => keeping.delete(stream))
      keeping.set(stream, work)
    },
    close: async () => {
      await Promise.all(keeping.values())
    },
  }
}
