/** XML and HTML as a tree, within bounds; entities that a document declares itself are none. */
import { Parser } from 'htmlparser2'
import { SourceError } from './source.ts'

export type Element = {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Node[]
}
export type Node = Element | string

/** Elements within elements, and elements and texts of one document, at most. */
const MOST_DEPTH = 200
const MOST_NODES = 500_000

/** The elements and texts of a document; `where` names it in what is wrong. @throws {SourceError} */
export const parseTree = (text: string, where: string, isXml: boolean): readonly Node[] => {
  if (/<!ENTITY/i.test(text)) throw new SourceError(`${where} declares entities, which are not expanded here.`)
  const root: Element = { name: '', attributes: {}, children: [] }
  const open: Element[] = [root]
  let nodes = 0
  const add = (node: Node): void => {
    nodes += 1
    if (nodes > MOST_NODES) throw new SourceError(`${where} has more than ${MOST_NODES} elements and texts.`)
    open.at(-1)?.children.push(node)
  }
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (open.length > MOST_DEPTH) throw new SourceError(`${where} nests more than ${MOST_DEPTH} elements deep.`)
        const element: Element = { name, attributes: { ...attributes }, children: [] }
        add(element)
        open.push(element)
      },
      onclosetag: () => {
        if (open.length > 1) open.pop()
      },
      ontext: add,
    },
    { xmlMode: isXml, recognizeSelfClosing: true, decodeEntities: true },
  )
  parser.end(text)
  return root.children
}

/** The name without the prefix of its namespace. */
export const localName = ({ name }: Element): string => name.slice(name.indexOf(':') + 1).toLowerCase()

/** Every element of a name in it, in order. */
export const elementsNamed = (nodes: readonly Node[], name: string): readonly Element[] =>
  nodes.flatMap(node =>
    typeof node === 'string'
      ? []
      : [...(localName(node) === name ? [node] : []), ...elementsNamed(node.children, name)],
  )

export const textIn = (nodes: readonly Node[]): string =>
  nodes.map(node => (typeof node === 'string' ? node : textIn(node.children))).join('')

/** On one line. */
export const lineIn = (nodes: readonly Node[]): string => textIn(nodes).replaceAll(/\s+/g, ' ').trim()
