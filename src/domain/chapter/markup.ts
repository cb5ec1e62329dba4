/**
 * CommonMark by markdown-it, without HTML and with a closed list of where links may lead. Blocks and what is within them are parsed by
 * two parsers, since markdown-it leaves out text that nests deeper than one bound for both: blocks need a high one (a list counts twice),
 * and within them a low one keeps the time of nested brackets low, where it only decides what is no link.
 */
import MarkdownIt, { type Token } from 'markdown-it'
import { MOST_NESTING } from './limits.ts'

export type Tokens = readonly Token[]

/** Longer ones lead nowhere that people write. */
const LONGEST_LINK = 2_000
const scheme = /^[a-z][a-z0-9+.-]*:/i
const known = /^(?:https?:\/\/[^/\\]|mailto:[^/])/i

/**
 * May a link lead there? To http, https and mailto, and to what is relative to where it is shown; not to another host by `//`, nor by
 * what browsers take for it. What has controls, blanks or backslashes is none of ours: markdown-it has encoded those that were meant.
 */
export const isSafeLink = (address: string): boolean => {
  if (address === '' || address.length > LONGEST_LINK || /[\u0000-\u0020\u007f-\u00a0\\]/.test(address)) return false
  if (known.test(address)) return true
  return !scheme.test(address) && !address.startsWith('//') && !/^[^/?#]*(?::|&colon|%3a)/i.test(address)
}

/** May an image be loaded from there? By https alone. */
export const isSafeImage = (address: string): boolean => /^https:\/\//i.test(address) && isSafeLink(address)

const parser = (maxNesting: number) => {
  const markdown = new MarkdownIt('commonmark', { html: false, linkify: false, maxNesting })
  markdown.validateLink = isSafeLink
  return markdown
}
const blocks = parser(2 * MOST_NESTING + 4)
blocks.core.ruler.disable('inline')
const inlines = parser(20)

/** Its blocks, each paragraph with what is within it; `env` has what references mean. */
export const parseMarkup = (text: string): Tokens => {
  const env = {}
  const tokens = blocks.parse(text, env)
  for (const token of tokens)
    if (token.type === 'inline') {
      token.children = []
      inlines.inline.parse(token.content, inlines, env, token.children)
    }
  return tokens
}
