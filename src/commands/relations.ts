/** Whom one blocks and mutes, and how all of it ends with one's account. */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import {
  clearRelations,
  type Pair,
  type RelationEvent,
  type RelationKind,
  type Relations,
  relate,
  relationsStream,
  unrelate,
} from '../domain/relation/relations.ts'

export type RelationDeps = { readonly relations: Pick<Transactor<Relations, RelationEvent>, 'load' | 'run'> }

export const relateTo = (
  { relations }: RelationDeps,
  kind: RelationKind,
  { pair, isWanted }: { readonly pair: Pair; readonly isWanted: boolean },
  envelope: Envelope,
): Promise<Result<Relations>> =>
  relations.run(relationsStream(pair.accountId), isWanted ? relate(kind, pair) : unrelate(kind, pair), envelope)

/** Has one of the two blocked the other? By their streams, so that a block holds from the moment that it stands. */
export const isBlockedBetween = async (
  { relations }: RelationDeps,
  accountId: string,
  others: readonly string[],
): Promise<boolean> => {
  const named = [...new Set(others)].filter(other => other !== accountId)
  if (named.length === 0) return false
  const own = (await relations.load(relationsStream(accountId))).state
  if (named.some(other => own.blocked.has(other))) return true
  const theirs = await Promise.all(named.map(other => relations.load(relationsStream(other))))
  return theirs.some(({ state }) => state.blocked.has(accountId))
}

export const forgetRelations = async (
  { relations }: RelationDeps,
  accountId: string,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  const cleared = await relations.run(relationsStream(accountId), clearRelations(accountId), by())
  return isRefusal(cleared) ? cleared : 'done'
}
