/** A series: stories in an order, by one account. What a reader may not see of them is not in it. */
import Type, { type Static } from 'typebox'
import type { Aggregate, By, Decide, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { sameJson } from '../json.ts'
import { type Fault, isRefusal, refuse } from '../refusal.ts'
import { MAX_FAULTS } from '../shape.ts'
import { readStory } from './content.ts'
import { isPerson } from './decisions.ts'
import { storyLimits } from './terms.ts'

/** What is refused of a series. */
export type SeriesRefusal = 'series-not-found' | 'series-order-invalid'

// Stream

export const seriesCategory = 'series'
export const seriesStream = (id: string): string => streamName(seriesCategory, id)
export const seriesIdOf = ({ stream }: { readonly stream: string }): string => stream.slice(seriesCategory.length + 1)

// Events

const strict = { additionalProperties: false }
const sealed = { seal: 'document' as const }
const text = Type.String({ minLength: 1 })
const title = Type.String({ minLength: 1, ...sealed })

const SeriesChanges = Type.Object(
  { title: Type.Optional(text), summary: Type.Optional(Type.Union([text, Type.Null()])) },
  { ...strict, ...sealed },
)

export const SeriesBegun = eventType(
  'SeriesBegun',
  Type.Object({ author: text, title, summary: Type.Optional(Type.String({ minLength: 1, ...sealed })) }, strict),
)
export const SeriesEdited = eventType('SeriesEdited', Type.Object({ changes: SeriesChanges }, strict))
/** All its stories, in their order. */
export const SeriesOrdered = eventType('SeriesOrdered', Type.Object({ stories: Type.Array(text) }, strict))
/** Its text is gone, and the key that sealed it is destroyed because of it; the stories stay. */
export const SeriesDeleted = eventType(
  'SeriesDeleted',
  Type.Object({ ground: Type.Enum(['author', 'erasure']) }, strict),
)

export const seriesEvents = [SeriesBegun, SeriesEdited, SeriesOrdered, SeriesDeleted] as const
export type SeriesEvent = EventOf<(typeof seriesEvents)[number]>

// Fold

export type Series = {
  readonly author: string
  readonly title: string
  readonly summary?: string
  readonly stories: readonly string[]
  readonly isDeleted: boolean
  readonly createdAt: string
  readonly updatedAt: string
}
export type SeriesState = Series | undefined

const edited = (series: Series, { title: given, summary }: Static<typeof SeriesChanges>): Series => {
  const { summary: before, ...rest } = series
  const after = summary === undefined ? before : (summary ?? undefined)
  return { ...rest, title: given ?? series.title, ...defined({ summary: after }) }
}

const withoutText = ({ summary: _, ...series }: Series): Series => ({
  ...series,
  title: '',
  stories: [],
  isDeleted: true,
})

export const evolveSeries = (series: SeriesState, event: Recorded<SeriesEvent>): SeriesState => {
  const { at } = event.meta
  if (event.type === 'SeriesBegun') {
    const { author, title: given, summary } = event.data
    const isDeleted = event.removed === true
    const said = isDeleted ? { title: '' } : { title: given, ...defined({ summary }) }
    return series ?? { author, ...said, stories: [], isDeleted, createdAt: at, updatedAt: at }
  }
  if (!series || series.isDeleted) return series
  switch (event.type) {
    case 'SeriesEdited':
      return event.removed ? withoutText(series) : { ...edited(series, event.data.changes), updatedAt: at }
    case 'SeriesOrdered':
      return { ...series, stories: event.data.stories, updatedAt: at }
    case 'SeriesDeleted':
      return { ...withoutText(series), updatedAt: at }
    default:
      return series
  }
}

export const seriesAggregate: Aggregate<SeriesState, SeriesEvent> = {
  category: seriesCategory,
  events: seriesEvents,
  initial: undefined,
  evolve: evolveSeries,
  // Which of its stories somebody may see is known of each alone, and nobody is told of a series but who made it.
  route: series => ({ visibility: 'owner', ...defined({ owner: series?.author }) }),
  isRemoved: series => series?.isDeleted === true,
  isAskedForByAnybody: true,
}

// Decide

type SeriesDecide = Decide<SeriesState, SeriesEvent, SeriesRefusal>
type SeriesDecision = Decision<SeriesEvent, SeriesRefusal>
export type SeriesInput = { readonly title?: string | null; readonly summary?: string | null }

export const seriesNotFound = () => refuse('series-not-found', 'There is no such series, or it is not yours.')

/** To all others there is none: whether they see it depends on what they may see of its stories. */
const asOwner =
  (by: By, then: (series: Series) => SeriesDecision): SeriesDecide =>
  series =>
    !series || series.isDeleted || series.author !== by.id ? seriesNotFound() : then(series)

export const beginSeries =
  (input: SeriesInput, by: By): SeriesDecide =>
  series => {
    if (series) return refuse('conflict', 'There is a series of this id.')
    if (!isPerson(by)) return refuse('permission-denied', 'Series are made by people: sign in with an account.')
    const read = readStory({ ...input, title: input.title ?? null })
    if (isRefusal(read)) return read
    const { title: given = '', summary } = read
    return [
      { type: 'SeriesBegun', data: { author: by.id, title: given, ...defined({ summary: summary ?? undefined }) } },
    ]
  }

/** A JSON Merge Patch: what is absent stays, null takes the summary away. */
export const editSeries = (input: SeriesInput, by: By): SeriesDecide =>
  asOwner(by, series => {
    const read = readStory(input)
    if (isRefusal(read)) return read
    const changes = defined({
      title: read.title === series.title ? undefined : read.title,
      summary: read.summary === (series.summary ?? null) ? undefined : read.summary,
    })
    return Object.keys(changes).length === 0 ? [] : [{ type: 'SeriesEdited', data: { changes } }]
  })

/** Its stories in their order, each once. `isOwn`: of which of them is the account an author? */
export const orderSeries = (stories: readonly string[], isOwn: (story: string) => boolean, by: By): SeriesDecide =>
  asOwner(by, series => {
    const seen = new Set<string>()
    const errors = stories.flatMap((id, i): readonly Fault[] => {
      const pointer = `/stories/${i}`
      const isRepeated = seen.has(id)
      seen.add(id)
      if (isRepeated) return [{ pointer, code: 'repeated', detail: 'This story stands in the order already.' }]
      // One that stands in it already may stay, whoever its authors are by now.
      return isOwn(id) || series.stories.includes(id)
        ? []
        : [{ pointer, code: 'unknown', detail: 'You are no author of such a story.' }]
    })
    if (stories.length > storyLimits.stories)
      errors.unshift({ pointer: '/stories', code: 'too-many', detail: 'A series has 1,000 stories at most.' })
    if (errors.length > 0)
      return refuse('series-order-invalid', 'A series has stories of yours, each once.', {
        errors: errors.slice(0, MAX_FAULTS),
      })
    return sameJson(stories, series.stories) ? [] : [{ type: 'SeriesOrdered', data: { stories: [...stories] } }]
  })

export const deleteSeries = (by: By): SeriesDecide =>
  asOwner(by, () => [{ type: 'SeriesDeleted', data: { ground: 'author' } }])

/** Since the account is erased. */
export const deleteSeriesOf =
  (account: string): SeriesDecide =>
  series =>
    !series || series.isDeleted || series.author !== account
      ? []
      : [{ type: 'SeriesDeleted', data: { ground: 'erasure' } }]
