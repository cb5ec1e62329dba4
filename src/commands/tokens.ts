/** Issuing and revoking access tokens. */

import type { Log } from '../core/log/log.ts'
import type { Transactor } from '../core/write/transact.ts'
import {
  evolveToken,
  issueToken,
  revokeToken,
  type Token,
  type TokenEvent,
  type TokenState,
  tokenCategory,
  tokenEvents,
  tokenStream,
} from '../domain/access/token.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { isRole, roles } from '../domain/roles.ts'
import type { Clock } from '../ports/clock.ts'

export type TokenDeps = {
  readonly tokens: Transactor<TokenState, TokenEvent>
  readonly log: Pick<Log, 'readAll'>
  readonly clock: Clock
  readonly newId: () => string
}

/** The operator at the command line acts as the system. */
export const operator = { kind: 'system', id: actorId('system', 'operator') } as const

export type TokenOrder = { readonly role: string; readonly name: string; readonly lifeMs: number }

const envelope = (deps: TokenDeps, commandId: string) => ({
  commandId,
  actor: operator,
  correlationId: commandId,
  at: deps.clock.now(),
})

/** Records a new token; whoever is called the same acts as the same service. */
export const createToken = async (deps: TokenDeps, order: TokenOrder): Promise<Token | Refusal> => {
  if (!isRole(order.role))
    return refuse('role-unknown', `There is no role ${order.role}: take one of ${roles.join(', ')}.`)
  const tokenId = deps.newId()
  const request = {
    tokenId,
    role: order.role,
    name: order.name,
    lifeMs: order.lifeMs,
    now: deps.clock.now(),
    subject: actorId('service', order.name),
  }
  const result = await deps.tokens.run(tokenStream(tokenId), issueToken(request), envelope(deps, deps.newId()))
  if (isRefusal(result)) return result
  return result.state ?? refuse('token-not-found', 'The token was not recorded.')
}

/** Revokes a token; it is refused on every node within a second. */
export const endToken = async (deps: TokenDeps, id: string): Promise<Token | Refusal> => {
  const result = await deps.tokens.run(tokenStream(id), revokeToken(operator.id), envelope(deps, deps.newId()))
  if (isRefusal(result)) return result
  return result.state ?? refuse('token-not-found', 'There is no such token.')
}

const types: ReadonlySet<string> = new Set(tokenEvents.map(each => each.type))
const isTokenEvent = (event: Recorded): event is Recorded<TokenEvent> => types.has(event.type)

/** Every token of the log, newest first. */
export const listTokens = async (deps: Pick<TokenDeps, 'log'>): Promise<readonly Token[]> => {
  const tokens = new Map<string, Token>()
  for await (const batch of deps.log.readAll(0n, { categories: [tokenCategory] }))
    for (const event of batch.events) {
      const token = isTokenEvent(event) ? evolveToken(tokens.get(event.stream), event) : undefined
      if (token) tokens.set(event.stream, token)
    }
  return [...tokens.values()].toReversed()
}
