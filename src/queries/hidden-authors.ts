/**
 * Whose works and words somebody is not shown where they did not ask for them by their id: of people whom they have blocked or muted, and
 * of those who have blocked them. Which of the two has blocked the other shows in nothing.
 */
import type { View } from '../core/project/view.ts'
import type { Viewer } from '../domain/story/sight.ts'
import { type RelationDocument, relationId } from '../projections/relations.ts'

/** How pairs of accounts stand to one another, asked for at once. */
export type Between = ReadonlyMap<string, { readonly body: RelationDocument }>

export const isBlocked = (pair: RelationDocument | undefined): boolean => pair?.blocker !== undefined

/** The documents that say whether these are hidden from the account. */
export const pairsWith = (account: string, others: readonly string[]): readonly string[] =>
  others.flatMap(other => [relationId(account, other), relationId(other, account)])

export const isHiddenFrom = (between: Between, account: string, other: string): boolean => {
  const own = between.get(relationId(account, other))?.body
  return isBlocked(own) || own?.muter !== undefined || isBlocked(between.get(relationId(other, account))?.body)
}

type Written = { readonly authors: readonly string[] }
const nothing = (): boolean => false

/**
 * Which of these works are hidden from the viewer: those with one such author at least, but for what the viewer wrote too. Whoever
 * reviews stories sees all of them: no block binds moderators. @throws {ProjectionError}; {ReadStoreError}.
 */
export const hiddenAmong = async (
  relations: Pick<View<RelationDocument>, 'get'>,
  { account, permissions }: Viewer,
  works: readonly Written[],
): Promise<(work: Written) => boolean> => {
  if (account === undefined || permissions.has('stories:review')) return nothing
  const others = [...new Set(works.flatMap(({ authors }) => authors))].filter(author => author !== account)
  if (others.length === 0) return nothing
  const between: Between = await relations.get(pairsWith(account, others))
  const hidden = new Set(between.size > 0 ? others.filter(other => isHiddenFrom(between, account, other)) : [])
  return ({ authors }) => !authors.includes(account) && authors.some(author => hidden.has(author))
}
