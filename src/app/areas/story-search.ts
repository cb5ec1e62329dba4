/** Finding stories by what is written in them. */

import { storySearchRoute } from '../../adapters/http/routes/story-search.ts'
import { storiesProjection } from '../../projections/stories.ts'
import { storySearchProjection } from '../../projections/story-search.ts'
import { searchStories } from '../../queries/story-search.ts'
import type { Area } from '../area.ts'

export const storySearch: Area = {
  name: 'story-search',
  projections: [storySearchProjection],
  routes: ({ views, running: { people } }) => {
    const reads = { search: views.of(storySearchProjection), stories: views.of(storiesProjection), people }
    return edge => [storySearchRoute(searchStories(reads), edge)]
  },
}
