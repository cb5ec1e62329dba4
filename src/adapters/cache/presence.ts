/**
 * Which nodes are there, and who listens to them: each says so every two seconds, and counts as gone ten seconds after it said
 * so last. Without Redis, or while it is away, a node sees itself alone, and says that.
 */
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'

/** Live connections, and the accounts and addresses that they belong to. */
export type NodeFigures = { readonly connections: number; readonly listeners: number }
/** Of all nodes together: who listens to two of them counts twice. `alone`: of this node only, as others cannot be seen. */
export type NodesReport = NodeFigures & { readonly nodes: number; readonly alone: boolean }

export type Presence = {
  /** This node as it is now, the others as they said last. */
  all(): NodesReport
  /** Says that this node leaves. */
  close(): Promise<void>
}

const GROUP = 'nodes'
const BEAT_MS = 2_000
const GONE_MS = 10_000

/** Undefined for what an other release says otherwise. */
const figuresOf = (text: string): NodeFigures | undefined => {
  const [connections, listeners, ...more] = text.split(' ').map(Number)
  return connections !== undefined &&
    listeners !== undefined &&
    more.length === 0 &&
    Number.isSafeInteger(connections + listeners)
    ? { connections, listeners }
    : undefined
}

/** Begins at once. `own`: of this node now. */
export const openPresence = (deps: {
  readonly cache: Pick<Cache, 'present' | 'leave'>
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly nodeId: string
  readonly own: () => NodeFigures
}): Presence => {
  const { cache, clock, nodeId, own } = deps
  const ending = new AbortController()
  let others: readonly NodeFigures[] = []
  let alone = true
  let heardAt = Number.NEGATIVE_INFINITY

  const say = async (): Promise<void> => {
    const { connections, listeners } = own()
    const found = await cache.present(GROUP, nodeId, `${connections} ${listeners}`, GONE_MS)
    others = [...found.members].flatMap(([id, text]) => (id === nodeId ? [] : (figuresOf(text) ?? [])))
    ;({ alone } = found)
    heardAt = clock.monotonic()
  }
  const beat = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      // The cache stands in for itself where it cannot be reached; should it fail all the same, what was heard grows old.
      await say().catch(() => undefined)
      await clock.sleep(BEAT_MS, ending.signal)
    }
  }
  const done = beat()

  return {
    all: () => {
      const heard = clock.monotonic() - heardAt < GONE_MS
      const all = [own(), ...(heard ? others : [])]
      return {
        connections: all.reduce((sum, each) => sum + each.connections, 0),
        listeners: all.reduce((sum, each) => sum + each.listeners, 0),
        nodes: all.length,
        alone: alone || !heard,
      }
    },
    close: async () => {
      ending.abort()
      await done
      await cache.leave(GROUP, nodeId).catch(() => undefined)
    },
  }
}
