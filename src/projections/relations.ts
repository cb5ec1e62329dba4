/** Who has blocked or muted whom: a small document for each pair, so that a page of comments asks for all it needs by ids. */
import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { type RelationEvent, relationEvents, relationsCategory } from '../domain/relation/relations.ts'

const names: ReadonlySet<string> = new Set(relationEvents.map(({ type }) => type))
const isRelationEvent = (event: Recorded): event is Recorded<RelationEvent> => names.has(event.type)

/** Of what one account is to another. */
export const relationId = (accountId: string, other: string): string => `${accountId}:${other}`

/** `blocker`, `muter`: the account, while it blocks or mutes the other; times are RFC 3339, since when. */
export type RelationDocument = {
  readonly accountId: string
  readonly other: string
  readonly blocker?: string
  readonly blockedAt?: string
  readonly muter?: string
  readonly mutedAt?: string
}

const evolveRelation = (
  before: RelationDocument,
  event: Recorded<Exclude<RelationEvent, { type: 'RelationsCleared' }>>,
): RelationDocument => {
  const { accountId, other, ...kept } = before
  const pair = { accountId, other }
  const { blocker, blockedAt, muter, mutedAt } = kept
  const { at } = event.meta
  switch (event.type) {
    case 'PersonBlocked':
      return { ...before, blocker: accountId, blockedAt: blockedAt ?? at }
    case 'PersonUnblocked':
      return { ...pair, ...defined({ muter, mutedAt }) }
    case 'PersonMuted':
      return { ...before, muter: accountId, mutedAt: mutedAt ?? at }
    case 'PersonUnmuted':
      return { ...pair, ...defined({ blocker, blockedAt }) }
  }
}

export const relationsProjection = projection<RelationDocument>({
  name: 'relations',
  version: 1,
  categories: [relationsCategory],
  indexes: [
    { name: 'blocker', on: ['blocker', 'blockedAt'] },
    { name: 'muter', on: ['muter', 'mutedAt'] },
  ],
  key: event => {
    if (!isRelationEvent(event)) return []
    const { accountId } = event.data
    if (event.type === 'RelationsCleared') return event.data.others.map(other => relationId(accountId, other))
    return relationId(accountId, event.data.other)
  },
  evolve: (document, event) => {
    if (!isRelationEvent(event) || event.type === 'RelationsCleared') return undefined
    const { accountId, other } = event.data
    const after = evolveRelation(document ?? { accountId, other }, event)
    return after.blocker === undefined && after.muter === undefined ? undefined : after
  },
})
