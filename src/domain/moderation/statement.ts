/**
 * The statement of reasons that whoever is affected by a decision is given: Regulation (EU) 2022/2065 (Digital Services Act), Article 17.
 * The categories, grounds and sources are those of the Commission's transparency database, version 2 of its form
 * (https://transparency.dsa.ec.europa.eu/page/api-documentation), under names of ours.
 */
import Type, { type Static } from 'typebox'

/** What was wrong: the sixteen categories of the database. */
export const categories = [
  'animal-welfare',
  'civic-discourse-or-elections',
  'consumer-information',
  'cyber-violence',
  'cyber-violence-against-women',
  'data-protection',
  'illegal-or-harmful-speech',
  'intellectual-property',
  'not-specified-notice',
  'other-violation',
  'protection-of-minors',
  'public-security',
  'scams-and-fraud',
  'self-harm',
  'unsafe-products',
  'violence',
] as const
export type Category = (typeof categories)[number]
export const CategorySchema = Type.Enum([...categories])

/** What it was decided by: a law, or the rules of this service. */
export const grounds = ['law', 'terms'] as const
/** How it came to be looked at. */
export const sources = ['report', 'trusted-flagger', 'own-initiative', 'other'] as const
/** How much of it no person decided. */
export const automations = ['fully', 'partially', 'not'] as const

export const FACTS_LENGTH = 4_000
export const RULE_LENGTH = 200

/** `rule`: the rule or law by its name, such as `Rule 3: no insults`. Of the facts, see DecisionTaken. */
export const StatementSchema = Type.Object(
  {
    category: CategorySchema,
    rule: Type.String({ minLength: 1, maxLength: RULE_LENGTH }),
    ground: Type.Enum([...grounds]),
    source: Type.Enum([...sources]),
    automation: Type.Enum([...automations]),
  },
  { additionalProperties: false },
)
export type Statement = Static<typeof StatementSchema>
