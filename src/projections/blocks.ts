/**
 * The blocks in force, in this node's memory: asked at every request, so a look-up costs one hash for each length of prefix
 * that is in use, however many blocks there are. It follows the log by itself; a node that is cut off from the log keeps
 * what it knew last.
 */

import { openWaiting } from '../core/consume/reached.ts'
import { type Log, UndecodableEventError } from '../core/log/log.ts'
import {
  type Block,
  type BlockEvent,
  blockCategory,
  blockEvents,
  evolveBlock,
  isInForce,
} from '../domain/access/block.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { type Address, type Family, type Network, readAddress, readNetwork, sharedBits } from '../domain/network.ts'
import type { Clock } from '../ports/clock.ts'

/** Until when, in milliseconds since 1970; infinite: until it is taken away. */
export type BlockedUntil = { readonly until: number }

export type BlockList = {
  /** Is the address, as a socket or a header names it, blocked now? Of several blocks the one that ends last. */
  address(address: string): BlockedUntil | undefined
  account(id: string): BlockedUntil | undefined
  /** In force, newest first, from behind the one that was added at the position `after` on; `next` where there are more. */
  page(after: bigint | undefined, limit: number): { readonly blocks: readonly Block[]; readonly next?: bigint }
  find(id: string): Block | undefined
  /** None that is in force, and none that ended a while ago either. */
  isEmpty(): boolean
  /** How many are in force. */
  count(): number
  /** Position up to which the log is known here. */
  position(): bigint
  /** True once the log is known up to `position`; false when `timeoutMs` have passed before. */
  reached(position: bigint, timeoutMs: number): Promise<boolean>
  /** Called after each change. */
  onChange(listener: () => void): void
  /** Resolves once it has ended, after the signal. */
  readonly done: Promise<void>
}

const RETRY_MS = 500
const SWEEP_ABOVE = 1_000

const types: ReadonlySet<string> = new Set(blockEvents.map(each => each.type))
const isBlockEvent = (event: Recorded): event is Recorded<BlockEvent> => types.has(event.type)

const untilOf = ({ expiresAt }: Block): number =>
  expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt)

/** Some proxies write the port with the address, IPv6 then in brackets. */
const WITH_PORT = /^(?:([0-9.]+)|\[([0-9a-f:.]+)\])(?::\d{1,5})?$/i

const heard = (text: string): Address | undefined => {
  const plain = readAddress(text)
  if (plain) return plain
  const [, four, six] = WITH_PORT.exec(text) ?? []
  return readAddress(four ?? six ?? '')
}

/** Networks by length of prefix and by the bits that are shared. */
const openNetworks = () => {
  const families: Readonly<Record<Family, Map<number, Map<bigint, number>>>> = { 4: new Map(), 6: new Map() }
  return {
    set: (network: Network, until: number): void => {
      const lengths = families[network.family]
      const same = lengths.get(network.prefix) ?? new Map<bigint, number>()
      lengths.set(network.prefix, same.set(sharedBits(network, network.prefix), until))
    },
    delete: (network: Network): void => {
      const lengths = families[network.family]
      const same = lengths.get(network.prefix)
      same?.delete(sharedBits(network, network.prefix))
      if (same?.size === 0) lengths.delete(network.prefix)
    },
    /** The latest end; undefined where none holds the address. */
    until: (text: string): number | undefined => {
      if (families[4].size + families[6].size === 0) return undefined
      const address = heard(text)
      if (!address) return undefined
      let latest: number | undefined
      for (const [prefix, same] of families[address.family]) {
        const until = same.get(sharedBits(address, prefix))
        if (until !== undefined && (latest === undefined || until > latest)) latest = until
      }
      return latest
    },
  }
}

/** Begins to read; `reached` tells when it has. `onError` hears of what kept it from reading. */
export const followBlocks = (options: {
  readonly log: Pick<Log, 'subscribe'>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}): BlockList => {
  const { log, clock, signal, onError } = options
  /** In the order in which they were added, each with the position of that. */
  const blocks = new Map<string, { readonly block: Block; readonly added: bigint }>()
  const networks = openNetworks()
  const accounts = new Map<string, number>()
  const listeners: (() => void)[] = []
  const waiting = openWaiting({ position: () => position, clock, signal })
  let position = 0n
  let sweepAt = SWEEP_ABOVE

  const index = ({ kind, target = '', ...block }: Block, put: boolean): void => {
    const until = untilOf({ kind, ...block })
    const network = kind === 'network' ? readNetwork(target) : undefined
    if (network && put) networks.set(network, until)
    else if (network) networks.delete(network)
    else if (kind === 'account' && put) accounts.set(target, until)
    else if (kind === 'account') accounts.delete(target)
  }
  const drop = (block: Block): void => {
    blocks.delete(block.id)
    index(block, false)
  }
  const sweep = (): void => {
    const now = clock.now().getTime()
    for (const { block } of blocks.values()) if (!isInForce(block, now)) drop(block)
    sweepAt = Math.max(SWEEP_ABOVE, 2 * blocks.size)
  }
  const apply = (event: Recorded<BlockEvent>): void => {
    const id = event.stream.slice(blockCategory.length + 1)
    const known = blocks.get(id)?.block
    const block = evolveBlock(known, event)
    // Deleted first: the newest comes last.
    if (known) drop(known)
    if (!block || block.removed || block.target === undefined) return
    blocks.set(id, { block, added: event.position })
    index(block, true)
    if (blocks.size > sweepAt) sweep()
  }

  const read = async (): Promise<void> => {
    for await (const batch of log.subscribe(position, { categories: [blockCategory] }, signal)) {
      for (const event of batch.events) if (isBlockEvent(event)) apply(event)
      if (batch.position > position) position = batch.position
      if (batch.events.length > 0) for (const each of listeners) each()
      waiting.wake()
    }
  }
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await read()
      } catch (error) {
        onError(error)
        // One that this build cannot read blocks nobody here; those after it do.
        if (error instanceof UndecodableEventError && error.event.position > position) position = error.event.position
      }
      await clock.sleep(RETRY_MS, signal)
    }
  }

  const standing = (until: number | undefined): BlockedUntil | undefined =>
    until !== undefined && until > clock.now().getTime() ? { until } : undefined

  return {
    address: text => standing(networks.until(text)),
    account: id => standing(accounts.get(id)),
    page: (after, limit) => {
      const now = clock.now().getTime()
      const found = [...blocks.values()]
        .filter(({ block, added }) => (after === undefined || added < after) && isInForce(block, now))
        .toReversed()
      const page = found.slice(0, limit)
      const last = page.at(-1)
      return {
        blocks: page.map(({ block }) => block),
        ...defined({ next: found.length > limit && last ? last.added : undefined }),
      }
    },
    find: id => {
      const block = blocks.get(id)?.block
      return block && isInForce(block, clock.now().getTime()) ? block : undefined
    },
    isEmpty: () => blocks.size === 0,
    count: () => {
      const now = clock.now().getTime()
      return blocks.values().reduce((sum, { block }) => sum + (isInForce(block, now) ? 1 : 0), 0)
    },
    position: () => position,
    reached: waiting.reached,
    onChange: listener => {
      listeners.push(listener)
    },
    done: follow(),
  }
}
