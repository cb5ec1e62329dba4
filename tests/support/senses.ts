/** A sense with nothing but a gloss. */
export const sense = (id: string, gloss: string) => ({
  id,
  gloss,
  labels: { register: [], region: [], domain: [] },
  examples: [],
  relations: [],
  translations: [],
})
