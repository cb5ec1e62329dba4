/** Who may read what happened. An auditor reads everything, people's text with it but not their personal data, and changes nothing. */
import type { PermissionTable } from '../roles.ts'

export const historyPermissions = {
  'events:read': ['auditor'],
  'events:read-text': ['auditor'],
  'events:read-personal': [],
} as const satisfies PermissionTable

type HistoryPermissions = typeof historyPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends HistoryPermissions {}
}
