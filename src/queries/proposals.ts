/** Reading proposals: pages of them, and one with all that was said of it. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Page, Query } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import { entryStream } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import type { EntryState } from '../domain/entry/state.ts'
import { proposalNotFound } from '../domain/proposal/decisions.ts'
import type { ProposalEvent } from '../domain/proposal/events.ts'
import { isProposer, type ProposalState, type ProposalStatus, proposalStream } from '../domain/proposal/proposal.ts'
import { refuse } from '../domain/refusal.ts'
import { permissionsIn } from '../domain/roles.ts'
import { type ProposalDocument, proposalsProjection } from '../projections/proposals.ts'
import { type RelationDocument, relationId, relationsProjection } from '../projections/relations.ts'
import { keyOf, nextOf, type PageInput } from './keyset-pages.ts'
import {
  type ProposalItem,
  ProposalItemSchema,
  ProposalSchema,
  type ProposalView,
  peopleInProposal,
  proposalItem,
  proposalView,
} from './proposal-view.ts'

const text = Type.String()
export const ProposalsSchema = Type.Object(
  {
    items: Type.Array(ProposalItemSchema),
    next: Type.Union([text, Type.Null()]),
    names: Type.Optional(Type.Record(text, text)),
  },
  { $id: 'Proposals' },
)

export type ProposalsInput = PageInput & {
  readonly state?: ProposalStatus
  readonly language?: string
  readonly entry?: string
  readonly author?: string
  /** Those of the reader's own. */
  readonly mine: boolean
  /** Open ones that the reader may judge and has not. */
  readonly reviewable: boolean
}

export type ProposalReads = {
  readonly proposals: View<ProposalDocument>
  readonly relations: View<RelationDocument>
}

/** Whom the reader does not hear. */
const hiddenOf = async (
  { relations }: ProposalReads,
  account: string | undefined,
  authors: readonly string[],
): Promise<ReadonlySet<string>> => {
  if (account === undefined) return new Set()
  const others = [...new Set(authors)].filter(author => author !== account)
  const ids = others.flatMap(other => [relationId(account, other), relationId(other, account)])
  const pairs: ReadonlyMap<string, { readonly body: RelationDocument }> =
    ids.length > 0 ? await relations.get(ids) : new Map<string, never>()
  const isHidden = (other: string): boolean => {
    const mine = pairs.get(relationId(account, other))?.body
    const theirs = pairs.get(relationId(other, account))?.body
    return mine?.blocker !== undefined || mine?.muter !== undefined || theirs?.blocker !== undefined
  }
  return new Set(others.filter(isHidden))
}

/** Newest first. A page may be shorter than it could be: what is not for the reader is left out of it. */
export const listProposals = (reads: ProposalReads, name: string): Query<ProposalsInput, Page<ProposalItem>> => ({
  name,
  permission: 'proposals:read',
  output: ProposalsSchema,
  reads: [proposalsProjection, relationsProjection],
  closed: ['state', 'language', 'entry', 'author', 'mine', 'reviewable', 'limit'],
  people: peopleInProposal,
  run: async ({ state, language, entry, author, mine, reviewable, limit, after }, reader) => {
    const account = reader.actor?.kind === 'account' ? reader.actor.id : undefined
    if ((mine || reviewable) && account === undefined)
      return reader.actor === undefined
        ? refuse('permission-denied', 'Strangers have no proposals of their own, and judge none: sign in.')
        : refuse('not-an-account', 'This token belongs to a service, which has no account.')
    const members = { entry, author: mine ? account : author, language, status: reviewable ? 'open' : state }
    const where = Object.entries(defined(members)).map(([member, value]) => ({ member, op: 'eq' as const, value }))
    const position = reads.proposals.position()
    const page = await reads.proposals.find(
      { where, order: ['createdAt'], backwards: true, limit, ...keyOf(after) },
      after?.generation,
    )
    const isModerator = reader.permissions.has('comments:moderate') || reader.permissions.has('entries:publish')
    const authors = page.documents.map(({ body }) => body.author)
    const hidden = await hiddenOf(reads, isModerator ? undefined : account, authors)
    const isFor = (body: ProposalDocument): boolean => {
      if (hidden.has(body.author)) return false
      if (!reviewable || account === undefined) return true
      return !isProposer(body, account) && !body.reviews.some(({ reviewer }) => reviewer === account)
    }
    const items = page.documents.flatMap(({ id, body }) => (isFor(body) ? [proposalItem(id, body, body.revision)] : []))
    return { value: { items, next: nextOf(page) }, position }
  },
})

export type ProposalStreams = {
  readonly proposals: Pick<Transactor<ProposalState, ProposalEvent>, 'load'>
  readonly entries: Pick<Transactor<EntryState, EntryEvent>, 'load'>
}

/**
 * From its stream: what was removed is gone at once. It quotes the entry, so that it is shown as that may be seen now: of one that is held back or
 * retired its proposers see what became of their proposal, those who review all of it, and nobody else anything.
 */
export const getProposal = ({ proposals, entries }: ProposalStreams): Query<{ readonly id: string }, ProposalView> => ({
  name: 'get-proposal',
  permission: 'proposals:read',
  output: ProposalSchema,
  reads: [],
  people: peopleInProposal,
  run: async ({ id }, reader) => {
    const { state, revision, position, mark } = await proposals.load(proposalStream(id))
    if (!state) return proposalNotFound()
    const { entry } = (await entries.load(entryStream(state.entry))).state
    const isOpenly = entry?.status === 'published' && !entry.removed
    const mayReview = permissionsIn(reader, state.language).has(
      entry?.status === 'held' ? 'decisions:take' : 'entries:review',
    )
    const isTheirs = reader.actor?.kind === 'account' && isProposer(state, reader.actor.id)
    if (!isOpenly && !mayReview && !isTheirs) return proposalNotFound()
    const shown = isOpenly || mayReview ? state : { ...state, changes: [] }
    return { value: proposalView(id, shown, String(revision)), position, mark }
  },
})
