/** What a decision does, each measure to something of its own: which there are, and to what they are done. */
import Type, { type Static } from 'typebox'
import { type ModeratedKind, ModeratedSchema } from './target.ts'

/**
 * `hide`: shown to nobody but its authors and moderators. `freeze`: nothing more is said in the thread of a work, or below a comment.
 * `suspend`: the account opens to nobody.
 */
export const measureKinds = ['hide', 'freeze', 'suspend'] as const
export type MeasureKind = (typeof measureKinds)[number]

const written = ['comment', 'story', 'chapter', 'entry'] as const
const takenOn: Readonly<Record<MeasureKind, readonly ModeratedKind[]>> = {
  hide: written,
  freeze: written,
  suspend: ['account'],
}

/** Is there such a measure on something of this kind? */
export const isTakenOn = (measure: MeasureKind, kind: ModeratedKind): boolean => takenOn[measure].includes(kind)

/** Those of a decision at most: several on one thing, or one on many. */
export const MOST_MEASURES = 50

export const MeasureSchema = Type.Object(
  { measure: Type.Enum([...measureKinds]), target: ModeratedSchema },
  { additionalProperties: false },
)
export type Measure = Static<typeof MeasureSchema>
