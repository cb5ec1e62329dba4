/** Who uses an account, and who sees those of others. */
import type { PermissionTable } from '../roles.ts'

export const accountPermissions = {
  // One's own: services have none, and are told so.
  'account:use': ['reader', 'contributor', 'editor', 'moderator', 'auditor'],
  // A moderator sees who did what to an entry, without their addresses.
  'accounts:read': ['moderator'],
  'accounts:manage': [],
} as const satisfies PermissionTable

type AccountPermissions = typeof accountPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends AccountPermissions {}
}
