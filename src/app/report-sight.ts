/** Who may report what, and how much it counts: from the streams, so that what was hidden, suspended or deleted is so at once. */
import type { ReportDeps, ReporterOf } from '../commands/reports.ts'
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { isIdle } from '../domain/account/standing.ts'
import { chapterNotFound } from '../domain/chapter/decisions.ts'
import { commentAggregate, commentStream } from '../domain/comment/comment.ts'
import { commentNotFound } from '../domain/comment/decisions.ts'
import { NEW_DAYS } from '../domain/comment/limits.ts'
import { commentSight } from '../domain/comment/sight.ts'
import { isTooLate, threadAggregate, threadStream } from '../domain/comment/thread.ts'
import { DELETED_MINUTES } from '../domain/moderation/report-limits.ts'
import { weightOf } from '../domain/moderation/report-weight.ts'
import {
  defaultPreferences,
  isShownTo,
  preferencesAggregate,
  preferencesStream,
} from '../domain/profile/preferences.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { openPlaces } from './comment-places.ts'
import type { Core } from './core.ts'

const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS

/**
 * Why this account cannot see it. No block hides anything here: who is insulted and then blocked may report it, and so may who has blocked. What was
 * deleted a moment ago is there still for those who had seen it.
 */
export const openUnseen = (core: Pick<Core, 'transactor'>): ReportDeps['unseen'] => {
  const { transactor } = core
  const places = openPlaces(core)
  const comments = transactor(commentAggregate)
  const threads = transactor(threadAggregate)

  const unseenComment = async (id: string, who: ReporterOf, now: Date): Promise<Refusal | undefined> => {
    const { state: comment } = await comments.load(commentStream(id))
    if (!comment) return commentNotFound()
    const found = await places(comment.target, who)
    if (isRefusal(found)) return commentNotFound()
    const { state: thread } = await threads.load(threadStream(comment.thread))
    const { author, isDeleted, deletedAt } = comment
    const isHeld = comment.holds.length > 0 || isTooLate(thread, comment)
    if (isDeleted) {
      const isRecent = deletedAt !== undefined && now.getTime() - Date.parse(deletedAt) < DELETED_MINUTES * MINUTE_MS
      return isRecent && !isHeld ? undefined : commentNotFound()
    }
    const viewer = { account: who.account, isModerator: who.permissions.has('comments:moderate'), hides: () => false }
    return commentSight({ author, isDeleted, isHeld }, viewer) === 'shown' ? undefined : commentNotFound()
  }

  const unseenAccount = async (id: string): Promise<Refusal | undefined> => {
    const absent = () => refuse('profile-not-found', 'There is no such profile, or it is not for you to see.')
    const { state: account } = await transactor(accountAggregate).load(accountStream(id))
    if (!account || account.erased || account.erasure?.begunAt !== undefined) return absent()
    const { state } = await transactor(preferencesAggregate).load(preferencesStream(id))
    const { privacy } = state.chosen ?? defaultPreferences(account.locale)
    return isShownTo(privacy.profile, { privy: false, signedIn: true }) ? undefined : absent()
  }

  return async ({ kind, id }, who, now) => {
    if (kind === 'comment') return unseenComment(id, who, now)
    if (kind === 'account') return unseenAccount(id)
    const found = await places({ kind, id }, who)
    if (isRefusal(found)) return found
    return kind === 'chapter' && !found.place.isOpen ? chapterNotFound() : undefined
  }
}

export type Verdicts = (accountId: string) => Promise<{ readonly upheld: number; readonly dismissed: number }>

/** How much a report of this account counts for now. */
export const openWeight =
  ({ transactor }: Pick<Core, 'transactor'>, verdicts: Verdicts): ReportDeps['weight'] =>
  async ({ account: id, permissions }, now) => {
    const { state: account } = await transactor(accountAggregate).load(accountStream(id))
    const isNew = account !== undefined && now.getTime() - Date.parse(account.createdAt) < NEW_DAYS * DAY_MS
    return weightOf({
      ...(await verdicts(id)),
      isStaff: permissions.has('cases:work'),
      isNew,
      isIdle: isIdle(account),
    })
  }

export type ReportLimits = { readonly reports: number; readonly reportsAbout: number }

/** Reports of a day, of all and about one person; who works on cases reports as much as they find. A cache that is away lets them in. */
export const openReportWait =
  ({ cache }: Pick<Core, 'cache'>, { reports, reportsAbout }: ReportLimits): ReportDeps['wait'] =>
  async ({ account, permissions }, authors) => {
    if (permissions.has('cases:work')) return undefined
    const counted = [
      { key: `reports:${account}`, most: reports },
      ...authors.map(author => ({ key: `reports:${account}:${author}`, most: reportsAbout })),
    ].filter(({ most }) => most > 0)
    try {
      const hits = await Promise.all(
        counted.map(async ({ key, most }) => ({ ...(await cache.hit(key, DAY_MS)), most })),
      )
      const full = hits.filter(({ count, most }) => count > most).map(({ resetMs }) => resetMs)
      return full.length > 0 ? Math.max(1, Math.ceil(Math.max(...full) / 1000)) : undefined
    } catch {
      return undefined
    }
  }
