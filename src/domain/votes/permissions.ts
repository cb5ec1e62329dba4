/** What is permitted on ratings, and who may: whoever has an account, once its address is verified. Services rate nothing. */
import type { PermissionTable } from '../roles.ts'

export const votesPermissions = {
  'ratings:write': ['contributor', 'editor', 'moderator', 'auditor'],
} as const satisfies PermissionTable

type VotesPermissions = typeof votesPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends VotesPermissions {}
}
