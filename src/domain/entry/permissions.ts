/** What is permitted on entries, and who may. */
import type { PermissionTable } from '../roles.ts'

export const entryPermissions = {
  'entries:read': ['stranger', 'suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'entries:read-drafts': ['contributor', 'editor', 'moderator', 'auditor'],
  'entries:draft': ['contributor', 'editor', 'moderator'],
  'entries:edit-own': ['contributor', 'editor', 'moderator'],
  'entries:submit': ['contributor', 'editor', 'moderator'],
  'entries:publish': ['editor'],
  'entries:edit': ['editor'],
  'entries:review': ['editor', 'moderator', 'auditor'],
  'entries:retire': ['editor', 'moderator'],
  // A moderator takes away what must not stand, and does not decide what is published.
  'entries:redact': ['moderator'],
  'entries:import': [],
} as const satisfies PermissionTable

type EntryPermissions = typeof entryPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends EntryPermissions {}
}
