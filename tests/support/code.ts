/** What of a source text is code: rules about code are not broken by words about them. */

/** What begins at a place of code and is not all code, or changes what follows. */
const tokens =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`|[{}]|\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g
/** The text of a template up to what is code in it, or to its end. */
const template = /(?:[^\\`$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y

/** How much of the code before a slash tells what it is: after a value it divides, else it begins a regular expression. */
const BEFORE = 40
const afterValue = /[\w$)\]}'"`]\s*$/
const afterKeyword = /\b(?:return|typeof|case|in|of|throw|await|yield|else|do)\s*$/

const blank = (text: string): string => text.replace(/[^\n]/g, ' ')
const emptied = (quoted: string): string => `${quoted.slice(0, 1)}${blank(quoted.slice(1, -1))}${quoted.slice(-1)}`

/**
 * The text with spaces for comments, regular expressions and what stands in quotes; what a template computes stays. Every
 * character stays in its place.
 */
export const codeOf = (text: string): string => readCode(text).code

/** The regular expressions that stand in the code, as they are written. */
export const patternsIn = (text: string): readonly string[] => readCode(text).patterns

const readCode = (text: string): { readonly code: string; readonly patterns: readonly string[] } => {
  let code = ''
  const patterns: string[] = []
  /** What each open brace belongs to. */
  const open: ('block' | 'template')[] = []
  const upTo = (end: number): void => {
    code += text.slice(code.length, end)
  }
  const templateFrom = (start: number): void => {
    template.lastIndex = start
    const read = template.exec(text)?.[0] ?? ''
    code += read.endsWith('${') ? `${blank(read.slice(0, -2))}\${` : `${blank(read.slice(0, -1))}${read.slice(-1)}`
    if (read.endsWith('${')) open.push('template')
    tokens.lastIndex = code.length
  }
  tokens.lastIndex = 0
  for (let found = tokens.exec(text); found; found = tokens.exec(text)) {
    const [token] = found
    upTo(found.index)
    if (token === '{') open.push('block')
    if (token === '`') {
      code += token
      templateFrom(code.length)
    } else if (token === '}') {
      code += token
      if (open.pop() === 'template') templateFrom(code.length)
    } else if (token.startsWith('//') || token.startsWith('/*')) code += blank(token)
    else if (token.startsWith('/')) {
      const before = code.slice(-BEFORE)
      const divides = afterValue.test(before) && !afterKeyword.test(before)
      if (!divides) patterns.push(token)
      code += divides ? '/' : blank(token)
      tokens.lastIndex = code.length
    } else code += token === '{' ? token : emptied(token)
  }
  upTo(text.length)
  return { code, patterns }
}
