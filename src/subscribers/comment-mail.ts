/** What people are told by mail of comments. Each mail is decided once more when it is sent, and says nothing of what a comment says. */
import type { Comment } from '../domain/comment/comment.ts'
import { CommentTold, noticeCategory, noticeReasons } from '../domain/comment/notice.ts'
import type { Recorded } from '../domain/event.ts'
import type { MailRule } from './mail.ts'

export type CommentMailDeps = {
  readonly publicUrl: () => string
  /** Where to write to no longer get them. */
  readonly from: string
  /** As it stands; undefined: it is held back or gone. */
  readonly standing: (id: string) => Promise<Comment | undefined>
  /** May the account be told of this comment now, and does it want to be? */
  readonly mayBeTold: (accountId: string, comment: Comment) => Promise<boolean>
}

const accountOf = ({ data }: Recorded): string => String(data['accountId'])
const commentOf = ({ data }: Recorded): string => String(data['comment'])

export const commentRules = (deps: CommentMailDeps): readonly MailRule[] =>
  noticeReasons.map(because => ({
    type: CommentTold.type,
    category: noticeCategory,
    template: `comment-${because}`,
    to: event => (event.data['because'] === because ? [`account:${accountOf(event)}`] : []),
    still: async event => {
      const comment = await deps.standing(commentOf(event))
      return comment !== undefined && deps.mayBeTold(accountOf(event), comment)
    },
    data: event => ({ url: `${deps.publicUrl()}/v1/comments/${commentOf(event)}` }),
    unsubscribe: () => `mailto:${deps.from}?subject=unsubscribe`,
  }))
