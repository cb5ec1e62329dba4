/** Reads the TAP that tap writes: what failed, what was skipped, and the totals. */

export type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number }

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
  /** What to show of this line: a file's result, a skip, or all about a failure. */
  line(text: string): readonly string[]
  totals(): Totals | undefined
}

/** Follows the lines of a run: one line a file, and of each failed assertion where it stands and its diagnostics. */
export const openDigest = (): Digest => {
  let totals: Totals | undefined
  let diagnosing: string | undefined
  let inBlock = false
  const path: string[] = []
  return {
    totals: () => totals,
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
      const depth = indent.length / 4
      const subtest = /^# Subtest: (.*)$/.exec(rest)?.[1]
      if (subtest !== undefined) {
        path.length = Math.floor(depth)
        path.push(subtest)
        return []
      }
      const [, outcome, , what = ''] = /^(ok|not ok) (\d+)(.*)$/.exec(rest) ?? []
      if (outcome === undefined) return []
      if (outcome === 'not ok' && !/# (SKIP|TODO)/.test(what)) {
        diagnosing = `${indent}  `
        return [`not ok: ${[...path.slice(0, depth), what.replace(/^ - /, '')].join(' > ')}`]
      }
      if (/# (SKIP|TODO)/.test(what))
        return [`skipped: ${[...path.slice(0, depth), what.replace(/^ - /, '')].join(' > ')}`]
      return depth === 0 ? [text] : []
    },
  }
}
