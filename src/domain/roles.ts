/** Roles and what they permit, as `resource:action`. Accounts and tokens carry roles; commands and queries ask for permissions. */

export const permissions = [
  'entries:read',
  'entries:read-drafts',
  'entries:draft',
  'entries:edit-own',
  'entries:submit',
  'entries:publish',
  'entries:edit',
  'entries:review',
  'entries:retire',
  'entries:redact',
  'entries:import',
  'events:read',
  'events:read-text',
  'events:read-personal',
  'tokens:manage',
  'projections:manage',
  'analytics:read',
  'operations:read',
  'account:use',
  'accounts:read',
  'accounts:manage',
  'blocks:manage',
] as const
export type Permission = (typeof permissions)[number]

export const roles = ['reader', 'contributor', 'editor', 'moderator', 'auditor', 'admin'] as const
export type Role = (typeof roles)[number]

/** `account:use`: one's own account; services have none, and are told so. */
const reader: readonly Permission[] = ['entries:read', 'account:use']
const contributor: readonly Permission[] = [
  ...reader,
  'entries:read-drafts',
  'entries:draft',
  'entries:edit-own',
  'entries:submit',
]
const editor: readonly Permission[] = [
  ...contributor,
  'entries:publish',
  'entries:edit',
  'entries:review',
  'entries:retire',
]
/** Takes away what must not stand, and sees who did what to an entry, without their addresses; does not decide what is published. */
const moderator: readonly Permission[] = [
  ...contributor,
  'entries:review',
  'entries:retire',
  'entries:redact',
  'accounts:read',
]
/** Reads everything that happened, people's text with it but not their personal data, and changes nothing. */
const auditor: readonly Permission[] = [
  ...reader,
  'entries:read-drafts',
  'entries:review',
  'events:read',
  'events:read-text',
  'analytics:read',
  'operations:read',
]

const granted: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  reader: new Set(reader),
  contributor: new Set(contributor),
  editor: new Set(editor),
  moderator: new Set(moderator),
  auditor: new Set(auditor),
  admin: new Set(permissions),
}

/**
 * What somebody may do: `permissions` everywhere, `inLanguages` on entries of a language beside it, by range. Who does not
 * ask for a language sees the first alone, so that what was granted for one language opens nothing else.
 */
export type Rights = {
  readonly permissions: ReadonlySet<Permission>
  readonly inLanguages?: ReadonlyMap<string, ReadonlySet<Permission>>
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

export const permissionsOf = (role: Role): ReadonlySet<Permission> => granted[role]

/** What a stranger may do: read what is published. */
export const anonymousPermissions: ReadonlySet<Permission> = new Set<Permission>(['entries:read'])

export const isRole = (value: unknown): value is Role => roles.some(role => role === value)
