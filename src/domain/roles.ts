/**
 * Roles, and what somebody may do: permissions, as `resource:action`. Accounts and tokens carry roles; commands and queries
 * ask for permissions. Which there are, and who has them, each area says of its own (src/app/areas).
 */
import { defined } from './defined.ts'

/**
 * Every permission that an area declares, by its name. Each table adds its own to it where it stands, so that the union is closed
 * without a list of the areas, and a misspelt permission does not compile.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the areas fill it.
export interface DeclaredPermissions {}
export type Permission = keyof DeclaredPermissions

export const roles = ['reader', 'contributor', 'editor', 'moderator', 'auditor', 'admin'] as const
export type Role = (typeof roles)[number]

/** What everybody with an account is, whatever was granted beside it. */
export const BASIC_ROLE: Role = 'contributor'

/**
 * Who has a permission: whoever asks at all, an account that is suspended, or a role. Administrators have all, so that none is named
 * for them. What is not said to be of the suspended they may not do, whatever they were granted.
 */
export type Holder = 'stranger' | 'suspended' | Exclude<Role, 'admin'>

/** The permissions of one area, each with its holders; their form is `resource:action`. */
export type PermissionTable = Readonly<Record<`${string}:${string}`, readonly Holder[]>>

export type RoleRights = {
  /** All there are. */
  readonly permissions: readonly Permission[]
  /** What a stranger may do. */
  readonly strangers: ReadonlySet<Permission>
  /** What an account may do while it is suspended. */
  readonly suspended: ReadonlySet<Permission>
  of(role: Role): ReadonlySet<Permission>
  /** The rights of somebody who has these permissions. */
  rights(permissions: ReadonlySet<Permission>, inLanguages?: Rights['inLanguages']): Rights
}

const isPermission = (name: string): name is Permission => name.includes(':')

/** What each role permits, by the tables of all areas. @throws {TypeError} when two have one permission. */
export const openRoleRights = (tables: readonly PermissionTable[]): RoleRights => {
  const held = tables.flatMap(table =>
    Object.entries(table).flatMap(([name, holders]) => (isPermission(name) ? [{ name, holders }] : [])),
  )
  const permissions = held.map(({ name }) => name)
  if (new Set(permissions).size < permissions.length) throw new TypeError('two areas have one permission')
  const heldBy = (holder: Holder | 'admin'): ReadonlySet<Permission> =>
    new Set(held.filter(({ holders }) => holder === 'admin' || holders.includes(holder)).map(({ name }) => name))
  const granted = new Map(roles.map(role => [role, heldBy(role)]))
  const nothing: ReadonlySet<Permission> = new Set()
  const of = (role: Role): ReadonlySet<Permission> => granted.get(role) ?? nothing
  const common = { permissions: of(BASIC_ROLE) }
  return {
    permissions,
    strangers: heldBy('stranger'),
    suspended: heldBy('suspended'),
    of,
    rights: (everywhere, inLanguages) => {
      const rights = { permissions: everywhere, ...defined({ inLanguages }) }
      return { ...rights, isTold: !permitsAll(common, rights) }
    },
  }
}

/**
 * What somebody may do: `permissions` everywhere, `inLanguages` on entries of a language beside it, by range. Who does not
 * ask for a language sees the first alone, so that what was granted for one language opens nothing else.
 */
export type Rights = {
  readonly permissions: ReadonlySet<Permission>
  readonly inLanguages?: ReadonlyMap<string, ReadonlySet<Permission>>
  /**
   * Is somebody with these rights told what the permission is called that they miss? Those are who were given more than
   * everybody with an account has, everywhere or in a language: they have an administrator to ask for it. To all others a name
   * is of no use but to find out what there is to be had.
   */
  readonly isTold?: boolean
}

/** Roles whose work is on entries: the others mean nothing in a language. */
export const languageRoles: readonly Role[] = ['editor', 'moderator']

/** Basic filtering (RFC 4647, 3.3.1) of canonical tags: `es` is `es` and `es-MX`, but not `esu`. */
export const coversLanguage = (range: string, language: string): boolean =>
  language === range || language.startsWith(`${range}-`)

/** What these rights permit on entries of `language`; without one, what they permit everywhere. */
export const permissionsIn = (rights: Rights, language: string | undefined): ReadonlySet<Permission> => {
  const { permissions: everywhere, inLanguages } = rights
  if (!inLanguages || language === undefined) return everywhere
  const here = [...inLanguages].filter(([range]) => coversLanguage(range, language))
  return here.reduce((all, [, more]) => all.union(more), everywhere)
}

/** Is it permitted everywhere, or in some language? */
export const permitsSomewhere = ({ permissions: everywhere, inLanguages }: Rights, permission: Permission): boolean =>
  everywhere.has(permission) || (inLanguages?.values().some(each => each.has(permission)) ?? false)

/** Do these rights permit all that `others` do? */
export const permitsAll = (rights: Rights, { permissions: everywhere, inLanguages }: Rights): boolean =>
  everywhere.isSubsetOf(rights.permissions) &&
  [...(inLanguages ?? [])].every(([range, some]) => some.isSubsetOf(permissionsIn(rights, range)))

export const isRole = (value: unknown): value is Role => roles.some(role => role === value)
