/** Finding stories by what is written in them, and by the words of the dictionary that they use. */

import { storySearchRoute } from '../../adapters/http/routes/story-search.ts'
import { storyWordRoutes } from '../../adapters/http/routes/story-words.ts'
import { entriesProjection } from '../../projections/entries.ts'
import { relationsProjection } from '../../projections/relations.ts'
import { searchProjection } from '../../projections/search.ts'
import { storiesProjection } from '../../projections/stories.ts'
import { storySearchProjection } from '../../projections/story-search.ts'
import { entryStories } from '../../queries/entry-stories.ts'
import { searchStories } from '../../queries/story-search.ts'
import { storyWords } from '../../queries/story-words.ts'
import type { Area } from '../area.ts'

export const storySearch: Area = {
  name: 'story-search',
  projections: [storySearchProjection],
  routes: ({ views, running: { people } }) => {
    const [chapters, stories] = [views.of(storySearchProjection), views.of(storiesProjection)]
    const entries = views.of(entriesProjection)
    const relations = views.of(relationsProjection)
    const words = {
      storyWords: storyWords({ stories, chapters, entries, search: views.of(searchProjection), people }),
      entryStories: entryStories({ stories, chapters, entries, relations, people }),
    }
    return edge => [
      storySearchRoute(searchStories({ search: chapters, stories, relations, people }), edge),
      ...storyWordRoutes(words, edge),
    ]
  },
}
