/** What is permitted on proposals, and who may. Who may publish in a language decides alone (src/domain/entry/permissions.ts). */
import type { PermissionTable } from '../roles.ts'

export const proposalPermissions = {
  'proposals:read': ['stranger', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'proposals:write': ['reader', 'contributor', 'editor', 'moderator'],
} as const satisfies PermissionTable

type ProposalPermissions = typeof proposalPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends ProposalPermissions {}
}
