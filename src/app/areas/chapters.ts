/** The chapters of stories: their text, as authors work on it and as readers have it, and how it became so. */

import { chapterAggregate } from '../../domain/chapter/chapter.ts'
import type { Area } from '../area.ts'

export const chapters: Area = {
  name: 'chapters',
  aggregates: [chapterAggregate],
}
