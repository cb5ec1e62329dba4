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
] as const
export type Permission = (typeof permissions)[number]

export const roles = ['reader', 'contributor', 'editor', 'moderator', 'auditor', 'admin'] as const
export type Role = (typeof roles)[number]

const reader: readonly Permission[] = ['entries:read']
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
/** Takes away what must not stand, and sees who did what to an entry; does not decide what is published. */
const moderator: readonly Permission[] = [...contributor, 'entries:review', 'entries:retire', 'entries:redact']
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

export const permissionsOf = (role: Role): ReadonlySet<Permission> => granted[role]

/** What a stranger may do: read what is published. */
export const anonymousPermissions: ReadonlySet<Permission> = new Set<Permission>(['entries:read'])

export const isRole = (value: unknown): value is Role => roles.some(role => role === value)
