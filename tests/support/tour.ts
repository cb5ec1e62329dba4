/** The tour of the README, run by a shell: each answer is followed by a line that ends it. */
import { blocksOf } from './documents.ts'

/** The blocks of the tour in `readme`, for the shell. */
export const tourOf = (readme: string): readonly string[] =>
  blocksOf(readme, 'sh tour').map(block =>
    block.replace(/^((?:curl|call) .*(?:\n {2}.*)*)$/gm, command => `${command}\nprintf '\\n---\\n'`),
  )

/** The answers in what the shell printed. */
export const readTour = (out: string): readonly Readonly<Record<string, unknown>>[] =>
  out
    .split('\n---\n')
    .map(answer => answer.trim())
    .filter(answer => answer !== '')
    .map(answer => Object(JSON.parse(answer)))
