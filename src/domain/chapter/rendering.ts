/**
 * The text of a chapter as HTML: from the tokens of its markup by a serialiser that knows a closed list of elements and attributes, then
 * through a sanitiser with the same list, which has nothing left to do: what it would change is a fault of ours, and found by a test.
 * It takes up to half a second of a thread: that which answers never calls it (src/adapters/rendering).
 */
import sanitize from 'sanitize-html'
import { MOST_NESTING } from './limits.ts'
import { isSafeImage, isSafeLink, parseMarkup, type Tokens } from './markup.ts'
import { boundsOf, isTooMuch } from './nesting.ts'

/** `withImages` where there are any: `html` has a link in the place of each, since loading one tells another host who reads. */
export type Rendering = { readonly html: string; readonly withImages?: string }

const escapes: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
])
const escaped = (text: string): string => text.replaceAll(/[&<>]/g, sign => escapes.get(sign) ?? sign)
const quoted = (text: string): string => text.replaceAll(/[&<>"]/g, sign => escapes.get(sign) ?? sign)

const REL = 'nofollow ugc noopener noreferrer'
/** A few characters of a reference stand for an address of thousands, as often as they come: of all that as much is written. */
const LINKS_FOR_NOTHING = 100_000

/** Blocks and what stands within them, by the types of their tokens. Each is an element without attributes. */
const elements: ReadonlyMap<string, string> = new Map([
  ['blockquote', 'blockquote'],
  ['bullet_list', 'ul'],
  ['list_item', 'li'],
  ['em', 'em'],
  ['strong', 'strong'],
])

type Token = Tokens[number]
type Attributes = Readonly<Record<string, string>>

const attribute = (token: Token, name: string): string => {
  const value: unknown = token.attrGet(name)
  return value === null || value === undefined ? '' : String(value)
}
const written = (name: string, attributes: Attributes): string =>
  `<${name}${Object.entries(attributes)
    .flatMap(([key, value]) => (value === '' ? [] : [` ${key}="${quoted(value)}"`]))
    .join('')}`

/** What stands in the place of an image. */
const textOf = (tokens: Tokens): string =>
  tokens
    .map(({ type, content, children }) => {
      if (type === 'image') return textOf(children ?? [])
      if (type === 'softbreak' || type === 'hardbreak') return '\n'
      return content
    })
    .join('')

type Options = { readonly images: boolean; readonly room: number }

const serialised = (all: Tokens, { images, room }: Options): string => {
  const out: string[] = []
  /** What closes what is open: nothing where no element was written for it. */
  const open: string[] = []
  let [depth, left, links] = [0, room, 0]

  const put = (text: string): void => {
    out.push(text)
  }
  const opens = (tag: string, close: string): void => {
    // What nests deeper than any text that was taken is written without its elements.
    const isWritten = depth < 2 * MOST_NESTING
    depth += 1
    put(isWritten ? tag : '')
    open.push(isWritten ? close : '')
  }
  const closes = (name: string): void => {
    depth -= 1
    if (name === 'link') links -= 1
    put(open.pop() ?? '')
  }
  const affords = (attributes: Attributes): boolean => {
    left -= Object.values(attributes).reduce((sum, value) => sum + value.length, 0)
    return left >= 0
  }
  const opensLink = (token: Token): void => {
    const attributes = { href: attribute(token, 'href'), title: attribute(token, 'title'), rel: REL }
    const isLink = isSafeLink(attributes.href) && affords(attributes)
    links += 1
    opens(isLink ? `${written('a', attributes)}>` : '', isLink ? '</a>' : '')
  }
  const opensList = (token: Token): void => {
    const start = attribute(token, 'start')
    opens(/^\d{1,9}$/.test(start) ? `<ol start="${Number(start)}">` : '<ol>', '</ol>')
  }
  const opensBlock = (token: Token, name: string): void => {
    const tag = elements.get(name) ?? (/^h[1-6]$/.test(token.tag) ? token.tag : 'p')
    opens(`<${tag}>`, `</${tag}>`)
  }
  const image = (token: Token): string => {
    const [src, title, alt] = [attribute(token, 'src'), attribute(token, 'title'), textOf(token.children ?? [])]
    const words = escaped(alt)
    if (!isSafeLink(src) || !affords({ src, title })) return words
    if (images && isSafeImage(src)) {
      const shown = { src, alt, title, loading: 'lazy', referrerpolicy: 'no-referrer' }
      return `${written('img', shown)} />`
    }
    // A link within a link is none: it would end the one around it.
    if (links > 0) return words
    const kind = isSafeImage(src) ? 'image' : ''
    return `${written('a', { href: src, title, 'data-image': kind, rel: REL })}>${words}</a>`
  }
  const standing = (token: Token): string => {
    const { type, content } = token
    if (type === 'softbreak') return '\n'
    if (type === 'hardbreak') return '<br />\n'
    if (type === 'hr') return '<hr />'
    if (type === 'image') return image(token)
    if (type === 'code_inline') return `<code>${escaped(content)}</code>`
    if (type === 'code_block' || type === 'fence') return `<pre><code>${escaped(content)}</code></pre>`
    return escaped(content)
  }
  const write = (token: Token): void => {
    const { type, nesting, children } = token
    const name = type.replace(/_(?:open|close)$/, '')
    if (nesting === -1) closes(name)
    else if (nesting === 0 && type === 'inline') for (const child of children ?? []) write(child)
    else if (nesting === 0) put(standing(token))
    // Paragraphs of a tight list have no element of their own.
    else if (token.hidden) opens('', '')
    else if (name === 'link') opensLink(token)
    else if (name === 'ordered_list') opensList(token)
    else opensBlock(token, name)
  }
  for (const token of all) {
    write(token)
    // A line for each block keeps it readable.
    if (token.block && token.nesting !== 1 && !token.hidden && token.type !== 'inline') put('\n')
  }
  return out.join('')
}

/** The closed list, once more. */
const list: sanitize.IOptions = {
  allowedTags: 'p h1 h2 h3 h4 h5 h6 blockquote ul ol li em strong a br hr code pre img'.split(' '),
  allowedAttributes: {
    a: ['href', 'title', 'rel', 'data-image'],
    img: ['src', 'alt', 'title', 'loading', 'referrerpolicy'],
    ol: ['start'],
  },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowedSchemesByTag: { img: ['https'] },
  allowedSchemesAppliedToAttributes: ['href', 'src'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  parser: { lowerCaseTags: true },
}
export const sanitised = (html: string): string => sanitize(html, list)

/** Paragraphs between empty lines, and nothing else. */
const plain = (text: string): string =>
  text
    .split(/\n{2,}/)
    .flatMap(paragraph => (paragraph.trim() === '' ? [] : [`<p>${escaped(paragraph)}</p>\n`]))
    .join('')

/** The text as HTML that harms nobody, in time that grows with its length. */
export const render = (text: string): Rendering => {
  if (isTooMuch(boundsOf(text))) return { html: sanitised(plain(text)) }
  const tokens = parseMarkup(text)
  const room = text.length + LINKS_FOR_NOTHING
  const html = sanitised(serialised(tokens, { images: false, room }))
  const hasImages = tokens.some(({ children }) => children?.some(({ type }) => type === 'image'))
  return hasImages ? { html, withImages: sanitised(serialised(tokens, { images: true, room })) } : { html }
}
