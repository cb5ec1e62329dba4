/** How deep the markup of a text may nest, and how much work it is, known from one pass over it. */
import { parseMarkup, type Tokens } from './markup.ts'

const TAB = 9
const LF = 10
const SPACE = 32
const BANG = 33
const CLOSE_PAREN = 41
const STAR = 42
const PLUS = 43
const MINUS = 45
const DOT = 46
const ZERO = 48
const NINE = 57
const GREATER = 62
const OPEN = 91
const BACKSLASH = 92
const CLOSE = 93

/** What costs a parser more than a letter does. */
const marks: ReadonlySet<number> = new Set([BANG, 38, STAR, 60, OPEN, BACKSLASH, CLOSE, 95, 96])

/**
 * `blocks` and `inline`: no deeper than that. `brackets`: open at once in a paragraph. `lines`: each with how deep it may stand, added up;
 * `marks`: signs of markup.
 */
export type Bounds = {
  readonly blocks: number
  readonly inline: number
  readonly brackets: number
  readonly lines: number
  readonly marks: number
}

type Prefix = { readonly at: number; readonly indent: number; readonly quotes: number; readonly lists: number }

const isBlank = (code: number): boolean => code === SPACE || code === TAB
const isEnd = (code: number): boolean => Number.isNaN(code) || code === LF || isBlank(code)

/** Where a list marker ends that begins here; 0: there is none. */
const markerEnd = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  if (code === STAR || code === PLUS || code === MINUS) return isEnd(text.charCodeAt(at + 1)) ? at + 1 : 0
  let end = at
  while (end < at + 9 && text.charCodeAt(end) >= ZERO && text.charCodeAt(end) <= NINE) end += 1
  const stop = text.charCodeAt(end)
  return end > at && (stop === DOT || stop === CLOSE_PAREN) && isEnd(text.charCodeAt(end + 1)) ? end + 1 : 0
}

/** What a line begins with: blanks, quotes, markers of lists. */
const prefixOf = (text: string, start: number): Prefix => {
  let [at, indent, quotes, lists] = [start, 0, 0, 0]
  for (;;) {
    const code = text.charCodeAt(at)
    if (isBlank(code)) {
      if (lists === 0) indent += code === TAB ? 4 : 1
      at += 1
    } else if (code === GREATER) {
      quotes += 1
      at += 1
    } else {
      const end = markerEnd(text, at)
      if (end === 0) return { at, indent, quotes, lists }
      lists += 1
      at = end
    }
  }
}

/** Upper bounds of the text, in one pass. */
export const boundsOf = (text: string): Bounds => {
  let [blocks, inline, most, lines, signs] = [0, 0, 0, 0, 0]
  /** Lists that may be open, and of the paragraph: quotes, emphasis and brackets that are. */
  let [lists, quotes, emphasis, brackets] = [0, 0, 0, 0]
  let at = 0
  while (at < text.length) {
    const prefix = prefixOf(text, at)
    at = prefix.at
    // Each list that a line stands in takes two columns at least.
    const inherited = Math.min(lists, Math.floor(prefix.indent / 2))
    const isEmpty = Number.isNaN(text.charCodeAt(at)) || text.charCodeAt(at) === LF
    if (!isEmpty || prefix.lists > 0) lists = inherited + prefix.lists
    if (isEmpty) [quotes, emphasis, brackets] = [0, 0, 0]
    quotes = Math.max(quotes, prefix.quotes)
    const depth = quotes + inherited + prefix.lists
    blocks = Math.max(blocks, depth)
    lines += 1 + depth
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code === LF) break
      if (!marks.has(code)) continue
      signs += 1
      if (code === BACKSLASH) at += text.charCodeAt(at + 1) === LF ? 0 : 1
      else if (code === OPEN) {
        brackets += 1
        most = Math.max(most, brackets)
      } else if (code === CLOSE) brackets = Math.max(0, brackets - 1)
      else if (code === STAR || code === 95) {
        emphasis += 1
        // Each that is emphasised has a sign before and one behind.
        inline = Math.max(inline, emphasis >> 1)
      }
    }
    at += 1
  }
  return { blocks, inline, brackets: most, lines, marks: signs }
}

/**
 * What a text may cost that is read as markup, in lines as deep as they may stand and signs of it, together: four times those of a long
 * novel. It is parsed within 100 ms then, which a thread that answers does of a draft whose depth no cheaper bound tells.
 */
const MOST_MARKUP = 40_000

/** Is there so much markup that it is none? It is shown as the plain text that it is, since it would hold up everybody else. */
export const isTooMuch = ({ lines, marks: signs }: Bounds): boolean => lines + signs > MOST_MARKUP

const nests: ReadonlySet<string> = new Set(['blockquote', 'bullet_list', 'ordered_list', 'em', 'strong', 'link'])

/** How deep it nests: quotes, lists, emphasis, links and images one within another. */
export const depthOf = (tokens: Tokens): number => {
  let [depth, deepest] = [0, 0]
  for (const { type, nesting, children } of tokens) {
    if (nests.has(type.replace(/_(?:open|close)$/, ''))) depth += nesting
    const within = children && children.length > 0 ? depthOf(children) + (type === 'image' ? 1 : 0) : 0
    deepest = Math.max(deepest, depth + within)
  }
  return deepest
}

/** Does the markup nest deeper? Only a text that may is parsed for it. */
export const isDeeperThan = (text: string, most: number): boolean => {
  const bounds = boundsOf(text)
  if (bounds.brackets > most) return true
  if (bounds.blocks + bounds.inline + bounds.brackets <= most) return false
  // What is too much to be looked at is believed to be as deep as it may be.
  return isTooMuch(bounds) || depthOf(parseMarkup(text)) > most
}
