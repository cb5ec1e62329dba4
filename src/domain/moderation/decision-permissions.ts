/** Who decides about what people write, and who appeals. */
import type { PermissionTable } from '../roles.ts'

export const decisionPermissions = {
  'decisions:take': ['moderator'],
  // Without an appeal.
  'decisions:overturn': [],
  'decisions:read': ['moderator', 'auditor'],
  // Against a decision of one's own, also where one may do nothing else any more.
  'appeals:file': ['suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  // Numbers, which name nobody.
  'transparency:read': ['stranger', 'suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
} as const satisfies PermissionTable

type DecisionPermissions = typeof decisionPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends DecisionPermissions {}
}
