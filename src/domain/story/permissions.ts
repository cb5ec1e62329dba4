/** What is permitted on stories, and who may. What an author may do to a story of theirs is decided on the story itself. */
import type { PermissionTable } from '../roles.ts'

export const storyPermissions = {
  'stories:read': ['stranger', 'suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'stories:write': ['contributor', 'editor', 'moderator'],
  // To delete what is one's own, or leave it: stories, chapters, series, and invitations to be an author.
  'stories:leave': ['suspended', 'reader', 'contributor', 'editor', 'moderator', 'auditor'],
  'stories:review': ['moderator', 'auditor'],
} as const satisfies PermissionTable

type StoryPermissions = typeof storyPermissions
declare module '../roles.ts' {
  interface DeclaredPermissions extends StoryPermissions {}
}
