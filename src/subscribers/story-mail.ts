/** What people are told by mail of what they follow. Each mail is decided once more when it is sent. */

import type { Recorded } from '../domain/event.ts'
import { FollowedPublished, shelfCategory } from '../domain/shelf/shelf.ts'
import type { Story } from '../domain/story/story.ts'
import type { MailRule } from './mail.ts'

export type StoryMailDeps = {
  readonly publicUrl: () => string
  /** Where to write to no longer get them. */
  readonly from: string
  readonly story: (id: string) => Promise<Story | undefined>
  /** May the account be told of this story now, and does it want to be? */
  readonly mayBeTold: (accountId: string, story: Story) => Promise<boolean>
  /** The keys that people's text in the stream is sealed under. */
  readonly keysOf: (stream: string) => Promise<readonly string[]>
  readonly streamOf: (story: string) => string
}

const accountOf = ({ data }: Recorded): string => String(data['accountId'])
const storyOf = ({ data }: Recorded): string => String(data['story'])
const chaptersOf = ({ data: { chapters } }: Recorded): readonly string[] =>
  Array.isArray(chapters) ? chapters.map(String) : []

/** Those of the chapters that are published now. */
const shownOf = (event: Recorded, story: Story): readonly string[] => {
  const named = chaptersOf(event)
  return story.chapters.flatMap(({ id, isShown }) => (isShown && named.includes(id) ? [id] : []))
}

export const storyRules = (deps: StoryMailDeps): readonly MailRule[] => [
  {
    type: FollowedPublished.type,
    category: shelfCategory,
    template: 'chapter-published',
    to: event => [`account:${accountOf(event)}`],
    still: async event => {
      const story = await deps.story(storyOf(event))
      return story !== undefined && shownOf(event, story).length > 0 && deps.mayBeTold(accountOf(event), story)
    },
    data: async event => {
      const story = await deps.story(storyOf(event))
      if (!story) return undefined
      const { title } = story
      return { title, chapters: shownOf(event, story).length, url: `${deps.publicUrl()}/v1/stories/${storyOf(event)}` }
    },
    keys: event => deps.keysOf(deps.streamOf(storyOf(event))),
    unsubscribe: () => `mailto:${deps.from}?subject=unsubscribe`,
  },
]
