/** What was reported, decided and appealed in a year, for everybody: read from its document, with the zeros of all that there is to count. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Query } from '../core/query/define.ts'
import { appealOutcomes } from '../domain/moderation/appeal-events.ts'
import { overturnedBy } from '../domain/moderation/decision-events.ts'
import { measureKinds } from '../domain/moderation/measures.ts'
import { reportCategories } from '../domain/moderation/report-events.ts'
import { automations, categories, grounds, sources } from '../domain/moderation/statement.ts'
import { owned } from '../domain/owned.ts'
import { nothingIn, type TransparencyDocument, transparencyProjection } from '../projections/transparency.ts'

const strict = { additionalProperties: false }
const count = Type.Integer({ minimum: 0 })
const counts = <Name extends string>(names: readonly Name[], description: string) =>
  Type.Record(Type.Enum([...names]), count, { description })

export const TransparencySchema = Type.Object(
  {
    year: Type.String({ description: 'A calendar year of UTC.' }),
    decisions: Type.Integer({ minimum: 0, description: 'Taken in it, whether or not they were overturned later.' }),
    categories: Type.Record(
      Type.Enum([...categories]),
      Type.Object({ decisions: count, measures: counts(measureKinds, 'Of these decisions.') }, strict),
      { description: 'By what was wrong.' },
    ),
    measures: counts(measureKinds, 'A decision may have several.'),
    automations: counts(automations, 'How much of a decision no person took.'),
    grounds: counts(grounds, 'By a law, or by the rules of this service.'),
    sources: counts(sources, 'How it came to be looked at.'),
    overturned: counts(overturnedBy, 'Decisions that were overturned in it, and by whom.'),
    appeals: counts(['filed', ...appealOutcomes, 'closed'], 'Filed in it, and how appeals ended in it.'),
    reports: counts(reportCategories, 'Filed in it, by what was said to be wrong.'),
  },
  { ...strict, $id: 'Transparency' },
)
export type Transparency = Static<typeof TransparencySchema>

const filled = <Name extends string>(
  names: readonly Name[],
  found: Readonly<Record<string, number>>,
): Record<Name, number> => {
  const full: Partial<Record<Name, number>> = {}
  for (const name of names) full[name] = owned(found, name) ?? 0
  return full as Record<Name, number>
}

/** A document as an answer has it. */
export const transparencyOf = (document: TransparencyDocument): Transparency => {
  const { year, decisions } = document
  const byCategory: Partial<Transparency['categories']> = {}
  for (const category of categories) {
    const { decisions: taken, measures } = owned(document.categories, category) ?? { decisions: 0, measures: {} }
    byCategory[category] = { decisions: taken, measures: filled(measureKinds, measures) }
  }
  return {
    year,
    decisions,
    categories: byCategory as Transparency['categories'],
    measures: filled(measureKinds, document.measures),
    automations: filled(automations, document.automations),
    grounds: filled(grounds, document.grounds),
    sources: filled(sources, document.sources),
    overturned: filled(overturnedBy, document.overturned),
    appeals: filled(['filed', ...appealOutcomes, 'closed'], document.appeals),
    reports: filled(reportCategories, document.reports),
  }
}

/** `year`: four digits. All zeros where nothing was counted. */
export const transparency = ({
  transparency: view,
}: {
  readonly transparency: View<TransparencyDocument>
}): Query<{ readonly year: string }, Transparency> => ({
  name: 'transparency',
  permission: 'transparency:read',
  output: TransparencySchema,
  reads: [transparencyProjection],
  closed: ['year'],
  run: async ({ year }) => {
    // Before the read: what is read then reflects this position at least.
    const position = view.position()
    const found = (await view.get([year])).get(year)
    return { value: transparencyOf(found?.body ?? nothingIn(year)), position }
  },
})
