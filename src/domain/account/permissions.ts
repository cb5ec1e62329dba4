/** Who uses an account, and who sees those of others. */
import type { PermissionTable } from '../roles.ts'

export const accountPermissions = {
  // One's own: services have none, and are told so. Who is suspended has not the use of it, but sees it, and may leave.
  'account:use': ['reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'account:read': ['reader', 'contributor', 'editor', 'moderator', 'auditor', 'suspended'],
  // To end sessions, and the account with all that is its own; to prove who one is, which that asks for.
  'account:leave': ['reader', 'contributor', 'editor', 'moderator', 'auditor', 'suspended'],
  // A moderator sees who did what to an entry, without their addresses.
  'accounts:read': ['moderator'],
  'accounts:manage': [],
} as const satisfies PermissionTable

type AccountPermissions = typeof accountPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends AccountPermissions {}
}
