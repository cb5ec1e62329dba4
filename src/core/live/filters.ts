/** What a listener asks a channel for, checked: members that it has, and values that there can be. */

import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Recorded } from '../../domain/event.ts'
import { categoryOf } from '../../domain/ids.ts'
import { OwnError } from '../../domain/own-error.ts'
import { owned } from '../../domain/owned.ts'
import type { Channels, LiveChannel } from './channels.ts'
import type { LiveFilter } from './filter-members.ts'
import { type DeclaredCategory, typesOn } from './schemas.ts'

/** What is wrong with a filter, in one sentence, and with which member of it. */
export class FilterFault extends OwnError {
  override readonly name = 'FilterFault'
  readonly member: string | undefined
  constructor(message: string, member?: string) {
    super(message)
    this.member = member
  }
}

/** The filter, its values in canonical form, or what is wrong with it. */
export type ReadFilter = (channel: LiveChannel, value: unknown) => LiveFilter | FilterFault

/** Is the event one that the channel carries, with all that is asked for? */
export const carries = ({ carried, filters }: LiveChannel, filter: LiveFilter, event: Recorded): boolean => {
  if (!carried) return false
  const { categories, types } = carried.from
  if (categories && !categories.includes(categoryOf(event.stream))) return false
  if (types && !types.includes(event.type)) return false
  return Object.entries(filter).every(([member, value]) => owned(filters, member)?.fits(event, value))
}

const word = Compile(Type.String({ minLength: 1, maxLength: 100 }))

export const openFilters = (
  channels: Channels,
  categories: readonly DeclaredCategory[],
  projections: readonly string[],
): ReadFilter => {
  const known = new Map(
    channels.all.map(channel => {
      const types = typesOn(channel, categories).map(({ type }) => type)
      return [channel, { categories: categories.map(({ category }) => category), types, projections }]
    }),
  )
  return (channel, value) => {
    const given = value ?? {}
    const there = known.get(channel)
    if (!there) throw new TypeError(`the channel ${channel.name} is none of these`)
    const members = Object.keys(channel.filters)
    if (typeof given !== 'object' || Array.isArray(given)) return new FilterFault('A filter is an object.')
    const foreign = Object.keys(given).find(member => !members.includes(member))
    if (foreign !== undefined) {
      const list = members.join(', ') || 'none'
      const shown = foreign.slice(0, 40)
      return new FilterFault(
        `The channel ${channel.name} has no member ${shown} to filter by; it has ${list}.`,
        foreign,
      )
    }
    const asked: readonly (readonly [string, unknown])[] = Object.entries(given)
    for (const [member, inner] of asked)
      if (!word.Check(inner)) return new FilterFault(`${member} has to be a text of 1 to 100 characters.`, member)
    const filter = new Map<string, string>()
    for (const [member, inner] of asked.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const judged = owned(channel.filters, member)?.judge(String(inner), there) ?? String(inner)
      if (typeof judged !== 'string') return new FilterFault(`${member} has ${judged.has}.`, member)
      filter.set(member, judged)
    }
    return Object.fromEntries(filter)
  }
}
