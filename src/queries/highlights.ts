/** What of a text was searched for, as answers show it. */
import Type from 'typebox'

/** As `Highlight` of src/domain/search/match.ts. */
export const HighlightsSchema = Type.Array(
  Type.Object({
    pointer: Type.String(),
    text: Type.String(),
    ranges: Type.Array(Type.Object({ start: Type.Integer(), end: Type.Integer() }), {
      description: 'Offsets in UTF-16, the end exclusive.',
    }),
  }),
)
