/** The closed lists that a story is described by, and how much of each text there may be. */
import Type from 'typebox'

/** For whom it is, from everybody to adults. */
export const ratings = ['general', 'teen', 'mature', 'explicit'] as const
export type Rating = (typeof ratings)[number]
export const RatingSchema = Type.Enum([...ratings])
const adult: ReadonlySet<Rating> = new Set(['mature', 'explicit'])
/** Is it for adults alone? */
export const isForAdults = ({ rating }: { readonly rating: Rating }): boolean => adult.has(rating)

/** `unlisted`: for whoever has its id, and in no list; `members`: for whoever is signed in. */
export const visibilities = ['private', 'unlisted', 'members', 'public'] as const
export type StoryVisibility = (typeof visibilities)[number]
export const VisibilitySchema = Type.Enum([...visibilities])

/** What readers may want to be warned of. */
export const warnings = [
  'abuse',
  'alcohol',
  'animal-harm',
  'body-horror',
  'bullying',
  'child-harm',
  'death',
  'discrimination',
  'drugs',
  'eating-disorder',
  'gore',
  'illness',
  'kidnapping',
  'pregnancy-loss',
  'self-harm',
  'sexual-content',
  'sexual-violence',
  'suicide',
  'violence',
  'war',
] as const
export type Warning = (typeof warnings)[number]
export const WarningSchema = Type.Enum([...warnings])

/** Code points, or items, at most. */
export const storyLimits = {
  title: 255,
  summary: 1_250,
  tag: 150,
  tags: 75,
  chapters: 1_000,
  authors: 50,
  stories: 1_000,
} as const
