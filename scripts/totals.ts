/** Reads the TAP that a test file prints: what failed, what was skipped, and the totals. */

export type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number }

export const noTotals: Totals = { passed: 0, failed: 0, skipped: 0 }

export const sumOf = (all: readonly Totals[]): Totals =>
  all.reduce(
    (sum, totals) => ({
      passed: sum.passed + totals.passed,
      failed: sum.failed + totals.failed,
      skipped: sum.skipped + totals.skipped,
    }),
    noTotals,
  )

/** tap's own count of assertions, such as `# { total: 5, pass: 4, skip: 1 }`; a todo counts as skipped. */
export const totalsOf = (line: string): Totals | undefined => {
  const counts = /^# \{ total: \d+(.*) \}$/.exec(line)?.[1]
  if (counts === undefined) return undefined
  const of = (name: string): number => Number(new RegExp(`, ${name}: (\\d+)`).exec(counts)?.[1] ?? 0)
  return { passed: of('pass'), failed: of('fail'), skipped: of('skip') + of('todo') }
}

export const closingLine = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`

export type Digest = {
  /** What to show of this line: a skip, or all about a failure. */
  line(text: string): readonly string[]
  totals(): Totals | undefined
  /** The names of the assertions that failed, each with the tests it stands in: `test > test within > assertion`. */
  failures(): readonly string[]
}

/** Follows the lines of one file: of each failed assertion where it stands and its diagnostics. */
export const openDigest = (file: string): Digest => {
  let totals: Totals | undefined
  let diagnosing: string | undefined
  let inBlock = false
  const path: string[] = []
  const failures: string[] = []
  return {
    totals: () => totals,
    failures: () => failures.filter(name => !failures.some(other => other.startsWith(`${name} > `))),
    line: text => {
      totals = totalsOf(text) ?? totals
      const [, indent = '', rest = ''] = /^( *)(.*)$/.exec(text) ?? []
      // Diagnostics are a YAML block below the failure, if there are any.
      if (diagnosing !== undefined && (inBlock || text === `${diagnosing}---`)) {
        inBlock = text !== `${diagnosing}...`
        if (!inBlock) diagnosing = undefined
        return [text]
      }
      diagnosing = undefined
      const depth = Math.floor(indent.length / 4)
      const subtest = /^# Subtest: (.*)$/.exec(rest)?.[1]
      if (subtest !== undefined) {
        path.length = depth
        path.push(subtest)
        return []
      }
      const [, outcome, , what = ''] = /^(ok|not ok) (\d+)(.*)$/.exec(rest) ?? []
      if (outcome === undefined) return []
      const name = [...path.slice(0, depth), what.replace(/^ - /, '').replace(/ # time=.*$/, '')].join(' > ')
      if (/# (SKIP|TODO)/.test(what)) return [`skipped: ${file} > ${name}`]
      if (outcome === 'ok') return []
      diagnosing = `${indent}  `
      failures.push(name)
      return [`not ok: ${file} > ${name}`]
    },
  }
}
