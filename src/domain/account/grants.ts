/** The roles of an account, and what they permit when. */
import { BASIC_ROLE, type Permission, type Rights, type Role, type RoleRights } from '../roles.ts'

/** `languages`: on entries of these alone, and of what they cover (`es` covers `es-MX`). */
export type Grant = { readonly role: Role; readonly expiresAt?: string; readonly languages?: readonly string[] }

/** Who granted a role, when, and why; without the reason where that was sealed under a key that is gone, or none was asked for. */
export type Granting = { readonly role: Role; readonly by: string; readonly at: string; readonly reason?: string }

/** Held by who asks as a person or as a service at all: neither is granted or taken. */
export const BASIC_ROLES: readonly Role[] = ['reader', BASIC_ROLE]

export const isInForce = ({ expiresAt }: Pick<Grant, 'expiresAt'>, now: Date): boolean =>
  expiresAt === undefined || Date.parse(expiresAt) > now.getTime()

/** Is it an administrator at `now`? */
export const isAdministrator = ({ grants }: { readonly grants: readonly Grant[] }, now: Date): boolean =>
  grants.some(each => each.role === 'admin' && isInForce(each, now))

/** The grants that are in force at `now`. */
export const grantsOf = (grants: readonly Grant[], now: Date): readonly Grant[] => [
  { role: BASIC_ROLE },
  ...grants.filter(each => isInForce(each, now) && each.role !== BASIC_ROLE),
]

/** Those that give an account anything at `now`: none at all while it is suspended. */
export const grantsInForce = (
  { grants, suspended }: { readonly grants: readonly Grant[]; readonly suspended: boolean },
  now: Date,
): readonly Grant[] => (suspended ? [] : grantsOf(grants, now))

/** What these grants permit, all of which are in force. */
export const rightsOf = (grants: readonly Grant[], roles: Pick<RoleRights, 'of' | 'rights'>): Rights => {
  const everywhere = grants.filter(({ languages }) => languages === undefined)
  const permissions = new Set(everywhere.flatMap(({ role }) => [...roles.of(role)]))
  const inLanguages = new Map<string, ReadonlySet<Permission>>()
  for (const { role, languages = [] } of grants)
    for (const range of languages)
      inLanguages.set(range, roles.of(role).union(inLanguages.get(range) ?? new Set<Permission>()))
  return roles.rights(permissions, inLanguages.size > 0 ? inLanguages : undefined)
}
