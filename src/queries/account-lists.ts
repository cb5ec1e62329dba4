/** Lists of accounts: which ids, in what order. What is shown of them is read from the accounts themselves. */
import type { View } from '../core/project/view.ts'
import type { Cursor } from '../core/query/define.ts'
import { BASIC_ROLES } from '../domain/account/grants.ts'
import { accountStates } from '../domain/account/standing.ts'
import type { Json } from '../domain/event.ts'
import type { Condition } from '../ports/read-store.ts'
import { type AccountDocument, nameTerm } from '../projections/accounts.ts'

/** `state`: all that an account which is there may be in, when absent. `name`: the beginning of a display name. */
type Filter = { readonly role?: string; readonly state?: string; readonly name?: string }
/** `next`: where the next page goes on; null at the end. `position`: what the page reflects. */
type Ids = { readonly ids: readonly string[]; readonly next: Cursor | null; readonly position: bigint }

const isKeyset = (key: Json): key is readonly Json[] => Array.isArray(key)

/**
 * The newest first. A role that has ended by itself may still stand in a document, and of a long name the beginning alone does:
 * who shows an account looks again. `secret` is that of the projection. @throws {ProjectionError} projection-building; cursor-expired. {ReadStoreError}.
 */
export const openAccountPages =
  (accounts: View<AccountDocument>, secret: Uint8Array) =>
  async ({ role, state, name }: Filter, after: Cursor | undefined, limit: number): Promise<Ids> => {
    const states = state === undefined ? accountStates.filter(each => each !== 'erased') : [state]
    // Everybody with an account is that.
    const narrows = role !== undefined && !BASIC_ROLES.some(basic => basic === role)
    const where: readonly Condition[] = [
      { member: 'state', op: 'in', value: states },
      ...(narrows ? [{ member: 'roles', op: 'any' as const, value: [role] }] : []),
      ...(name === undefined ? [] : [{ member: 'nameTerms', op: 'any' as const, value: [nameTerm(secret, name)] }]),
    ]
    const from = after && isKeyset(after.key) ? { after: after.key } : {}
    const { documents, next, generation, position } = await accounts.find(
      { where, order: ['begun'], backwards: true, ...from, limit },
      after?.generation,
    )
    return { ids: documents.map(({ id }) => id), next: next && { generation, key: [...next] }, position }
  }
