/**
 * The log of the double of an EventStoreDB server: streams, revisions, positions as byte offsets, and what the real
 * server (23.10.6) was seen to answer to events that are sent again. It knows nothing of gRPC.
 */
import { randomUUID } from 'node:crypto'

/** What an append may say of the stream: a revision, -1 for none, or one of the two that this project never uses. */
export type ExpectedVersion = bigint | 'any' | 'exists'

export type Proposed = {
  readonly id: string
  readonly type: string
  readonly contentType: string
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

export type DoubleRecord = Proposed & {
  readonly stream: string
  readonly revision: bigint
  /** Commit and prepare at once: there are no transactions. */
  readonly position: bigint
  /** 100 ns since 1970, as the server's metadata says it. */
  readonly created: bigint
}

export type AppendOutcome =
  | { readonly outcome: 'written'; readonly revision: bigint; readonly position: bigint | undefined }
  | { readonly outcome: 'wrong-version'; readonly current: bigint }
  | { readonly outcome: 'deleted' }

type Stream = { records: DoubleRecord[]; next: bigint; deleted: 'no' | 'soft' | 'hard' }

/** `any` and `exists` know an id by a table in memory, which a restart empties and this many later events push it out of. */
const REMEMBERED = 100_000
/** What a record takes beside its texts. */
const OVERHEAD = 92n

export type DoubleLog = {
  append(stream: string, expected: ExpectedVersion, events: readonly Proposed[]): AppendOutcome
  /** Writes as the server itself does: statistics, links, metadata, to a stream that begins with `$`. */
  system(stream: string, type: string, data?: string): DoubleRecord
  /** `undefined`: there is no such stream, or it was deleted softly. */
  stream(name: string): readonly DoubleRecord[] | undefined
  isTombstoned(name: string): boolean
  delete(stream: string, expected: ExpectedVersion, hard: boolean): AppendOutcome
  readonly all: readonly DoubleRecord[]
  /**
   * Where in `all` a reading from the position begins; undefined when no record ever began there. `gone`: the record was
   * scavenged, and the index is that of the first one after it.
   */
  indexAt(position: bigint): { readonly index: number; readonly gone: boolean } | undefined
  /** Takes a record out of the log, as a scavenge does. */
  scavenge(position: bigint): void
  /** Takes the end off, as an older backup put back does: what is written next stands where that began. */
  truncateAfter(position: bigint): void
  /** What a restart forgets. */
  restart(): void
  onWritten(listener: () => void): () => void
  /** Wakes who listens: there is more to read. */
  tell(): void
}

export const openDoubleLog = (now: () => number): DoubleLog => {
  const all: DoubleRecord[] = []
  const streams = new Map<string, Stream>()
  const listeners = new Set<() => void>()
  let remembered = new Map<string, DoubleRecord>()
  const scavenged = new Set<bigint>()
  let offset = 0n

  const streamOf = (name: string): Stream => {
    const known = streams.get(name)
    if (known) return known
    const made: Stream = { records: [], next: 0n, deleted: 'no' }
    streams.set(name, made)
    return made
  }

  const tell = (): void => {
    for (const listener of [...listeners]) listener()
  }

  const write = (name: string, events: readonly Proposed[]): DoubleRecord | undefined => {
    const stream = streamOf(name)
    stream.deleted = 'no'
    let last: DoubleRecord | undefined
    for (const event of events) {
      last = { ...event, stream: name, revision: stream.next, position: offset, created: BigInt(now()) * 10_000n }
      offset += OVERHEAD + BigInt(event.data.length + event.metadata.length + event.type.length + name.length)
      stream.next += 1n
      stream.records.push(last)
      all.push(last)
      const key = `${name} ${event.id}`
      remembered.delete(key)
      remembered.set(key, last)
      if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value ?? '')
    }
    if (last) tell()
    return last
  }

  const at = (stream: Stream, revision: bigint): DoubleRecord | undefined =>
    stream.records[Number(revision - (stream.records[0]?.revision ?? 0n))]

  /** The events as they stand from a revision on, when they are all there in this order. */
  const repeat = (stream: Stream, from: bigint, events: readonly Proposed[]): DoubleRecord | undefined => {
    let last: DoubleRecord | undefined
    for (const [index, event] of events.entries()) {
      last = at(stream, from + BigInt(index))
      if (last?.id !== event.id) return undefined
    }
    return last
  }

  const answer = (record: DoubleRecord | undefined, revision: bigint): AppendOutcome => ({
    outcome: 'written',
    revision: record?.revision ?? revision,
    position: record?.position,
  })

  return {
    all,
    append: (name, expected, events) => {
      const stream = streams.get(name) ?? { records: [], next: 0n, deleted: 'no' }
      if (stream.deleted === 'hard') return { outcome: 'deleted' }
      const current = stream.records.length === 0 || stream.deleted === 'soft' ? -1n : stream.next - 1n
      const wrong = { outcome: 'wrong-version', current } as const
      const [first] = events
      if (!first) return answer(undefined, current)
      if (typeof expected === 'bigint') {
        if (expected === current) return answer(write(name, events), current)
        if (expected > current) return wrong
        const there = repeat(stream, expected + 1n, events)
        return there ? answer(there, current) : wrong
      }
      if (expected === 'exists' && current === -1n) return wrong
      const known = remembered.get(`${name} ${first.id}`)
      if (!known) return answer(write(name, events), current)
      const there = repeat(stream, known.revision, events)
      return there ? answer(there, current) : wrong
    },
    system: (stream, type, data = '{}') => {
      const event = { id: randomUUID(), type, contentType: 'application/json', metadata: new Uint8Array() }
      const record = write(stream, [{ ...event, data: Buffer.from(data) }])
      if (!record) throw new Error('nothing was written')
      return record
    },
    stream: name => {
      const stream = streams.get(name)
      return stream && stream.deleted === 'no' && stream.records.length > 0 ? stream.records : undefined
    },
    isTombstoned: name => streams.get(name)?.deleted === 'hard',
    delete: (name, expected, hard) => {
      const stream = streamOf(name)
      if (stream.deleted === 'hard') return { outcome: 'deleted' }
      const current = stream.next - 1n
      if (typeof expected === 'bigint' && expected !== current) return { outcome: 'wrong-version', current }
      stream.deleted = hard ? 'hard' : 'soft'
      stream.records = []
      return { outcome: 'written', revision: current, position: undefined }
    },
    indexAt: position => {
      let [low, high] = [0, all.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if ((all[middle]?.position ?? 0n) >= position) high = middle
        else low = middle + 1
      }
      if (all[low]?.position === position) return { index: low, gone: false }
      return scavenged.has(position) ? { index: low, gone: true } : undefined
    },
    scavenge: position => {
      const index = all.findIndex(each => each.position === position)
      if (index < 0) return
      all.splice(index, 1)
      scavenged.add(position)
    },
    truncateAfter: position => {
      for (let last = all.at(-1); last && last.position > position; last = all.at(-1)) {
        all.pop()
        offset = last.position
        const stream = streamOf(last.stream)
        stream.records.pop()
        stream.next -= 1n
        remembered.delete(`${last.stream} ${last.id}`)
      }
    },
    restart: () => {
      remembered = new Map()
    },
    tell,
    onWritten: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
