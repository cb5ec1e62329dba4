/** Who may see what is counted. */
import type { PermissionTable } from '../roles.ts'

export const analyticsPermissions = {
  'analytics:read': ['auditor'],
} as const satisfies PermissionTable

type AnalyticsPermissions = typeof analyticsPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends AnalyticsPermissions {}
}
