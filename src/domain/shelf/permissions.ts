/** What is permitted on shelves and reading lists, and who may. All of it is about what is one's own. */
import type { PermissionTable } from '../roles.ts'

export const shelfPermissions = {
  'shelf:write': ['reader', 'contributor', 'editor', 'moderator', 'auditor'],
} as const satisfies PermissionTable

type ShelfPermissions = typeof shelfPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends ShelfPermissions {}
}
