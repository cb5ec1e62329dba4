/** What an area declares of its data, and what the service makes of all areas' declarations; the list is areas.ts. */
import { type Channels, type LiveChannel, openChannels } from '../core/live/channels.ts'
import type { StandingRule } from '../core/live/standings.ts'
import type { RemovalRule } from '../core/log/removals.ts'
import type { Projection } from '../core/project/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import type { Aggregate } from '../domain/decider.ts'
import type { DomainEvent, EventType } from '../domain/event.ts'
import { categoryOf } from '../domain/ids.ts'
import { openRoleRights, type PermissionTable, type RoleRights } from '../domain/roles.ts'
import { type OwnNotice, ownChannel } from '../subscribers/own-channel.ts'

/** A category of streams with its event types. */
export type DeclaredCategory = Pick<Aggregate<unknown, DomainEvent>, 'category' | 'events'>

/** A projection that hashes what people say of themselves: under the secret of this purpose, which the store of keys makes. */
export type KeyedProjection = { readonly purpose: string; readonly under: (secret: Uint8Array) => Projection }

export type Declared = {
  readonly name: string
  /** By which events text is removed for ever. */
  readonly removals?: readonly RemovalRule[]
  readonly aggregates?: readonly DeclaredCategory[]
  readonly projections?: readonly Projection[]
  readonly keyed?: readonly KeyedProjection[]
  readonly permissions?: PermissionTable
  /** What is told of it on the live feed. */
  readonly channels?: readonly LiveChannel[]
  /** Which of its events say that a document was withdrawn, or has another author: what channels replay looks there. */
  readonly standings?: readonly StandingRule[]
  /** Which of its events people are told of on the channel `me`. */
  readonly notices?: readonly OwnNotice[]
}

/** Every category with its event types: what the log reads and writes, the history filters by, the live feed describes. */
export const categoriesOf = (areas: readonly Declared[]): readonly DeclaredCategory[] =>
  areas.flatMap(({ aggregates = [] }) => aggregates)

/** Every event type that this version reads and writes. */
export const typesOf = (areas: readonly Declared[]): readonly EventType[] =>
  categoriesOf(areas).flatMap(({ events }) => events)

export const projectionsOf = (areas: readonly Declared[]): readonly Projection[] =>
  areas.flatMap(({ projections = [] }) => projections)

/** Those of all areas, with those that stand on a secret. */
export const openProjections = async (
  areas: readonly Declared[],
  secret: (purpose: string) => Promise<Uint8Array>,
): Promise<readonly Projection[]> => {
  const keyed = areas.flatMap(area => area.keyed ?? [])
  return [
    ...projectionsOf(areas),
    ...(await Promise.all(keyed.map(async ({ purpose, under }) => under(await secret(purpose))))),
  ]
}

/** What each role permits. */
export const roleRightsOf = (areas: readonly Declared[]): RoleRights =>
  openRoleRights(areas.flatMap(({ permissions }) => (permissions ? [permissions] : [])))

/** The live channels of all areas, and `me`. `isWanted`: has the account the notice switched on? */
export const channelsOf = (
  areas: readonly Declared[],
  isWanted: Parameters<typeof ownChannel>[1] = () => true,
): Channels => {
  const notices = areas.flatMap(area => area.notices ?? [])
  return openChannels([...areas.flatMap(({ channels = [] }) => channels), ownChannel(notices, isWanted)])
}

export const standingsOf = (areas: readonly Declared[]): readonly StandingRule[] =>
  areas.flatMap(({ standings = [] }) => standings)

/** By which events text is removed for ever. */
export const removalsOf = (areas: readonly Declared[]): readonly RemovalRule[] =>
  areas.flatMap(({ removals = [] }) => removals)

/** The one that carries out commands on an aggregate. @throws {TypeError} when no area has the aggregate. */
export type Transactors = <State, E extends DomainEvent>(aggregate: Aggregate<State, E>) => Transactor<State, E>

export type OpenTransactors = {
  readonly transactor: Transactors
  /** Drops a stream from memory, where it is kept: its text was removed. */
  readonly forget: (stream: string) => void
}

/** Each is opened when it is first asked for. @throws {TypeError} when two aggregates are of one category. */
export const openTransactors = (areas: readonly Declared[], open: Transactors): OpenTransactors => {
  const categories = new Set(categoriesOf(areas).map(({ category }) => category))
  if (categories.size < categoriesOf(areas).length) throw new TypeError('two aggregates of one category')
  const opened = new Map<string, { forget(stream: string): void }>()
  const transactor = <State, E extends DomainEvent>(aggregate: Aggregate<State, E>): Transactor<State, E> => {
    const { category } = aggregate
    if (!categories.has(category)) throw new TypeError(`the aggregate of ${category} is in no area`)
    // What is kept under its category was opened for it.
    const found = (opened.get(category) as Transactor<State, E> | undefined) ?? open(aggregate)
    opened.set(category, found)
    return found
  }
  return { transactor, forget: stream => opened.get(categoryOf(stream))?.forget(stream) }
}
