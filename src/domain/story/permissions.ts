/** What is permitted on stories, and who may. What an author may do to a story of theirs is decided on the story itself. */
import type { PermissionTable } from '../roles.ts'

export const storyPermissions = {
  'stories:read': ['stranger', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'stories:write': ['contributor', 'editor', 'moderator'],
  'stories:review': ['moderator', 'auditor'],
} as const satisfies PermissionTable

type StoryPermissions = typeof storyPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends StoryPermissions {}
}
