/**
 * A file of CommonMark as a story: its first heading is the title, each of the second level begins a chapter. In what the service exports
 * a comment says which headings those are, since chapters have headings of their own.
 */
import type { ChapterRecord, StoryRecord } from '../../commands/import-stories.ts'
import { CHAPTER_MARK, SUMMARY_MARK } from '../../domain/chapter/markdown-file.ts'
import { parseMarkup } from '../../domain/chapter/markup.ts'
import { defined } from '../../domain/defined.ts'
import { SourceError } from './source.ts'
import type { StoryDefaults } from './story-source.ts'

/** A heading of the file itself, no quote's or list's: its lines, from and to. */
type Heading = { readonly level: number; readonly title: string; readonly from: number; readonly to: number }

/** What is written there, without its markup. */
const plainText = (children: readonly { readonly type: string; readonly content: string }[]): string =>
  children.map(({ type, content }) => (/break$/.test(type) ? ' ' : content)).join('')

const headingsOf = (text: string): readonly Heading[] => {
  const tokens = parseMarkup(text)
  return tokens.flatMap((token, n): readonly Heading[] => {
    const [from, to] = token.map ?? [0, 0]
    if (token.type !== 'heading_open' || token.level !== 0) return []
    return [{ level: Number(token.tag.slice(1)), title: plainText(tokens[n + 1]?.children ?? []).trim(), from, to }]
  })
}

/** The signs that were escaped stand for themselves. */
const unescaped = (text: string): string => text.replaceAll(/\\([!-/:-@[-`{-~])/g, '$1')

const isMark = (line: string | undefined, mark: string): boolean => line?.trim() === mark

/** The story that the text is. @throws {SourceError} with what is wrong with it. */
export const readMarkdown = (given: string, name: string, defaults: StoryDefaults): StoryRecord => {
  const text = given.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n')
  const lines = text.split('\n')
  const headings = headingsOf(text)
  const [first] = headings
  if (first?.level !== 1 || first.title === '')
    throw new SourceError(`${name} does not begin with a title, which is a heading of the first level: # The title.`)
  if (defaults.language === undefined)
    throw new SourceError(`${name} does not say its language: name it with --language.`, 'usage')
  const seconds = headings.filter(({ level }) => level === 2)
  const isMarked = (heading: Heading): boolean => {
    let before = heading.from - 1
    while (before >= 0 && lines[before]?.trim() === '') before -= 1
    return isMark(lines[before], CHAPTER_MARK)
  }
  const marked = seconds.filter(isMarked)
  const starts = marked.length > 0 ? marked : seconds
  if (starts.length === 0)
    throw new SourceError(`${name} has no chapter, which begins with a heading of the second level: ## The chapter.`)
  const chapters = starts.map(({ title, to }, n): ChapterRecord => {
    const end = starts[n + 1]?.from ?? lines.length
    const own = lines.slice(to, end)
    while (own.length > 0 && (own.at(-1)?.trim() === '' || (marked.length > 0 && isMark(own.at(-1), CHAPTER_MARK))))
      own.pop()
    while (own[0]?.trim() === '') own.shift()
    return { key: String(n + 1), title: title === '' ? `Chapter ${n + 1}` : title, text: own.join('\n') }
  })
  const before = lines.slice(first.to, starts[0]?.from).filter(line => !isMark(line, CHAPTER_MARK))
  const at = before.findIndex(line => isMark(line, SUMMARY_MARK))
  const told = marked.length === 0 ? before : at < 0 ? [] : before.slice(at + 1)
  const summary = unescaped(told.join('\n').trim())
  return {
    key: `title ${defaults.language} ${first.title}`,
    about: {
      language: defaults.language,
      title: first.title,
      ...defined({ summary: summary === '' ? undefined : summary, visibility: defaults.visibility }),
    },
    isPublished: defaults.isPublished,
    isCompleted: false,
    chapters,
  }
}
