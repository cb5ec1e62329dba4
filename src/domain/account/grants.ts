/** The roles of an account, and what they permit when. */
import { type Permission, permissionsOf, type Rights, type Role } from '../roles.ts'

/** `languages`: on entries of these alone, and of what they cover (`es` covers `es-MX`). */
export type Grant = { readonly role: Role; readonly expiresAt?: string; readonly languages?: readonly string[] }

/** What everybody with an account is, whatever was granted beside it. */
export const BASIC_ROLE: Role = 'contributor'

/** The grants that are in force at `now`. */
export const grantsOf = (grants: readonly Grant[], now: Date): readonly Grant[] => [
  { role: BASIC_ROLE },
  ...grants
    .filter(each => each.expiresAt === undefined || Date.parse(each.expiresAt) > now.getTime())
    .filter(({ role }) => role !== BASIC_ROLE),
]

/** What these grants permit, all of which are in force. */
export const rightsOf = (grants: readonly Grant[]): Rights => {
  const everywhere = grants.filter(({ languages }) => languages === undefined)
  const permissions = new Set(everywhere.flatMap(({ role }) => [...permissionsOf(role)]))
  const inLanguages = new Map<string, ReadonlySet<Permission>>()
  for (const { role, languages = [] } of grants)
    for (const range of languages)
      inLanguages.set(range, permissionsOf(role).union(inLanguages.get(range) ?? new Set<Permission>()))
  return inLanguages.size > 0 ? { permissions, inLanguages } : { permissions }
}
