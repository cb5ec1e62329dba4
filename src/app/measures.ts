/** What each measure of a decision does to each kind of thing, by the decisions that the things have themselves. */
import type { Envelope, Result } from '../core/write/transact.ts'
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { reinstateFrom, suspendBy } from '../domain/account/administration.ts'
import { chapterAggregate, chapterStream } from '../domain/chapter/chapter.ts'
import { chapterNotFound } from '../domain/chapter/decisions.ts'
import { commentAggregate, commentStream } from '../domain/comment/comment.ts'
import { commentNotFound, holdComment, releaseComment } from '../domain/comment/decisions.ts'
import { threadOf } from '../domain/comment/target.ts'
import { closeThread, freeze, reopenThread, thaw, threadAggregate, threadStream } from '../domain/comment/thread.ts'
import { entryStream } from '../domain/entry/entry.ts'
import { holdEntry, releaseEntry } from '../domain/entry/holds.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import type { Moderated, ModeratedKind } from '../domain/moderation/target.ts'
import { holdChapter, holdStory, releaseChapter, releaseStory } from '../domain/story/holds.ts'
import { storyAggregate, storyStream } from '../domain/story/story.ts'
import type { Carrying, CarryOut } from '../subscribers/decisions.ts'
import type { Core } from './core.ts'

type Doing = (id: string, carrying: Carrying, envelope: Envelope) => Promise<Result<unknown>>

/** What the account is told, in a line: the rest is in the statement. */
const reasonOf = ({ decision: { statement } }: Carrying): string => statement.rule

export const openMeasures = ({ transactor }: Pick<Core, 'transactor'>): CarryOut => {
  const comments = transactor(commentAggregate)
  const threads = transactor(threadAggregate)
  const accounts = transactor(accountAggregate)
  const stories = transactor(storyAggregate)
  const chapters = transactor(chapterAggregate)
  const entries = transactor(entryAggregate)

  const hides: Readonly<Record<Exclude<ModeratedKind, 'account'>, Doing>> = {
    comment: (id, { id: decision, isOver }, envelope) =>
      comments.run(commentStream(id), isOver ? releaseComment(decision) : holdComment(decision), envelope),
    story: (id, { id: decision, isOver }, envelope) =>
      stories.run(storyStream(id), isOver ? releaseStory(decision) : holdStory(decision), envelope),
    entry: (id, { id: decision, isOver }, envelope) =>
      entries.run(entryStream(id), isOver ? releaseEntry(decision) : holdEntry(decision), envelope),
    // A chapter is shown as its story says.
    chapter: async (id, { id: decision, isOver }, envelope) => {
      const { state: chapter } = await chapters.load(chapterStream(id))
      if (!chapter) return chapterNotFound()
      const decide = isOver ? releaseChapter(id, decision) : holdChapter(id, decision)
      return stories.run(storyStream(chapter.story), decide, envelope)
    },
  }

  const freezeBranch: Doing = async (id, { id: decision, decision: { by }, isOver }, envelope) => {
    const { state: comment } = await comments.load(commentStream(id))
    if (!comment) return commentNotFound()
    const { thread, path } = comment
    const halt = (isOver ? thaw : freeze)(thread, { comment: id, path }, { by, decision })
    return threads.run(threadStream(thread), halt, envelope)
  }
  const freezeThread = (
    target: Moderated,
    { id: decision, decision: { by }, isOver }: Carrying,
    envelope: Envelope,
  ): Promise<Result<unknown>> => {
    if (target.kind === 'comment' || target.kind === 'account') throw new TypeError(`no thread of ${target.kind}`)
    const thread = threadOf({ kind: target.kind, id: target.id })
    return threads.run(threadStream(thread), (isOver ? reopenThread : closeThread)(thread, { by, decision }), envelope)
  }

  const suspension: Doing = (id, carrying, envelope) => {
    const administering = { by: carrying.decision.by, now: envelope.at, reason: reasonOf(carrying) }
    const decide = (carrying.isOver ? reinstateFrom : suspendBy)(carrying.id, administering)
    return accounts.run(accountStream(id), decide, envelope)
  }

  return ({ measure, target }, carrying, envelope) => {
    switch (measure) {
      case 'hide':
        if (target.kind === 'account') throw new TypeError('nothing hides accounts')
        return hides[target.kind](target.id, carrying, envelope)
      case 'freeze':
        return target.kind === 'comment'
          ? freezeBranch(target.id, carrying, envelope)
          : freezeThread(target, carrying, envelope)
      case 'suspend':
        return suspension(target.id, carrying, envelope)
    }
  }
}
