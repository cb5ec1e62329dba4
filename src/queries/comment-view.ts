/** A comment as its reader may see it: what it says, or a stub that says that something stands there. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Transactor } from '../core/write/transact.ts'
import type { Rendering } from '../domain/chapter/rendering.ts'
import { type CommentState, commentStream, type Quote } from '../domain/comment/comment.ts'
import type { CommentEvent } from '../domain/comment/events.ts'
import { DEPTH_SHOWN, MOST_DEPTH } from '../domain/comment/limits.ts'
import { type CommentSight, type CommentViewer, commentSight } from '../domain/comment/sight.ts'
import { TargetKindSchema } from '../domain/comment/target.ts'
import { isClosed, isFrozen, isTooLate, type Thread } from '../domain/comment/thread.ts'
import { defined } from '../domain/defined.ts'
import type { Viewer } from '../domain/story/sight.ts'
import type { CommentDocument, CommentTextDocument } from '../projections/comments.ts'
import { type RelationDocument, relationId } from '../projections/relations.ts'
import { type Between, isBlocked, isHiddenFrom, pairsWith } from './hidden-authors.ts'

const text = Type.String()
const count = Type.Integer({ minimum: 0 })
const time = Type.String({ format: 'date-time' })

const ShownQuote = Type.Object({
  comment: text,
  revision: text,
  from: count,
  to: count,
  text: Type.Optional(Type.String({ description: 'Absent where what was quoted is gone, or not for you to see.' })),
})

/** What stands of a comment that is shown comes last. */
export const CommentSchema = Type.Object(
  {
    id: text,
    target: Type.Object({ kind: TargetKindSchema, id: text }),
    storyId: Type.Optional(text),
    parentId: Type.Optional(text),
    rootId: text,
    depth: Type.Integer({ minimum: 1, maximum: MOST_DEPTH, description: 'The first of a thread is at depth 1.' }),
    replies: Type.Integer({ minimum: 0, description: 'Those that stand, at any depth below.' }),
    createdAt: time,
    open: Type.Boolean({ description: 'May it be answered?' }),
    deeper: Type.Optional(
      Type.Literal(true, { description: `Its answers stand deeper than ${DEPTH_SHOWN} levels: ask with under=.` }),
    ),
    gone: Type.Optional(
      Type.Enum(['deleted', 'held', 'hidden'], {
        description: 'It is a stub, and this is why. Nothing below is there.',
      }),
    ),
    author: Type.Optional(text),
    text: Type.Optional(Type.String({ description: 'CommonMark.' })),
    html: Type.Optional(Type.String({ description: 'The text as HTML, in which images are links.' })),
    mentions: Type.Optional(Type.Array(text, { description: 'Accounts.' })),
    quotes: Type.Optional(Type.Array(ShownQuote)),
    editedAt: Type.Optional(time),
    held: Type.Optional(Type.Literal(true, { description: 'It is shown to you, and held back from others.' })),
    revision: Type.Optional(text),
  },
  { $id: 'Comment' },
)
export type CommentView = Static<typeof CommentSchema>

export type CommentReads = {
  readonly comments: View<CommentDocument>
  readonly texts: View<CommentTextDocument>
  readonly relations: View<RelationDocument>
  readonly streams: Pick<Transactor<CommentState, CommentEvent>, 'load'>
  /** The HTML of a text; `key` names the text for good. */
  readonly render: (key: string, text: string) => Promise<Rendering>
}

export type Found = { readonly id: string; readonly body: CommentDocument }

/** How this viewer sees comments of these authors. */
export const viewerAmong = async (
  { relations }: Pick<CommentReads, 'relations'>,
  { account, permissions }: Viewer,
  found: readonly Found[],
): Promise<{ readonly viewer: CommentViewer; readonly between: Between }> => {
  const isModerator = permissions.has('comments:moderate')
  const authors = [...new Set(found.map(({ body }) => body.author))].filter(author => author !== account)
  const own = account === undefined || isModerator ? [] : pairsWith(account, authors)
  const mentioned = found.flatMap(({ body }) => body.mentions.map(other => relationId(other, body.author)))
  const ids = [...new Set([...own, ...mentioned])]
  const between: Between = ids.length > 0 ? await relations.get(ids) : new Map<string, never>()
  const hides = (author: string): boolean =>
    account !== undefined && !isModerator && isHiddenFrom(between, account, author)
  return { viewer: { isModerator, hides, ...defined({ account }) }, between }
}

/** `thread`: absent where comments of several are shown to who said them. */
const isHeld = ({ holds, path, position }: CommentDocument, thread: Thread | undefined): boolean =>
  holds.length > 0 || (thread !== undefined && isTooLate(thread, { path, position: BigInt(position) }))

export const sightOfComment = (
  body: CommentDocument,
  thread: Thread | undefined,
  viewer: CommentViewer,
): CommentSight =>
  commentSight({ author: body.author, isDeleted: body.isDeleted, isHeld: isHeld(body, thread) }, viewer)

const partOf = (whole: string, { from, to }: Quote): string => [...whole].slice(from, to).join('')

/** What quotes of a page say, by where they are from: of what is gone, held, or not for this viewer nothing. */
const quotedIn = async (
  reads: CommentReads,
  viewer: Viewer,
  shown: readonly Found[],
  thread: Thread | undefined,
): Promise<(quote: Quote) => string | undefined> => {
  const quotes = shown.flatMap(({ body }) => body.quotes)
  if (quotes.length === 0) return () => undefined
  const ids = [...new Set(quotes.map(({ comment }) => comment))]
  const [documents, texts] = await Promise.all([reads.comments.get(ids), reads.texts.get(ids)])
  const sources = [...documents.values()]
  const { viewer: among } = await viewerAmong(reads, viewer, sources)
  const seen = new Set(sources.flatMap(each => (sightOfComment(each.body, thread, among) === 'shown' ? [each.id] : [])))
  const said = new Map<string, string>()
  for (const { comment, revision } of quotes) {
    if (!seen.has(comment)) continue
    const now = texts.get(comment)?.body
    // What was edited since says what it said in its own stream.
    const version =
      now?.revision === revision
        ? now
        : (await reads.streams.load(commentStream(comment))).state?.versions.find(each => each.revision === revision)
    if (version) said.set(`${comment} ${revision}`, version.text)
  }
  return quote => {
    const whole = said.get(`${quote.comment} ${quote.revision}`)
    return whole === undefined ? undefined : partOf(whole, quote)
  }
}

/** `lowest`: the level up to which a page shows. */
export type Showing = { readonly viewer: Viewer; readonly thread?: Thread; readonly lowest?: number }

const placeOf = ({ id, body }: Found, { thread, lowest = Number.POSITIVE_INFINITY }: Showing) => {
  const { target, story, parent, root, depth, replies, createdAt, path, isDeleted } = body
  const isOpen = thread === undefined || !(isClosed(thread) || isFrozen(thread, path))
  return {
    id,
    target: { ...target },
    ...defined({ storyId: story, parentId: parent }),
    rootId: root,
    depth,
    replies,
    createdAt,
    open: isOpen && !isDeleted && body.holds.length === 0 && depth < MOST_DEPTH,
    ...defined({ deeper: depth >= lowest && replies > 0 ? (true as const) : undefined }),
  }
}

/** Each comment as this viewer sees it, with what is quoted in it; everything that a page needs is asked for at once. */
export const commentViews = async (
  reads: CommentReads,
  found: readonly Found[],
  showing: Showing,
): Promise<readonly CommentView[]> => {
  const { thread } = showing
  const { viewer, between } = await viewerAmong(reads, showing.viewer, found)
  const sights = new Map(found.map(each => [each.id, sightOfComment(each.body, thread, viewer)]))
  const shown = found.filter(({ id }) => sights.get(id) === 'shown')
  const ids = shown.map(({ id }) => id)
  const [texts, quoted] = await Promise.all([
    ids.length > 0 ? reads.texts.get(ids) : new Map<string, never>(),
    quotedIn(reads, showing.viewer, shown, thread),
  ])
  return Promise.all(
    found.map(async (each): Promise<CommentView> => {
      const sight = sights.get(each.id) ?? { gone: 'deleted' }
      const said = texts.get(each.id)?.body
      const place = placeOf(each, showing)
      if (sight !== 'shown') return { ...place, ...sight }
      // The one read model may have heard of its end before the other.
      if (!said) return { ...place, open: false, gone: 'deleted' }
      const { author, mentions, quotes, editedAt, revision } = each.body
      const { html } = await reads.render(`comment ${each.id} ${said.revision} ${said.mark}`, said.text)
      // Who blocked its author is mentioned to nobody but the author, who is told nothing by it.
      const isMentioned = (other: string): boolean =>
        viewer.account === author || !isBlocked(between.get(relationId(other, author))?.body)
      return {
        ...place,
        author,
        text: said.text,
        html,
        mentions: mentions.filter(isMentioned),
        quotes: quotes.map(quote => ({ ...quote, ...defined({ text: quoted(quote) }) })),
        ...defined({ editedAt }),
        ...defined({ held: isHeld(each.body, thread) ? (true as const) : undefined }),
        revision,
      }
    }),
  )
}

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : []

/** The accounts that a comment names, as far as its members are shown. */
export const peopleInComment = (shown: unknown): readonly string[] => {
  if (typeof shown !== 'object' || shown === null) return []
  const { author, mentions } = { author: undefined, mentions: undefined, ...shown }
  return [...strings([author]), ...strings(mentions)]
}
