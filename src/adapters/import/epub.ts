/** A book as a story: EPUB 2 and 3, of the text that stands in them. Pictures, fonts and styles stay behind. */
import { basename } from 'node:path'
import type { ChapterRecord, StoryRecord } from '../../commands/import-stories.ts'
import { defined } from '../../domain/defined.ts'
import { storyLimits } from '../../domain/story/terms.ts'
import { commonMarkOf } from './commonmark.ts'
import { type Element, elementsNamed, lineIn, type Node, parseTree, textIn } from './markup-tree.ts'
import { SourceError } from './source.ts'
import type { StoryDefaults } from './story-source.ts'
import { readZip } from './zip.ts'

const CONTAINER = 'META-INF/container.xml'
const ENCRYPTION = 'META-INF/encryption.xml'
const isText = (name: string): boolean => /\.(xml|opf|xhtml|html?)$/i.test(name)

/** The file that a link of another leads to, within the archive. */
const resolved = (from: string, link: string): string => {
  const parts: string[] = from.split('/').slice(0, -1)
  let path = link.split('#')[0] ?? ''
  try {
    path = decodeURIComponent(path)
  } catch {
    // As it is written.
  }
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

type Item = { readonly id: string; readonly file: string; readonly type: string; readonly isContents: boolean }

const attribute = ({ attributes }: Element, name: string): string => attributes[name] ?? ''

const first = (nodes: readonly Node[], name: string): string | undefined => {
  const [found] = elementsNamed(nodes, name)
  const line = found && lineIn(found.children)
  return line === '' ? undefined : line
}

/** What is told of the book, in Markup or not: on lines. */
const summaryOf = (metadata: readonly Node[], where: string): string | undefined => {
  const [found] = elementsNamed(metadata, 'description')
  const given = found ? textIn(found.children).trim() : ''
  const text = /<\/?[a-z][^>]*>/i.test(given) ? lineIn(parseTree(given, where, false)) : given
  return text === '' ? undefined : text
}

const itemsOf = (opf: string, nodes: readonly Node[]): ReadonlyMap<string, Item> =>
  new Map(
    elementsNamed(elementsNamed(nodes, 'manifest'), 'item').map(item => {
      const id = attribute(item, 'id')
      const isContents = attribute(item, 'properties').split(/\s+/).includes('nav')
      return [id, { id, file: resolved(opf, attribute(item, 'href')), type: attribute(item, 'media-type'), isContents }]
    }),
  )

/** Reads a book. @throws {SourceError} with what is wrong with it. */
export const readEpub = async (path: string, defaults: StoryDefaults): Promise<StoryRecord> => {
  const name = basename(path)
  const files = await readZip(path, isText)
  const fileOf = (file: string, what: string): string => {
    const text = files.get(file)
    if (text === undefined) throw new SourceError(`${name} is no EPUB book that can be read: it has no ${what}.`)
    return text
  }
  const container = parseTree(fileOf(CONTAINER, CONTAINER), `${name}, ${CONTAINER}`, true)
  // Fonts alone may be obfuscated: that is told there too.
  const protectedFiles = elementsNamed(
    parseTree(files.get(ENCRYPTION) ?? '', `${name}, ${ENCRYPTION}`, true),
    'cipherreference',
  ).filter(element => isText(attribute(element, 'URI')))
  if (protectedFiles.length > 0)
    throw new SourceError(`${name} is protected against being read: its texts are encrypted.`)
  const [rootfile] = elementsNamed(container, 'rootfile')
  const opf = rootfile ? resolved('', attribute(rootfile, 'full-path')) : ''
  const nodes = parseTree(fileOf(opf, 'package document'), `${name}, ${opf}`, true)
  const metadata = elementsNamed(nodes, 'metadata')
  const items = itemsOf(opf, nodes)
  const spine = elementsNamed(elementsNamed(nodes, 'spine'), 'itemref').filter(
    reference => attribute(reference, 'linear') !== 'no',
  )
  if (spine.length > 2 * storyLimits.chapters)
    throw new SourceError(`${name} has more than ${2 * storyLimits.chapters} documents in its order of reading.`)
  const chapters: ChapterRecord[] = []
  for (const reference of spine) {
    const item = items.get(attribute(reference, 'idref'))
    if (!item || item.isContents || !/^(application\/xhtml\+xml|text\/html)$/i.test(item.type)) continue
    const document = parseTree(
      fileOf(item.file, `file ${JSON.stringify(item.file.slice(0, 100))}`),
      `${name}, ${item.file}`,
      false,
    )
    const { title, text } = commonMarkOf(document)
    if (text === '') continue
    const named = title ?? first(document, 'title') ?? `Chapter ${chapters.length + 1}`
    chapters.push({ key: item.id, title: named, text })
  }
  if (chapters.length === 0) throw new SourceError(`${name} has no text in its order of reading.`)
  const title = first(metadata, 'title') ?? basename(path).replace(/\.epub$/i, '')
  const language = first(metadata, 'language') ?? defaults.language
  if (language === undefined)
    throw new SourceError(`${name} does not say its language: name it with --language.`, 'usage')
  const tags = elementsNamed(metadata, 'subject').map(({ children }) => lineIn(children))
  return {
    key: first(metadata, 'identifier') ?? `title ${title}`,
    about: {
      language,
      title,
      ...defined({ summary: summaryOf(metadata, name) }),
      tags: tags.filter(tag => tag !== ''),
      ...defined({ visibility: defaults.visibility }),
    },
    isPublished: defaults.isPublished,
    isCompleted: false,
    chapters,
  }
}
