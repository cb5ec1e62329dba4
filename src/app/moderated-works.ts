/** What is reported and decided about, from the streams: what was edited, deleted or erased is so at once. */
import { eventsAt } from '../core/log/revisions.ts'
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { chapterAggregate, chapterStream, isChapterEvent } from '../domain/chapter/chapter.ts'
import { openChapterTexts } from '../domain/chapter/texts.ts'
import { commentAggregate, commentStream, currentVersion } from '../domain/comment/comment.ts'
import { targetOf } from '../domain/comment/target.ts'
import { defined } from '../domain/defined.ts'
import { type Entry, entryStream } from '../domain/entry/entry.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import type { ModeratedKind, ModeratedWork, ModeratedWorks } from '../domain/moderation/target.ts'
import { profileAggregate, profileStream } from '../domain/profile/profile.ts'
import { type Story, storyAggregate, storyStream } from '../domain/story/story.ts'
import type { Core } from './core.ts'

/** What there is of each on a line, or more, of its own. */
const lines = (parts: readonly (string | undefined)[]): string =>
  parts.filter(part => part !== undefined && part !== '').join('\n')

const storyText = ({ title, summary, tags }: Story): string => lines([title, summary, tags.join(', ')])

const entryText = ({ lemma, content: { etymology, senses } }: Entry): string =>
  lines([
    lemma,
    etymology,
    ...senses.flatMap(({ gloss, examples }) => [
      gloss,
      ...examples.flatMap(({ text, translation }) => [text, translation]),
    ]),
  ])

/** Never published: nobody but its authors has seen it, and there is nothing to report or to decide about. */
type Look = (id: string) => Promise<Omit<ModeratedWork, 'target'> | undefined>

export const openModeratedWorks = ({ transactor, log }: Pick<Core, 'transactor' | 'log'>): ModeratedWorks => {
  const comments = transactor(commentAggregate)
  const stories = transactor(storyAggregate)
  const chapters = transactor(chapterAggregate)
  const entries = transactor(entryAggregate)
  const accounts = transactor(accountAggregate)
  const profiles = transactor(profileAggregate)
  const texts = openChapterTexts({
    events: async (id, revisions) => {
      const found = await eventsAt(log, chapterStream(id), revisions)
      return new Map([...found].flatMap(([at, event]) => (isChapterEvent(event) ? [[at, event]] : [])))
    },
    // Few are looked at, and each seldom twice.
    kept: { get: () => undefined, set: () => {} },
  })

  const languageOfThread = async (story: string | undefined, thread: string): Promise<string | undefined> => {
    if (story !== undefined) return (await stories.load(storyStream(story))).state?.language
    const about = targetOf(thread)
    return about?.kind === 'entry' ? (await entries.load(entryStream(about.id))).state.entry?.language : undefined
  }

  const looks: Readonly<Record<ModeratedKind, Look>> = {
    comment: async id => {
      const { state: comment, revision } = await comments.load(commentStream(id))
      if (!comment) return undefined
      return {
        authors: [comment.author],
        revision: String(revision),
        text: currentVersion(comment)?.text ?? '',
        isGone: comment.isDeleted,
        ...defined({ language: await languageOfThread(comment.story, comment.thread) }),
      }
    },
    story: async id => {
      const { state: story, revision } = await stories.load(storyStream(id))
      if (!story || (story.publishedAt === undefined && !story.isDeleted)) return undefined
      const { authors, language, isDeleted: isGone } = story
      return { authors, language, isGone, revision: String(revision), text: isGone ? '' : storyText(story) }
    },
    chapter: async id => {
      const { state: chapter, revision } = await chapters.load(chapterStream(id))
      if (!chapter || (chapter.publishedAt === undefined && !chapter.isDeleted)) return undefined
      const { state: story } = await stories.load(storyStream(chapter.story))
      const text = await texts.current(id, chapter.published, 'published')
      return {
        authors: story?.authors ?? [],
        revision: String(revision),
        text: chapter.isDeleted ? '' : lines([chapter.published?.title, chapter.published?.note, text]),
        isGone: chapter.isDeleted || story === undefined || story.isDeleted,
        ...defined({ language: story?.language }),
      }
    },
    entry: async id => {
      const { state, revision } = await entries.load(entryStream(id))
      const { entry } = state
      if (!entry) return undefined
      const { contributors: authors, language, removed: isGone } = entry
      return { authors, language, isGone, revision: String(revision), text: isGone ? '' : entryText(entry) }
    },
    account: async id => {
      const { state: account, revision } = await accounts.load(accountStream(id))
      if (!account) return undefined
      const { displayName, bio } = (await profiles.load(profileStream(id))).state
      const isGone = account.erased !== undefined || account.erasure?.begunAt !== undefined
      return { authors: [id], revision: String(revision), text: isGone ? '' : lines([displayName, bio]), isGone }
    },
  }

  return async target => {
    const found = await looks[target.kind](target.id)
    return found && { target, ...found }
  }
}
