/** Blocking and unblocking addresses, networks and accounts. */
import { createHmac } from 'node:crypto'
import type { Log } from '../core/log/log.ts'
import type { Transactor } from '../core/write/transact.ts'
import {
  addBlock,
  type Block,
  type BlockEvent,
  type BlockState,
  type BlockTarget,
  blockCategory,
  blockEvents,
  blockStream,
  evolveBlock,
  isInForce,
  readTarget,
  removeBlock,
} from '../domain/access/block.ts'
import { type AccountState, accountStream } from '../domain/account/account.ts'
import { isAdministrator } from '../domain/account/grants.ts'
import type { Actor, Recorded } from '../domain/event.ts'
import { holds, overlaps, readAddress, readNetwork } from '../domain/network.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'
import type { Keys } from '../ports/keys.ts'
import { type RecordDeps, recordLooked } from './record-lookups.ts'

export type BlockDeps = {
  readonly blocks: Transactor<BlockState, BlockEvent>
  readonly accounts: { load(stream: string): Promise<{ readonly state: AccountState }> }
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
  /** Names the streams: without it nobody finds out whether an address was ever blocked. */
  readonly secret: Uint8Array
  /** Addresses and networks through which everybody comes. */
  readonly proxies: readonly string[]
}

/** Who does it, and where from; what would shut them out themselves is refused. */
export type Blocker = {
  readonly actor: Actor
  readonly correlationId: string
  /** None at the command line, which no block reaches. */
  readonly address?: string
}

export type BlockOrder = { readonly target: string; readonly reason: string; readonly expiresAt?: string }
export type Blocked = { readonly block: Block; readonly position: bigint; readonly written: boolean }

/** A UUID of version 8 (RFC 9562, 5.8): the beginning of a keyed hash of what is blocked. */
const blockIdOf = (secret: Uint8Array, { kind, target }: BlockTarget): string => {
  const bytes = createHmac('sha256', secret).update(`${kind}\u001f${target}`, 'utf8').digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** What nobody should block by mistake. */
const protectedFault = async (
  deps: BlockDeps,
  { kind, target }: BlockTarget,
  { actor, address }: Blocker,
): Promise<Refusal | undefined> => {
  if (kind === 'account') {
    const { state: account } = await deps.accounts.load(accountStream(target))
    // One that was erased has no address any more, and no key that a block could be sealed with.
    if (account?.address === undefined) return refuse('account-not-found', 'There is no account with this id.')
    if (target === actor.id) return refuse('block-protected', 'Nobody blocks their own account.')
    return isAdministrator(account, deps.clock.now())
      ? refuse('block-protected', 'It is an administrator: take the role from it first.')
      : undefined
  }
  const network = readNetwork(target)
  const own = address === undefined ? undefined : readAddress(address)
  if (!network) return undefined
  if (own && holds(network, own))
    return refuse('block-protected', 'You come from there yourself: everybody may be coming from there.')
  const trusted = deps.proxies.flatMap(each => readNetwork(each.includes('/') ? each : exactly(each)) ?? [])
  return trusted.some(each => overlaps(network, each))
    ? refuse('block-protected', 'A proxy of LEXICHRON_TRUSTED_PROXIES is there, and everybody comes through it.')
    : undefined
}

/** One address, of IPv6 too. */
const exactly = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`

const envelopeOf = ({ clock, newId }: BlockDeps, { actor, correlationId }: Blocker) => ({
  commandId: newId(),
  actor,
  correlationId,
  at: clock.now(),
})

/** Blocks what `target` names: an address, a network (CIDR), or an account by its id. Once more: the newest order holds. */
export const block = async (deps: BlockDeps, order: BlockOrder, by: Blocker): Promise<Blocked | Refusal> => {
  const target = readTarget(order.target.trim())
  if ('refused' in target) return target
  const fault = await protectedFault(deps, target, by)
  if (fault) return fault
  const id = blockIdOf(deps.secret, target)
  const { reason, expiresAt } = order
  const ends = expiresAt === undefined ? {} : { expiresAt }
  const decide = addBlock({ id, ...target, reason, ...ends, by: by.actor.id, now: deps.clock.now() })
  const result = await deps.blocks.run(blockStream(id), decide, envelopeOf(deps, by))
  if (isRefusal(result)) return result
  const { state, position, events } = result
  return state ? { block: state, position, written: events.length > 0 } : refuse('block-not-found', 'It was not kept.')
}

/** Takes a block away, named by its id or by what it blocks. Done before, it is a success. */
export const unblock = async (deps: BlockDeps, named: string, by: Blocker): Promise<Blocked | Refusal> => {
  const remove = async (id: string) => deps.blocks.run(blockStream(id), removeBlock(by.actor.id), envelopeOf(deps, by))
  const ofTarget = async () => {
    const target = readTarget(named.trim())
    return 'refused' in target ? target : remove(blockIdOf(deps.secret, target))
  }
  const looksLikeId = /^[0-9a-f-]{36}$/i.test(named)
  const byId = looksLikeId ? await remove(named.toLowerCase()) : undefined
  const result = byId && !(isRefusal(byId) && byId.refused === 'block-not-found') ? byId : await ofTarget()
  if (isRefusal(result)) return result
  const { state, position, events } = result
  return state
    ? { block: state, position, written: events.length > 0 }
    : refuse('block-not-found', 'There is no such block.')
}

/** Is the account blocked, as its stream says now? */
export const isAccountBlocked = async (
  { blocks, clock, secret }: Pick<BlockDeps, 'blocks' | 'clock' | 'secret'>,
  accountId: string,
): Promise<boolean> => {
  const id = blockIdOf(secret, { kind: 'account', target: accountId })
  const { state } = await blocks.load(blockStream(id))
  return state !== undefined && isInForce(state, clock.now().getTime())
}

/** These blocks are about to be shown. None at all tell nothing of anybody. @throws {EventStoreError} */
export const recordBlocks = async (
  deps: RecordDeps,
  blocks: readonly Block[],
  by: Blocker,
): Promise<Refusal | undefined> => {
  if (blocks.length === 0) return undefined
  const accounts = blocks.flatMap(({ kind, target }) => (kind === 'account' && target !== undefined ? target : []))
  const data = { blocks: blocks.map(({ id }) => id), accounts }
  const from = { correlationId: by.correlationId, agent: '' }
  return recordLooked(deps, { type: 'BlocksRead', data }, { actor: by.actor, from })
}

const types: ReadonlySet<string> = new Set(blockEvents.map(each => each.type))
const isBlockEvent = (event: Recorded): event is Recorded<BlockEvent> => types.has(event.type)

/** One addition of a network, and when it was over; not yet: undefined. */
type Addition = { readonly subject: string; readonly known: boolean; over: number | undefined }

/** The keys of networks that were blocked, and have been neither blocked nor forgotten since `before`. */
const endedSubjects = async (log: Pick<Log, 'readAll'>, before: number): Promise<readonly string[]> => {
  const streams = new Map<string, Addition[]>()
  for await (const batch of log.readAll(0n, { categories: [blockCategory] }))
    for (const event of batch.events) {
      if (!isBlockEvent(event)) continue
      const all = streams.get(event.stream) ?? []
      const last = all.at(-1)
      const at = Date.parse(event.meta.at)
      if (last && (last.over === undefined || last.over > at)) last.over = at
      if (event.type !== 'BlockAdded' || event.data.kind !== 'network') continue
      const { subject, expiresAt } = event.data
      all.push({ subject, known: !event.removed, over: expiresAt === undefined ? undefined : Date.parse(expiresAt) })
      streams.set(event.stream, all)
    }
  const additions = [...streams.values()].flat()
  const needed = new Set(
    additions.flatMap(({ subject, over }) => (over === undefined || over >= before ? subject : [])),
  )
  return additions.flatMap(({ subject, known }) => (known && !needed.has(subject) ? subject : []))
}

/**
 * Destroys the keys of addresses whose block was over before `before`: that one was blocked stays in the log, which one is
 * known to nobody any more. How many it were. Done by several nodes at once it is done once.
 */
export const forgetEnded = async (
  deps: { readonly log: Pick<Log, 'readAll'>; readonly keys: Pick<Keys, 'destroy'> },
  before: Date,
): Promise<number> => {
  const subjects = await endedSubjects(deps.log, before.getTime())
  for (const subject of subjects) await deps.keys.destroy(`subject:${subject}`)
  return subjects.length
}

/** Every block in force, from the log, newest first. */
export const listBlocks = async (log: Pick<Log, 'readAll'>, now: Date): Promise<readonly Block[]> => {
  const found = new Map<string, Block>()
  for await (const batch of log.readAll(0n, { categories: [blockCategory] }))
    for (const event of batch.events) {
      const folded = isBlockEvent(event) ? evolveBlock(found.get(event.stream), event) : undefined
      found.delete(event.stream)
      if (folded && !folded.removed) found.set(event.stream, folded)
    }
  return [...found.values()].filter(each => isInForce(each, now.getTime())).toReversed()
}
