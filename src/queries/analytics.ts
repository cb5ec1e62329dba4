/** The figures of each day, in the whole or by language and contributor: read from documents, never added up here. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { layers } from '../domain/search/match.ts'
import type { Condition } from '../ports/read-store.ts'
import {
  type AnalyticsDocument,
  analyticsProjection,
  dayDocumentId,
  entryFigures,
  type Grain,
} from '../projections/analytics.ts'

const count = Type.Integer({ minimum: 0 })
const strict = { additionalProperties: false }
const counts = <Name extends string>(names: readonly Name[]) => Type.Record(Type.Enum([...names]), count)

/** `imported` and `searches` are counted by the day alone, so they are absent where a language or contributor is named. */
export const FiguresSchema = Type.Object(
  {
    day: Type.String({ description: 'A calendar day of UTC.' }),
    language: Type.Optional(Type.String()),
    contributor: Type.Optional(Type.String({ description: 'The id of an account or a service, never a name.' })),
    entries: counts(entryFigures),
    imported: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Records written by imports that were completed.' }),
    ),
    searches: Type.Optional(
      Type.Object(
        {
          total: count,
          matched: counts(layers),
          nothing: Type.Integer({ minimum: 0, description: 'Searches that found nothing.' }),
        },
        strict,
      ),
    ),
  },
  { ...strict, $id: 'Figures' },
)
export type Figures = Static<typeof FiguresSchema>

export type AnalyticsReads = { readonly analytics: View<AnalyticsDocument> }

const filled = <Name extends string>(
  names: readonly Name[],
  found: { readonly [name in Name]?: number } = {},
): Record<Name, number> => {
  const full: Partial<Record<Name, number>> = {}
  for (const name of names) full[name] = found[name] ?? 0
  return full as Record<Name, number>
}

const searchesOf = ({ nothing = 0, ...matched }: NonNullable<AnalyticsDocument['searches']>) => ({
  total: Object.values(matched).reduce((sum, each) => sum + each, nothing),
  matched: filled(layers, matched),
  nothing,
})

/** A document as an answer has it, with its zeros. */
export const figuresOf = (document: AnalyticsDocument): Figures => ({
  day: document.day,
  ...defined({ language: document.language, contributor: document.contributor }),
  entries: filled(entryFigures, document.entries),
  ...(document.grain === 'day' && { imported: document.imported ?? 0, searches: searchesOf(document.searches ?? {}) }),
})

export const analyticsGroups = ['language', 'contributor'] as const
export type AnalyticsGroup = (typeof analyticsGroups)[number]

export type AnalyticsInput = {
  /** First and last calendar day of UTC, both included; all days without. */
  readonly from?: string
  readonly to?: string
  readonly language?: string
  readonly contributor?: string
  /** One item a day and value of these; what is filtered by is always named. */
  readonly group: readonly AnalyticsGroup[]
  readonly limit: number
  readonly after?: Cursor
}

const grainOf = ({ language, contributor, group }: AnalyticsInput): Grain => {
  const byLanguage = language !== undefined || group.includes('language')
  const byContributor = contributor !== undefined || group.includes('contributor')
  if (byLanguage) return byContributor ? 'language-contributor' : 'language'
  return byContributor ? 'contributor' : 'day'
}

const conditionsOf = (input: AnalyticsInput): readonly Condition[] => {
  const { from, to, language, contributor } = input
  const eq = (member: string, value: string | undefined): readonly Condition[] =>
    value === undefined ? [] : [{ member, op: 'eq', value }]
  const range: readonly Condition[] =
    from === undefined && to === undefined ? [] : [{ member: 'day', op: 'range', ...defined({ gte: from, lte: to }) }]
  return [...eq('grain', grainOf(input)), ...eq('language', language), ...eq('contributor', contributor), ...range]
}

/** Days on which nothing was counted have no item. Oldest first. */
export const analytics = ({ analytics: view }: AnalyticsReads): Query<AnalyticsInput, Page<Figures>> => ({
  name: 'analytics',
  permission: 'analytics:read',
  output: FiguresSchema,
  reads: [analyticsProjection],
  // Dashboards ask again and again; each search and edit changes a figure.
  caching: () => ({ strategy: 'private', seconds: 2, tags: [] }),
  run: async input => {
    const { limit, after } = input
    const key = Array.isArray(after?.key) ? { after: after.key } : {}
    const page = await view.find({ where: conditionsOf(input), order: ['day'], limit, ...key }, after?.generation)
    return {
      value: {
        items: page.documents.map(({ body }) => figuresOf(body)),
        next: page.next ? { generation: page.generation, key: page.next } : null,
      },
      position: page.position,
    }
  },
})

/** What a dashboard shows: a day as it stands, and the position it stands at. */
export type CurrentFigures = { readonly figures: Figures; readonly position: bigint }

/** The figures of one day, all zeros when nothing was counted yet. @throws {ProjectionError} projection-building. */
export const currentFigures =
  ({ analytics: view }: AnalyticsReads) =>
  async (day: string): Promise<CurrentFigures> => {
    await view.ready()
    // Before the read: what is read then reflects this position at least.
    const position = view.position()
    const found = (await view.get([dayDocumentId(day)])).get(dayDocumentId(day))
    return { figures: figuresOf(found?.body ?? { grain: 'day', day }), position }
  }
