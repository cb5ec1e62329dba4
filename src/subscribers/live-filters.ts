/** What a listener may filter a channel by: members that it has, and values that there can be. */
import type { Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type { LiveFilter } from '../core/live/channels.ts'
import { registeredLanguage } from '../domain/text/registered-languages.ts'
import { type ChannelName, channelNames, channelOf, liveFilters } from './live-channels.ts'
import type { DeclaredCategory } from './live-schemas.ts'

/** What is wrong with a filter, in one sentence, and with which member of it. */
export class FilterFault extends Error {
  override readonly name = 'FilterFault'
  readonly member: string | undefined
  constructor(message: string, member?: string) {
    super(message)
    this.member = member
  }
}

/** The filter, its values in canonical form, or what is wrong with it. */
export type ReadFilter = (name: ChannelName, value: unknown) => LiveFilter | FilterFault

const checks = new Map(channelNames.map(name => [name, Compile(liveFilters[name])]))

const isFilter = (name: ChannelName, value: unknown): value is Static<(typeof liveFilters)[ChannelName]> =>
  checks.get(name)?.Check(value) === true

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A value as it is kept, or what it has to be: nothing ever fits one that cannot be, and nobody would be told. */
type Value = string | { readonly has: string }

const oneOf = (value: string, known: readonly string[]): Value =>
  known.includes(value) ? value : { has: `to be one of ${known.join(', ')}` }

const idOf = (value: string): Value => (UUID.test(value) ? value.toLowerCase() : { has: 'to be an id' })

/** `projections` are the names of those that tell of their progress. */
export const openFilters = (categories: readonly DeclaredCategory[], projections: readonly string[]): ReadFilter => {
  const known = categories.map(({ category }) => category)
  const typesOf = new Map(
    channelNames.map(name => {
      const carried = channelOf(name).log?.categories
      const all = categories.filter(({ category }) => !carried || carried.includes(category))
      return [name, all.flatMap(({ events }) => events.map(({ type }) => type))]
    }),
  )
  const judge = (name: ChannelName, member: string, value: string): Value => {
    switch (member) {
      case 'type': {
        const types = typesOf.get(name) ?? []
        // A channel that has none yet is listened to from today on.
        return types.length === 0 ? value : oneOf(value, types)
      }
      case 'language':
        return registeredLanguage(value) ?? { has: 'to be a BCP 47 tag of a registered language' }
      case 'category':
        return oneOf(value, known)
      case 'name':
        return oneOf(value, projections)
      case 'stream': {
        const category = value.slice(0, Math.max(0, value.indexOf('-')))
        return known.includes(category) ? value : { has: `to begin with a category and "-": ${known.join(', ')}` }
      }
      default:
        return idOf(value)
    }
  }
  return (name, value) => {
    const given = value ?? {}
    const members = Object.keys(liveFilters[name].properties)
    if (typeof given !== 'object' || Array.isArray(given)) return new FilterFault('A filter is an object.')
    const foreign = Object.keys(given).find(member => !members.includes(member))
    if (foreign !== undefined) {
      const there = members.join(', ') || 'none'
      const shown = foreign.slice(0, 40)
      return new FilterFault(`The channel ${name} has no member ${shown} to filter by; it has ${there}.`, foreign)
    }
    if (!isFilter(name, given)) {
      const wrong = Object.entries(given).find(([member, inner]) => !isFilter(name, { [member]: inner }))?.[0]
      return new FilterFault(`${wrong ?? 'A member of a filter'} has to be a text of 1 to 100 characters.`, wrong)
    }
    const filter = new Map<string, string>()
    for (const [member, inner] of Object.entries(given).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const judged = judge(name, member, inner)
      if (typeof judged !== 'string') return new FilterFault(`${member} has ${judged.has}.`, member)
      filter.set(member, judged)
    }
    return Object.fromEntries(filter)
  }
}
