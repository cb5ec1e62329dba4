/**
 * What a node keeps in memory that it could do without, or that waits to be sent: one number of bytes for all of it, of which each kind
 * has its part. Caches forget what was used least lately; a buffer cuts the readers for whom the most waits.
 */
import { LRUCache } from 'lru-cache'

/** Parts of the whole, in thirty-seconds. */
const PARTS = {
  /** Folded states of streams. */
  streams: 8,
  /** Documents of read models between two batches. */
  documents: 8,
  /** Answers to queries. */
  answers: 7,
  /** What such answers depend on. */
  tags: 1,
  /** Claims of commands by their Idempotency-Key. */
  claims: 1,
  /** Requests and tries that are counted, and presence. */
  counts: 1,
  /** Access tokens that were verified. */
  tokens: 1,
  /** Parts of the log that were read a moment ago: for those who resume the live feed, and for consumers at its head. */
  replays: 1,
  /** Of the live feed what its listeners have not taken yet. */
  live: 4,
} as const
const WHOLE = 32
export type MemoryPart = keyof typeof PARTS

/** What an entry takes beside its key and value: both lists that it stands in. */
const OVERHEAD_BYTES = 300

export type BoundedCache<V> = {
  get(key: string): V | undefined
  /** As `get`, and it stays as long unused as it was. */
  peek(key: string): V | undefined
  has(key: string): boolean
  /** A value that is larger than the part is not kept, nor is what it replaces. */
  set(key: string, value: V): void
  delete(key: string): void
  clear(): void
}

export type CacheOptions<V> = {
  /** Bytes of a value, about. */
  readonly sizeOf: (value: V) => number
  /** Values of this cache at most, whatever their size. */
  readonly max: number
}

export type Region = {
  readonly bytes: number
  /** A cache within the region: the caches of one region push out each other's values. */
  cache<V extends object | number>(options: CacheOptions<V>): BoundedCache<V>
}

/** Bytes that wait for one reader. */
export type ByteAccount = {
  /** So many wait now. Where that is too much for all together, those for whom the most waits are cut: this one, maybe. */
  hold(bytes: number): void
}

/** Bytes that wait for readers: bounded for all of them together. */
export type ByteBuffer = {
  /** `cut`: there is no room, and for this reader the most waits: it is to let go of it, and is counted no more. */
  account(cut: () => void): ByteAccount
}

export type MemoryReport = {
  readonly part: MemoryPart
  readonly bytes: number
  readonly limit: number
  /** Values forgotten, or readers cut, for room since the start. */
  readonly full: number
}

export type Memory = {
  readonly bytes: number
  region(part: Exclude<MemoryPart, 'live'>): Region
  readonly live: ByteBuffer
  report(): readonly MemoryReport[]
}

type Opened = { readonly region: Region; readonly report: () => Omit<MemoryReport, 'part'> }

const openRegion = (bytes: number): Opened => {
  let full = 0
  let held = 0
  let uses = 0
  /** By the number that a value was given as it was set: how to forget it in its cache. */
  const all = new LRUCache<number, () => void>({
    maxSize: bytes,
    disposeAfter: (forget, _, reason) => {
      if (reason !== 'evict') return
      full += 1
      forget()
    },
  })
  const cache = <V extends object | number>({ sizeOf, max }: CacheOptions<V>): BoundedCache<V> => {
    const own = new LRUCache<string, { readonly value: V; readonly held: number; used: number }>({
      max,
      disposeAfter: (value, _key, reason) => {
        if (reason === 'evict') all.delete(value.held)
      },
    })
    const drop = (key: string): void => {
      const known = own.peek(key)
      if (!known) return
      own.delete(key)
      all.delete(known.held)
    }
    return {
      get: key => {
        const found = own.get(key)
        if (!found) return undefined
        uses += 1
        // What is used all the time need not be told each time that it is: an eighth of all that is held may pass in between.
        if ((uses - found.used) * 8 < all.size) return found.value
        found.used = uses
        all.get(found.held)
        return found.value
      },
      peek: key => own.peek(key)?.value,
      has: key => own.has(key),
      set: (key, value) => {
        const size = OVERHEAD_BYTES + 4 * key.length + sizeOf(value)
        if (size > bytes) return drop(key)
        drop(key)
        held += 1
        uses += 1
        own.set(key, { value, held, used: uses })
        all.set(held, () => own.delete(key), { size: Math.ceil(size) })
      },
      delete: drop,
      clear: () => {
        for (const value of own.values()) all.delete(value.held)
        own.clear()
      },
    }
  }
  return { region: { bytes, cache }, report: () => ({ bytes: all.calculatedSize, limit: bytes, full }) }
}

/** So much of the whole is free after a cut, so that the readers are not looked through at each message. */
const CUT_TO = 7 / 8

const openBuffer = (limit: number) => {
  let [bytes, full] = [0, 0]
  type Waiting = { bytes: number; isOpen: boolean; readonly cut: () => void }
  /** Those for whom something waits. */
  const waiting = new Set<Waiting>()
  const set = (one: Waiting, held: number): void => {
    bytes += held - one.bytes
    one.bytes = held
    if (held > 0) waiting.add(one)
    else waiting.delete(one)
  }
  const makeRoom = (): void => {
    for (const most of [...waiting].toSorted((a, b) => b.bytes - a.bytes)) {
      if (bytes <= limit * CUT_TO) return
      full += 1
      most.isOpen = false
      set(most, 0)
      most.cut()
    }
  }
  const buffer: ByteBuffer = {
    account: cut => {
      const one: Waiting = { bytes: 0, isOpen: true, cut }
      return {
        hold: held => {
          if (!one.isOpen || held === one.bytes) return
          set(one, held)
          if (bytes > limit) makeRoom()
        },
      }
    },
  }
  return { buffer, report: () => ({ bytes, limit, full }) }
}

const partOf = (part: MemoryPart, bytes: number): number => Math.max(1, Math.floor((bytes * PARTS[part]) / WHOLE))

/** `bytes` for all of it together. */
export const openMemory = (bytes: number): Memory => {
  const open = (part: MemoryPart): Opened => openRegion(partOf(part, bytes))
  const regions = {
    streams: open('streams'),
    documents: open('documents'),
    answers: open('answers'),
    tags: open('tags'),
    claims: open('claims'),
    counts: open('counts'),
    tokens: open('tokens'),
    replays: open('replays'),
  }
  const live = openBuffer(partOf('live', bytes))
  return {
    bytes,
    region: part => regions[part].region,
    live: live.buffer,
    report: () => [
      { part: 'streams', ...regions.streams.report() },
      { part: 'documents', ...regions.documents.report() },
      { part: 'answers', ...regions.answers.report() },
      { part: 'tags', ...regions.tags.report() },
      { part: 'claims', ...regions.claims.report() },
      { part: 'counts', ...regions.counts.report() },
      { part: 'tokens', ...regions.tokens.report() },
      { part: 'replays', ...regions.replays.report() },
      { part: 'live', ...live.report() },
    ],
  }
}
