/** HTML as CommonMark that is rendered as it: of elements that CommonMark has none for, what stands in them. */
import { isSafeImage, isSafeLink } from '../../domain/chapter/markup.ts'
import { type Element, lineIn, localName, type Node, textIn } from './markup-tree.ts'

const dropped: ReadonlySet<string> = new Set(['head', 'script', 'style', 'title', 'template', 'svg', 'math', 'iframe'])
const blocks: ReadonlySet<string> = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody td tfoot th thead tr ul'.split(
    ' ',
  ),
)
const isBlock = (node: Node): node is Element => typeof node !== 'string' && blocks.has(localName(node))

/** Signs that would be markup. */
const escaped = (text: string): string => text.replaceAll(/[\\*_`[\]<&]/g, sign => `\\${sign}`)
const isWordLike = (char: string): boolean => char !== '' && !/[\s\p{P}\p{S}]/u.test(char)

/** A line that would begin a block begins with its sign escaped. */
const lineOf = (line: string): string =>
  line
    .replace(/^(#{1,6}(?=\s|$)|>|[-+](?=\s|$)|=+(?=\s*$)|-+(?=\s*$)|~{3,})/, sign => `\\${sign}`)
    .replace(/^(\d{1,9})([.)])(?=\s|$)/, (_, digits: string, sign: string) => `${digits}\\${sign}`)

const fenceOf = (text: string, least: number): string => {
  const runs = text.match(/`+/g) ?? []
  return '`'.repeat(Math.max(least, ...runs.map(({ length }) => length + 1)))
}

const codeOf = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ')
  if (line.trim() === '') return ''
  const fence = fenceOf(line, 1)
  const pad = /^[ `]|[ `]$/.test(line) ? ' ' : ''
  return `${fence}${pad}${line}${pad}${fence}`
}

/** What is emphasised between the signs, or plain where the signs would be none there. */
const emphasised = (
  sign: string,
  inner: string,
  around: { readonly before: string; readonly after: string },
): string => {
  const [, start = '', text = '', end = ''] = /^(\s*)(.*?)(\s*)$/s.exec(inner) ?? []
  const before = start === '' ? around.before : start
  const after = end === '' ? around.after : end
  const first = [...text][0] ?? ''
  const last = [...text].at(-1) ?? ''
  const opens = isWordLike(first) || !isWordLike(before)
  const closes = isWordLike(last) || !isWordLike(after)
  const isPlain = text === '' || !opens || !closes || before === '*' || after === '*'
  return isPlain ? inner : `${start}${sign}${text}${sign}${end}`
}

const firstOf = (nodes: readonly Node[]): string => [...textIn(nodes)][0] ?? ''

const inline = (nodes: readonly Node[]): string => {
  let written = ''
  for (const [n, node] of nodes.entries()) {
    if (typeof node === 'string') {
      written += escaped(node.replaceAll(/[ \t\r\n\f]+/g, ' '))
      continue
    }
    const { attributes, children } = node
    const around = { before: [...written].at(-1) ?? '', after: firstOf(nodes.slice(n + 1, n + 2)) }
    const name = localName(node)
    if (dropped.has(name)) continue
    switch (name) {
      case 'br':
        written += '\\\n'
        break
      case 'em':
      case 'i':
        written += emphasised('*', inline(children), around)
        break
      case 'strong':
      case 'b':
        written += emphasised('**', inline(children), around)
        break
      case 'code':
      case 'kbd':
      case 'samp':
      case 'tt':
        written += codeOf(textIn(children))
        break
      case 'a': {
        const text = inline(children)
        const { href = '' } = attributes
        written += isSafeLink(href) && text.trim() !== '' ? `[${text}](<${addressOf(href)}>)` : text
        break
      }
      case 'img': {
        const { src = '', alt = '' } = attributes
        const said = escaped(alt.replaceAll(/\s+/g, ' '))
        written += isSafeImage(src) ? `![${said}](<${addressOf(src)}>)` : said
        break
      }
      default:
        written += inline(children)
    }
  }
  return written
}

const addressOf = (address: string): string => address.replaceAll(/[<>\\&*_]/g, sign => `\\${sign}`)

const paragraphOf = (nodes: readonly Node[]): readonly string[] => {
  const lines = inline(nodes)
    .replace(/^(?:\s|\\\n)+/, '')
    .replace(/(?:\s|\\\n)+$/, '')
    .split('\n')
    .map(line => lineOf(line.trim()))
  const text = lines.join('\n')
  return text === '' || text === '\\' ? [] : [text]
}

const indented = (text: string, first: string, rest: string): string =>
  text
    .split('\n')
    .map((line, n) =>
      n === 0 ? `${first}${line}` : line === '' && rest.trim() === '' ? '' : `${rest}${line}`.trimEnd(),
    )
    .join('\n')

const listOf = (list: Element, isOther: boolean): string => {
  const isOrdered = localName(list) === 'ol'
  const start = /^\d{1,9}$/.test(list.attributes['start'] ?? '') ? Number(list.attributes['start']) : 1
  const items = list.children.filter((node): node is Element => typeof node !== 'string' && localName(node) === 'li')
  const isLoose = items.some(({ children }) => children.some(node => isBlock(node) && localName(node) === 'p'))
  return items
    .map(({ children }, n) => {
      const mark = isOrdered ? `${start + n}${isOther ? ')' : '.'} ` : isOther ? '* ' : '- '
      return indented(blocksOf(children).join(isLoose ? '\n\n' : '\n'), mark, ' '.repeat(mark.length)).trimEnd()
    })
    .join(isLoose ? '\n\n' : '\n')
}

const blockOf = (element: Element, before: string): readonly string[] => {
  const { children } = element
  const name = localName(element)
  if (/^h[1-6]$/.test(name)) {
    const text = inline(children).replaceAll(/\\?\n/g, ' ').replaceAll(/ +/g, ' ').trim()
    return text === '' ? [] : [`${'#'.repeat(Number(name[1]))} ${text.replace(/#+$/, signs => `\\${signs}`)}`]
  }
  if (name === 'hr') return ['***']
  if (name === 'blockquote') {
    const quoted = blocksOf(children).join('\n\n')
    return quoted === '' ? [] : [indented(quoted, '> ', '> ')]
  }
  if (name === 'ul' || name === 'ol') {
    const list = listOf(element, name === 'ul' ? before.startsWith('- ') : /^\d+\. /.test(before))
    return list.trim() === '' ? [] : [list]
  }
  if (name === 'pre') {
    const text = textIn(children).replace(/^\n/, '').replace(/\n$/, '')
    const fence = fenceOf(text, 3)
    return [`${fence}\n${text}\n${fence}`]
  }
  return blocksOf(children)
}

/** The blocks of what stands there. */
export const blocksOf = (nodes: readonly Node[]): readonly string[] => {
  const written: string[] = []
  let run: Node[] = []
  const flush = (): void => {
    written.push(...paragraphOf(run))
    run = []
  }
  for (const node of nodes) {
    if (typeof node !== 'string' && dropped.has(localName(node))) continue
    const isInline = typeof node === 'string' || !(blocks.has(localName(node)) || node.children.some(isBlock))
    if (isInline) {
      run.push(node)
      continue
    }
    flush()
    written.push(...blockOf(node, written.at(-1) ?? ''))
  }
  flush()
  return written
}

/** A document as CommonMark; `title`: its first heading, where nothing stands before that, which the text then has no more. */
export const commonMarkOf = (nodes: readonly Node[]): { readonly title?: string; readonly text: string } => {
  const [first, rest] = withoutHeading(nodes)
  const title = first && lineIn(first.children)
  return { ...(title ? { title } : {}), text: blocksOf(title ? rest : nodes).join('\n\n') }
}

/** The heading that it begins with, and the nodes without it. */
const withoutHeading = (nodes: readonly Node[]): readonly [Element | undefined, readonly Node[]] => {
  const at = nodes.findIndex(node => (typeof node === 'string' ? node.trim() !== '' : !dropped.has(localName(node))))
  const node = nodes[at]
  if (node === undefined || typeof node === 'string') return [undefined, nodes]
  if (/^h[1-3]$/.test(localName(node))) return [node, nodes.toSpliced(at, 1)]
  if (!isBlock(node)) return [undefined, nodes]
  const [heading, children] = withoutHeading(node.children)
  return [heading, nodes.toSpliced(at, 1, { ...node, children: [...children] })]
}
