/** Stories: what people write, alone or together, and series of them. */

import { storyProblems } from '../../adapters/http/problems/stories.ts'
import { storyPermissions } from '../../domain/story/permissions.ts'
import { seriesAggregate } from '../../domain/story/series.ts'
import { storyAggregate } from '../../domain/story/story.ts'
import type { Area } from '../area.ts'

export const stories: Area = {
  name: 'stories',
  aggregates: [storyAggregate, seriesAggregate],
  permissions: storyPermissions,
  problems: storyProblems,
}
