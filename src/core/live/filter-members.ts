/** Members that a channel of the live feed may be filtered by: what they may be, and which events have them. */
import type { Recorded } from '../../domain/event.ts'
import { categoryOf, idOf } from '../../domain/ids.ts'

/** A checked filter: member to the one value it asks for. */
export type LiveFilter = Readonly<Record<string, string>>

/** A value as it is kept, or what it has to be: nothing ever fits one that cannot be, and nobody would be told. */
export type FilterValue = string | { readonly has: string }

/** What there is to be asked for. */
export type Known = {
  readonly categories: readonly string[]
  /** Event types that the channel carries. */
  readonly types: readonly string[]
  /** Those that tell of their progress. */
  readonly projections: readonly string[]
}

/** A member that a channel may be filtered by. */
export type FilterMember = {
  readonly judge: (value: string, known: Known) => FilterValue
  /** Does an event have this value? */
  readonly fits: (event: Recorded, value: string) => boolean
}

const oneOf = (value: string, known: readonly string[]): FilterValue =>
  known.includes(value) ? value : { has: `to be one of ${known.join(', ')}` }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const judgeId = (value: string): FilterValue => (UUID.test(value) ? value.toLowerCase() : { has: 'to be an id' })

/** The event's type. */
export const typeMember: FilterMember = {
  judge: (value, { types }) => oneOf(value, types),
  fits: ({ type }, value) => type === value,
}

/** The id of the document that the event is of. */
export const idMember: FilterMember = {
  judge: judgeId,
  fits: (event, value) => idOf(event.stream) === value,
}

export const categoryMember: FilterMember = {
  judge: (value, { categories }) => oneOf(value, categories),
  fits: (event, value) => categoryOf(event.stream) === value,
}

export const streamMember: FilterMember = {
  judge: (value, { categories }) =>
    categories.includes(value.slice(0, Math.max(0, value.indexOf('-'))))
      ? value
      : { has: `to begin with a category and "-": ${categories.join(', ')}` },
  fits: ({ stream }, value) => stream === value,
}

export const actorMember: FilterMember = {
  judge: judgeId,
  fits: ({ meta }, value) => meta.actor.id === value,
}

/** The name of a projection: no event has one. */
export const projectionMember: FilterMember = {
  judge: (value, { projections }) => oneOf(value, projections),
  fits: () => false,
}
