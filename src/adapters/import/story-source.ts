/** What the readers of files of stories are given, and what they offer. */
import type { StoryRecord } from '../../commands/import-stories.ts'
import type { Fault } from '../../domain/refusal.ts'
import type { StoryVisibility } from '../../domain/story/terms.ts'

/** What a file does not say of a story. */
export type StoryDefaults = {
  readonly language?: string
  readonly visibility?: StoryVisibility
  readonly isPublished: boolean
}
/** `line`: where it begins; 1 of a file that is one story. */
export type StoryItem =
  | { readonly kind: 'record'; readonly line: number; readonly record: StoryRecord }
  | {
      readonly kind: 'fault'
      readonly line: number
      readonly reason: string
      readonly errors?: readonly Fault[]
    }
