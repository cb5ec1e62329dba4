/** What is permitted on proposals, and who may. Who may publish in a language decides alone (src/domain/entry/permissions.ts). Every account is a contributor. */
import type { PermissionTable } from '../roles.ts'

export const proposalPermissions = {
  'proposals:read': ['stranger', 'suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'proposals:write': ['contributor', 'editor', 'moderator'],
} as const satisfies PermissionTable

type ProposalPermissions = typeof proposalPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends ProposalPermissions {}
}
