/** Who sees how the service does, and who may have its read models built anew. */
import type { PermissionTable } from '../roles.ts'

export const operationPermissions = {
  'operations:read': ['auditor'],
  'projections:manage': [],
} as const satisfies PermissionTable

type OperationPermissions = typeof operationPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends OperationPermissions {}
}
