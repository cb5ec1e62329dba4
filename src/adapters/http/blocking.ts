/**
 * Who is blocked is told so before anything else is looked at, and what runs for them (sockets, event streams, NDJSON) ends as
 * soon as this node hears of it.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import type { BlockedUntil, BlockList } from '../../projections/blocks.ts'
import { clientAddress } from './client-address.ts'
import { ProblemError } from './problems.ts'
import type { Requester } from './route.ts'
import type { Admission } from './security.ts'

export type BlockingPort = Pick<BlockList, 'address' | 'account' | 'onChange' | 'isEmpty'>

export type Blocking = {
  /** Nobody is blocked. */
  isEmpty(): boolean
  /** @throws {ProblemError} blocked, where the account of who asks is. */
  check(requester: Requester): void
  /** A WebSocket was opened for this request. */
  opened(ws: WebSocket, request: FastifyRequest): void
}

/** What goes on after its request was let in. */
type Running = { readonly address: string; readonly account: string | undefined; readonly end: () => void }

/** So long for the other side to take its leave of a socket. */
const LEAVE_MS = 1_000

const nobody: Blocking = { isEmpty: () => true, check: () => undefined, opened: () => undefined }

const accountOf = ({ actor }: Requester): string | undefined => (actor?.kind === 'account' ? actor.id : undefined)

/** Adds its hooks to the server: after those that log, before all others. `now`: milliseconds since 1970. */
export const prepareBlocking = (
  app: FastifyInstance,
  blocks: BlockingPort | undefined,
  now: () => number,
): Blocking => {
  if (!blocks) return nobody
  const running = new Set<Running>()

  const refuse = ({ until }: BlockedUntil, what: string): ProblemError => {
    const seconds = Math.max(1, Math.ceil((until - now()) / 1000))
    return new ProblemError('blocked', `Nothing is served to this ${what} for now.`, {
      headers: Number.isFinite(seconds) ? { 'retry-after': String(seconds) } : {},
    })
  }
  const isBlocked = ({ address, account }: Running): boolean =>
    blocks.address(address) !== undefined || (account !== undefined && blocks.account(account) !== undefined)

  /** Watches it until `ended` is called; one that was blocked in the meantime ends at once. */
  const watch = (request: FastifyRequest, end: () => void): (() => void) => {
    const requester = request.getDecorator<Admission | null>('admission')?.requester
    const each: Running = { address: clientAddress(request), account: requester && accountOf(requester), end }
    running.add(each)
    if (isBlocked(each)) end()
    return () => running.delete(each)
  }

  blocks.onChange(() => {
    for (const each of [...running]) if (isBlocked(each)) each.end()
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const found = blocks.isEmpty() ? undefined : blocks.address(clientAddress(request))
    done(found && refuse(found, 'address'))
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    // The connection, not the answer: a reader that takes nothing would never see its end.
    if (payload instanceof Readable)
      reply.raw.once(
        'close',
        watch(request, () => reply.raw.destroy()),
      )
    done(null, payload)
  })

  return {
    isEmpty: () => blocks.isEmpty(),
    check: requester => {
      const account = blocks.isEmpty() ? undefined : accountOf(requester)
      const found = account === undefined ? undefined : blocks.account(account)
      if (found) throw refuse(found, 'account')
    },
    opened: (ws, request) => {
      const end = (): void => {
        ws.close(1008, 'blocked')
        setTimeout(() => ws.terminate(), LEAVE_MS).unref()
      }
      ws.once('close', watch(request, end))
    },
  }
}
