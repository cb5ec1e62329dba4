/** What is permitted on comments, and who may. */
import type { PermissionTable } from '../roles.ts'

export const commentPermissions = {
  'comments:read': ['stranger', 'suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'comments:write': ['contributor', 'editor', 'moderator'],
  // What one said oneself, at any time.
  'comments:delete': ['suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  // Closes and freezes whatever it is under, sees what is held, and is bound by no block.
  'comments:moderate': ['moderator'],
} as const satisfies PermissionTable

type CommentPermissions = typeof commentPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends CommentPermissions {}
}
