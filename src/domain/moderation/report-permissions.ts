/** What is permitted on reports and on the cases that come of them, and who may. */
import type { PermissionTable } from '../roles.ts'

export const reportPermissions = {
  'reports:write': ['contributor', 'editor', 'moderator'],
  // Reads the queue with evidence and who reported it, claims, assigns and dismisses.
  'cases:work': ['moderator'],
} as const satisfies PermissionTable

type ReportPermissions = typeof reportPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends ReportPermissions {}
}
