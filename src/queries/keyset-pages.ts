/** What queries have in common that answer pages of a read model by a keyset, many of them about what is one's own. */
import Type from 'typebox'
import type { Cursor, Reader } from '../core/query/define.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'

export type PageInput = { readonly limit: number; readonly after?: Cursor }

const text = Type.String()
export const pageOf = <T extends ReturnType<typeof Type.Object>>(item: T, $id: string) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([text, Type.Null()]) }, { $id })

/** The account that asks: a service has nothing of its own. */
export const accountOf = ({ actor }: Reader): string | Refusal =>
  actor?.kind === 'account'
    ? actor.id
    : refuse('not-an-account', 'This token belongs to a service, which has no account.')

/** Where the page goes on. */
export const keyOf = (after: Cursor | undefined) => (Array.isArray(after?.key) ? { after: after.key } : {})
export const nextOf = ({ generation, next }: { readonly generation: string; readonly next: Cursor['key'] | null }) =>
  next === null ? null : { generation, key: next }
