/** What comments may be about, from the streams: what was published, hidden or deleted is so at once. */

import { chapterAggregate, chapterStream } from '../domain/chapter/chapter.ts'
import { chapterNotFound } from '../domain/chapter/decisions.ts'
import { chapterPlace, entryPlace, type Place, type Places, storyPlace } from '../domain/comment/place.ts'
import type { Target } from '../domain/comment/target.ts'
import { entryStream } from '../domain/entry/entry.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { storyAggregate, storyStream } from '../domain/story/story.ts'
import type { Core } from './core.ts'

const at = (place: Place | Refusal, revision: unknown) =>
  isRefusal(place) ? place : { place, revision: String(revision) }

export const openPlaces = ({ transactor }: Pick<Core, 'transactor'>): Places => {
  const stories = transactor(storyAggregate)
  const chapters = transactor(chapterAggregate)
  const entries = transactor(entryAggregate)
  return async ({ kind, id }, viewer) => {
    if (kind === 'entry') {
      const { state, revision } = await entries.load(entryStream(id))
      return at(entryPlace(id, state.entry, viewer.permissions), revision)
    }
    if (kind === 'story') {
      const { state, revision } = await stories.load(storyStream(id))
      return at(storyPlace(id, state, viewer), revision)
    }
    const { state: chapter } = await chapters.load(chapterStream(id))
    if (!chapter || chapter.isDeleted) return chapterNotFound()
    const storyId = chapter.story
    const { state: story, revision } = await stories.load(storyStream(storyId))
    return at(chapterPlace(id, { storyId, story }, viewer), revision)
  }
}

/** Was it deleted, or its text removed? What is out of sight alone is not. */
export const openIsGone = ({ transactor }: Pick<Core, 'transactor'>) => {
  const stories = transactor(storyAggregate)
  const chapters = transactor(chapterAggregate)
  const entries = transactor(entryAggregate)
  return async ({ kind, id }: Target): Promise<boolean> => {
    if (kind === 'entry') return (await entries.load(entryStream(id))).state.entry?.removed === true
    if (kind === 'story') return (await stories.load(storyStream(id))).state?.isDeleted === true
    return (await chapters.load(chapterStream(id))).state?.isDeleted === true
  }
}
