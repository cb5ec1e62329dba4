/** Comments on stories, chapters and entries, and whom one does not want to hear. */

import { commentProblems } from '../../adapters/http/problems/comments.ts'
import { commentQueryRoutes } from '../../adapters/http/routes/comment-reading.ts'
import { commentRoutes } from '../../adapters/http/routes/comments.ts'
import { relationRoutes } from '../../adapters/http/routes/relations.ts'
import { openOwner } from '../../adapters/http/routes/shelf.ts'
import { openView } from '../../core/project/view.ts'
import { commentAggregate } from '../../domain/comment/comment.ts'
import { CommentDeleted } from '../../domain/comment/events.ts'
import { CommentTold, noticeAggregate } from '../../domain/comment/notice.ts'
import { commentPermissions } from '../../domain/comment/permissions.ts'
import { threadAggregate } from '../../domain/comment/thread.ts'
import { relationPermissions } from '../../domain/relation/permissions.ts'
import { relationsAggregate } from '../../domain/relation/relations.ts'
import { commentsProjection, commentTextsProjection } from '../../projections/comments.ts'
import { relationsProjection } from '../../projections/relations.ts'
import { commentHistory, getComment, listComments, ownComments } from '../../queries/comments.ts'
import { ownRelations } from '../../queries/relations.ts'
import { commentStandings, commentsChannel } from '../../subscribers/comment-channel.ts'
import { commentNoticeSubscriber } from '../../subscribers/comment-notices.ts'
import { leftCommentsSubscriber } from '../../subscribers/left-comments.ts'
import type { Area } from '../area.ts'
import { openCommentTelling } from '../comment-notices.ts'
import { openIsGone, openPlaces } from '../comment-places.ts'
import { openNewcomers } from '../newcomers.ts'

export const comments: Area = {
  name: 'comments',
  aggregates: [commentAggregate, threadAggregate, noticeAggregate, relationsAggregate],
  projections: [commentsProjection, commentTextsProjection, relationsProjection],
  channels: [commentsChannel],
  standings: commentStandings,
  removals: [{ type: CommentDeleted }],
  permissions: { ...commentPermissions, ...relationPermissions },
  problems: commentProblems,
  notices: [{ events: [CommentTold], unless: 'comments' }],
  subscribers: ({ core }) => [
    commentNoticeSubscriber({
      comments: core.transactor(commentAggregate),
      threads: core.transactor(threadAggregate),
      notices: core.transactor(noticeAggregate),
      clock: core.clock,
      ...openCommentTelling(core),
    }),
    leftCommentsSubscriber({
      comments: core.transactor(commentAggregate),
      places: openView({
        projection: commentsProjection,
        store: core.reads,
        clock: core.clock,
        freshness: core.freshness,
      }),
      isGone: openIsGone(core),
      clock: core.clock,
    }),
  ],
  routes: ({ core, config, views, renderings, running: { people } }) => {
    const { transactor } = core
    const documents = views.of(commentsProjection)
    const relations = views.of(relationsProjection)
    const streams = transactor(commentAggregate)
    const threads = transactor(threadAggregate)
    const places = openPlaces(core)
    const commands = {
      comments: streams,
      threads,
      relations: transactor(relationsAggregate),
      places,
      repliesTo: async (id: string) => (await documents.get([id])).get(id)?.body.replies ?? 0,
      wait: openNewcomers(core, config.limits.newComments),
    }
    const reads = {
      comments: documents,
      texts: views.of(commentTextsProjection),
      relations,
      streams,
      threads,
      places,
      people,
      render: renderings.whenever,
    }
    const queries = {
      getComment: getComment(reads),
      commentHistory: commentHistory(reads),
      ownComments: ownComments(reads),
      listComments: (of: Parameters<typeof listComments>[0]) => listComments(of, reads),
    }
    const related = { blocked: ownRelations('blocked', relations), muted: ownRelations('muted', relations) }
    return edge => [
      ...commentRoutes(commands, openOwner(people), edge),
      ...commentQueryRoutes(queries, edge),
      ...relationRoutes(commands, related, edge),
    ]
  },
}
