/**
 * The list of words that are not wanted: a line each, `hold word`, `refuse some words`, or with a pattern, `hold /pa[sz]+word/`. A pattern whose matching may
 * take more than time in proportion to the text is none: what people write would hold up the service.
 */
import { slowTextFor } from '../text/pattern-cost.ts'
import { bareWords, type WordRule } from './pipeline.ts'

/** Longer ones are not looked into. */
const PATTERN_LENGTH = 200
export const MOST_WORDS = 10_000

type Read = WordRule | { readonly fault: string }

const literal = (outcome: WordRule['outcome'], text: string): Read => {
  const words = bareWords(text)
  if (words === '') return { fault: 'there is no word' }
  const found: ReadonlySet<string> = new Set([words])
  const none: ReadonlySet<string> = new Set()
  return { outcome, find: said => (` ${bareWords(said)} `.includes(` ${words} `) ? found : none) }
}

const costOf = (source: string): string | undefined => {
  try {
    const slow = slowTextFor(source, 'iu')
    return slow === undefined ? undefined : `it is slow where ${JSON.stringify(slow)} is repeated`
  } catch {
    return 'it is no pattern that can be judged'
  }
}

const pattern = (outcome: WordRule['outcome'], source: string): Read => {
  if (source.length > PATTERN_LENGTH) return { fault: `a pattern has ${PATTERN_LENGTH} characters at most` }
  const fault = costOf(source)
  if (fault !== undefined) return { fault }
  const matcher = new RegExp(source, 'giu')
  // A copy of the matcher is walked each time, so that nothing is left of the text before.
  return { outcome, find: said => new Set([...said.normalize('NFKC').matchAll(matcher)].map(([found]) => found)) }
}

const readLine = (line: string): Read => {
  const [, outcome, rest = ''] = /^(hold|refuse) (.*)$/.exec(line) ?? []
  if (outcome !== 'hold' && outcome !== 'refuse') return { fault: 'it begins neither with hold nor with refuse' }
  const [, source] = /^\/(.*)\/$/.exec(rest.trim()) ?? []
  return source === undefined ? literal(outcome, rest) : pattern(outcome, source)
}

/** Lines that are empty, or begin with `#`, say nothing. Each fault names its line, and not what stands there. */
export const readWordList = (
  text: string,
): { readonly rules: readonly WordRule[]; readonly faults: readonly string[] } => {
  const rules: WordRule[] = []
  const faults: string[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const said = line.trim()
    if (said === '' || said.startsWith('#')) continue
    const read = readLine(said)
    if ('fault' in read) faults.push(`line ${at + 1}: ${read.fault}`)
    else rules.push(read)
  }
  if (rules.length > MOST_WORDS) faults.push(`there are more than ${MOST_WORDS} lines`)
  return { rules, faults }
}
