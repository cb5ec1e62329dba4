/** Who lets services in, and keeps others out: administrators alone. */
import type { PermissionTable } from '../roles.ts'

export const accessPermissions = {
  'tokens:manage': [],
  'blocks:manage': [],
} as const satisfies PermissionTable

type AccessPermissions = typeof accessPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends AccessPermissions {}
}
