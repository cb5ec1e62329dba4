/** A log in memory for tests of its consumers: events as facts, no codec. */
import { randomUUID } from 'node:crypto'
import { type Log, type LogBatch, UndecodableEventError } from '../../src/core/log/log.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { categoryOf } from '../../src/domain/ids.ts'
import { markOf, NO_MARK } from '../../src/domain/mark.ts'
import type { LogFilter } from '../../src/ports/event-store.ts'

export type MemoryLog = Pick<Log, 'logId' | 'subscribe' | 'readAll' | 'readFrom' | 'readStream' | 'head' | 'markAt'> & {
  /** Appends one event; positions grow by three, so that nobody takes them for dense. */
  write(stream: string, type: string, data?: JsonObject): Recorded
  /** As an older copy that is put back: what came after the position is gone, and other events will stand there. */
  putBack(position: bigint): void
  /** Types that this build cannot read. */
  readonly unknown: Set<string>
  readonly events: readonly Recorded[]
}

const wanted = (event: Recorded, filter: LogFilter | undefined): boolean =>
  (filter?.categories?.includes(categoryOf(event.stream)) ?? true) && (filter?.types?.includes(event.type) ?? true)

export const memoryLog = (options: { readonly logId?: string; readonly page?: number } = {}): MemoryLog => {
  const { logId = randomUUID(), page = 100 } = options
  const events: Recorded[] = []
  const revisions = new Map<string, bigint>()
  const unknown = new Set<string>()
  let wake: () => void = () => undefined
  let grown = new Promise<void>(resolve => {
    wake = resolve
  })
  const last = (): bigint => events.at(-1)?.position ?? 0n

  async function* readAll(after: bigint, filter?: LogFilter): AsyncGenerator<LogBatch> {
    const head = last()
    let position = after
    do {
      await null
      const rest = events.filter(each => each.position > position && each.position <= head).slice(0, page)
      const bad = rest.findIndex(each => unknown.has(each.type) && wanted(each, filter))
      const readable = bad < 0 ? rest : rest.slice(0, bad)
      position = bad < 0 ? (rest.at(-1)?.position ?? head) : (readable.at(-1)?.position ?? position)
      if (position < after) position = after
      if (readable.length > 0 || bad < 0)
        yield { events: readable.filter(each => wanted(each, filter)), position, caughtUp: bad < 0 && position >= head }
      const event = rest[bad]
      if (event) throw new UndecodableEventError('unknown-type', event, `no event type ${event.type} in this build`)
    } while (position < head)
  }
  return {
    logId,
    events,
    unknown,
    write: (stream, type, data = {}) => {
      const revision = (revisions.get(stream) ?? -1n) + 1n
      revisions.set(stream, revision)
      const at = new Date(1_700_000_000_000 + events.length).toISOString()
      const id = randomUUID()
      const event: Recorded = {
        id,
        type,
        data,
        stream,
        revision,
        position: last() + 3n,
        recordedAt: at,
        meta: {
          actor: { kind: 'system', id: 'test' },
          commandId: id,
          correlationId: id,
          causationId: id,
          at,
          schema: 1,
          route: { visibility: 'public' },
        },
      }
      events.push(event)
      const woken = wake
      grown = new Promise<void>(resolve => {
        wake = resolve
      })
      woken()
      return event
    },
    putBack: position => {
      events.length = events.filter(event => event.position <= position).length
      revisions.clear()
      for (const { stream, revision } of events) revisions.set(stream, revision)
    },
    readAll,
    // Positions of this log are any number.
    readFrom: (position, filter) => readAll(position - 1n, filter),
    async *subscribe(after, filter, signal) {
      const aborted = new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve(), { once: true }))
      for (let position = after; !signal?.aborted; ) {
        const more = grown
        for await (const batch of readAll(position, filter)) {
          if (signal?.aborted) return
          position = batch.position
          yield batch
        }
        if (last() <= position) await Promise.race([more, aborted])
      }
    },
    readStream: async function* (stream, { from = 0n } = {}) {
      const event = events.find(each => each.stream === stream && each.revision === from)
      if (event) yield [event]
    },
    head: async () => last(),
    markAt: async position => {
      const event = events.find(each => each.position === position)
      return event ? markOf(event.id, event.meta.at) : NO_MARK
    },
  }
}
