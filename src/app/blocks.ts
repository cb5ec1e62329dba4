/** The block list: what the edge asks of it, what administrators and the command line do with it. */

import type { BlockTool } from '../adapters/cli/app-port.ts'
import type { HealthPart } from '../adapters/http/operation.ts'
import type { BlocksPort } from '../adapters/http/routes/blocks.ts'
import { type BlockDeps, block, listBlocks, recordBlocks, unblock } from '../commands/blocks.ts'
import { operator } from '../commands/tokens.ts'
import type { Config } from '../config/load.ts'
import { blockAggregate } from '../domain/access/block.ts'
import { accountAggregate } from '../domain/account/account.ts'
import { refuse } from '../domain/refusal.ts'
import { type BlockList, followBlocks } from '../projections/blocks.ts'
import type { Closing, Core } from './core.ts'
import { recordDeps } from './lookups.ts'

/** How long a node that starts waits to know who is blocked, before it lets anybody in. */
const LEARN_MS = 10_000
const REACH_MS = 2_000

const depsOf = async (core: Core, config: Config): Promise<BlockDeps> => ({
  blocks: core.transactor(blockAggregate),
  accounts: core.transactor(accountAggregate),
  clock: core.clock,
  newId: core.newId,
  secret: await core.keys.secret('block'),
  proxies: config.trustedProxies,
})

export type Blocks = { readonly list: BlockList; readonly port: BlocksPort; readonly part: () => HealthPart }

/** Returns once this node knows who is blocked, or has waited for ten seconds: `part` says so then. */
export const openBlocks = async (
  core: Core,
  config: Config,
  onError: (error: unknown) => void,
  opened: Closing[],
): Promise<Blocks> => {
  const deps = await depsOf(core, config)
  const ending = new AbortController()
  const head = await core.log.head()
  const list = followBlocks({ log: core.log, clock: core.clock, signal: ending.signal, onError })
  opened.push({
    close: async () => {
      ending.abort()
      await list.done
    },
  })
  await list.reached(head, LEARN_MS)
  return {
    list,
    port: {
      add: (order, by) => block(deps, order, by),
      remove: (id, by) => unblock(deps, id, by),
      find: async (id, by) => {
        const found = list.find(id)
        if (!found) return refuse('block-not-found', 'There is no such block, or it has ended.')
        return (await recordBlocks(recordDeps(core), [found], by)) ?? found
      },
      page: async (after, limit, by) => {
        const found = list.page(after, limit)
        return (await recordBlocks(recordDeps(core), found.blocks, by)) ?? found
      },
      position: list.position,
      reached: position => list.reached(position, REACH_MS),
    },
    part: () =>
      list.position() < head
        ? { state: 'degraded', detail: { reason: 'the log has not been read so far since the start' } }
        : { state: 'ok', detail: { blocks: list.count() } },
  }
}

/** What the command line does: it is not reached by any block, so that nobody locks themselves out for good. */
export const openBlockTool = (core: Core, config: Config): BlockTool => {
  const by = () => ({ actor: operator, correlationId: core.newId() })
  return {
    add: async ({ lifeMs, ...order }) => {
      const ends =
        lifeMs === undefined ? {} : { expiresAt: new Date(core.clock.now().getTime() + lifeMs).toISOString() }
      const added = await block(await depsOf(core, config), { ...order, ...ends }, by())
      return 'refused' in added ? added : added.block
    },
    list: async () => {
      const found = await listBlocks(core.log, core.clock.now())
      return (await recordBlocks(recordDeps(core), found, by())) ?? found
    },
    remove: async named => {
      const removed = await unblock(await depsOf(core, config), named, by())
      return 'refused' in removed ? removed : removed.block
    },
  }
}
