/** What is permitted of one's relations to others, and who may. All of it is about what is one's own. */
import type { PermissionTable } from '../roles.ts'

export const relationPermissions = {
  'relations:write': ['reader', 'contributor', 'editor', 'moderator', 'auditor'],
} as const satisfies PermissionTable

type RelationPermissions = typeof relationPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends RelationPermissions {}
}
