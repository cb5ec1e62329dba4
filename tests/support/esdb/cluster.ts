/** Doubles of EventStoreDB servers that are a cluster: one log, one leader, followers that may be left behind. */
import { type DoubleLog, type DoubleRecord, openDoubleLog } from './records.ts'
import { type DoubleOptions, type EventStoreDouble, openEventStoreDouble } from './server.ts'

export type EventStoreCluster = {
  readonly nodes: readonly EventStoreDouble[]
  /** What the leader has. */
  readonly log: DoubleLog
  /** Names every node; who leads is asked of them. */
  url(more?: string): string
  /** From now on this node leads; the others follow it. */
  lead(node: number): void
  /** What is written from now on does not reach this node, and it does not know that it is cut off. */
  leaveBehind(node: number): void
  catchUp(node: number): void
  close(): Promise<void>
}

export const openEventStoreCluster = async (
  count = 3,
  options: Omit<DoubleOptions, 'member'> = {},
): Promise<EventStoreCluster> => {
  const log = openDoubleLog(options.now ?? Date.now)
  for (let n = 0; n < 3; n += 1) log.system('$settings', '$metadata')
  const nodes: EventStoreDouble[] = []
  /** How many records a node has that is left behind. */
  const behind = new Map<number, number>()
  let leader = 0

  const reached = (node: number, records: readonly DoubleRecord[]): readonly DoubleRecord[] => {
    const has = behind.get(node)
    const last = has === undefined ? undefined : log.all[has - 1]
    return last ? records.filter(record => record.position <= last.position) : records
  }
  /** What a node has of the log. */
  const view = (node: number): DoubleLog => ({
    ...log,
    get all() {
      return reached(node, log.all)
    },
    stream: name => {
      const records = log.stream(name)
      return records && reached(node, records)
    },
  })

  for (let node = 0; node < count; node += 1)
    nodes.push(
      await openEventStoreDouble({
        ...options,
        member: {
          log: view(node),
          isLeader: () => leader === node,
          members: () => nodes.map(({ port }, other) => ({ port, isLeader: other === leader })),
        },
      }),
    )
  return {
    nodes,
    log,
    url: more => {
      const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')
      return `esdb://${hosts}?tls=${options.tls ? 'true' : 'false'}${more === undefined ? '' : `&${more}`}`
    },
    lead: node => {
      leader = node
    },
    leaveBehind: node => {
      behind.set(node, log.all.length)
    },
    catchUp: node => {
      behind.delete(node)
      log.tell()
    },
    close: async () => {
      await Promise.all(nodes.map(node => node.close()))
    },
  }
}
