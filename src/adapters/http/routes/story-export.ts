/** A story to take away: as an EPUB book, or as CommonMark, streamed chapter by chapter. */
import { Readable } from 'node:stream'
import Type from 'typebox'
import { CHAPTER_MARK, SUMMARY_MARK } from '../../../domain/chapter/markdown-file.ts'
import { defined } from '../../../domain/defined.ts'
import { OwnError } from '../../../domain/own-error.ts'
import { isRefusal, refuse } from '../../../domain/refusal.ts'
import { chaptersProjection, chapterTextsProjection } from '../../../projections/chapters.ts'
import { storiesProjection } from '../../../projections/stories.ts'
import type { ChapterItem, ChapterView, getChapter } from '../../../queries/chapters.ts'
import type { StoryView } from '../../../queries/story-view.ts'
import type { Edge } from '../edge.ts'
import { EPUB, epubOf } from '../epub.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import { AdultQuery, accepted, type FeedDeps, wantsAdult } from './story-feeds.ts'
import { StoryParams } from './story-parameters.ts'

export type StoryExportDeps = Pick<FeedDeps, 'getStory' | 'listChapters' | 'people'> & {
  readonly getChapter: ReturnType<typeof getChapter>
}

const formats = ['epub', 'markdown'] as const
const ExportQuery = Type.Object(
  {
    ...AdultQuery.properties,
    format: Type.Optional(Type.Enum([...formats], { description: 'epub, a book, by default.' })),
  },
  { additionalProperties: false },
)
const MARKDOWN = 'text/markdown'

/** A line of text that CommonMark takes as it is: its signs stand for themselves. */
const plain = (line: string): string => line.replaceAll(/[!-/:-@[-`{-~]/g, sign => `\\${sign}`)

async function* markdownOf(
  { title, summary }: StoryView,
  authors: readonly string[],
  chapters: AsyncIterable<ChapterView>,
): AsyncGenerator<string> {
  yield `# ${plain(title)}\n`
  if (authors.length > 0) yield `\n${authors.map(plain).join(', ')}\n`
  if (summary !== undefined) yield `\n${SUMMARY_MARK}\n\n${summary.split('\n').map(plain).join('\n')}\n`
  for await (const chapter of chapters) yield `\n${CHAPTER_MARK}\n\n## ${plain(chapter.title)}\n\n${chapter.text}\n`
}

const isMarkdown = (query: unknown): boolean =>
  typeof query === 'object' && query !== null && 'format' in query && query.format === 'markdown'

export const storyExportRoute = (deps: StoryExportDeps, edge: Edge): Route => {
  /** One after another, as they are asked for. One that may not be read any more ends the file, which is then no whole one. */
  async function* read(
    request: EdgeRequest,
    id: string,
    contents: readonly ChapterItem[],
  ): AsyncGenerator<ChapterView> {
    for (const { id: chapterId } of contents) {
      const input = { id, chapterId, adult: wantsAdult(request.query), images: false }
      const chapter = await deps.getChapter.run(input, request.requester)
      if (isRefusal(chapter)) throw new OwnError(`a chapter is gone: ${chapter.refused}`)
      yield chapter.value
    }
  }
  const handle = async (request: EdgeRequest): Promise<Answer> => {
    const { after, requester, counted } = request
    if (after !== undefined)
      await edge.freshness.waitFor([storiesProjection, chaptersProjection, chapterTextsProjection], after)
    const input = { id: request.params['id'] ?? '', adult: wantsAdult(request.query) }
    const { value: story } = accepted(await deps.getStory.run(input, requester))
    const { value, position } = accepted(await deps.listChapters.run(input, requester))
    const contents = value.items.filter(({ publishedAt }) => publishedAt !== undefined)
    if (contents.length === 0) throw problemFrom(refuse('story-incomplete', 'No chapter of it is published.'))
    const markdown = isMarkdown(request.query)
    const type = markdown ? `${MARKDOWN}; charset=utf-8` : EPUB
    const headers = { 'content-disposition': `attachment; filename="${story.id}.${markdown ? 'md' : 'epub'}"` }
    if (request.method === 'HEAD') return { status: 200, type, headers, position }
    const release = edge.limits.stream(counted)
    if (!release) throw new ProblemError('too-many-streams', 'Two streams are open already.')
    const authors = story.authors.flatMap(id => deps.people.nameFor(id, requester) ?? [])
    const chapters = read(request, story.id, contents)
    const { id, title, language, tags, updatedAt: updated } = story
    const book = { id, title, language, authors, tags, updated, contents, ...defined({ summary: story.summary }) }
    const body = Readable.from(markdown ? markdownOf(story, authors, chapters) : epubOf(book, chapters), {
      objectMode: false,
    })
    body.once('close', release)
    return { status: 200, type, headers, body, position }
  }
  return {
    method: 'GET',
    path: '/v1/stories/:id/export',
    name: 'export-story',
    tag: 'Stories',
    summary: 'A story as a file',
    description: 'Its published chapters in their order: an EPUB 3 book, or CommonMark. Images are links.',
    permission: 'stories:read',
    rate: 'reads',
    params: StoryParams,
    querystring: ExportQuery,
    request: {
      needs: 'an account',
      params: { id: '3f1c2b9e-5d0a-5c4e-8b7a-6e5d4c3b2a10' },
      query: { format: 'markdown' },
    },
    answers: {
      200: {
        description: 'The file.',
        type: EPUB,
        schema: Type.String(),
        headers: ['Content-Disposition'],
        example: 'PK...',
        also: {
          type: MARKDOWN,
          example: '# The lighthouse keeper\n\n<!-- chapter -->\n\n## One\n\nOnce upon a time.\n',
        },
      },
    },
    problems: [
      'validation',
      'header-invalid',
      'story-not-found',
      'adult-content',
      'story-incomplete',
      'too-many-streams',
      'projection-behind',
      'projection-building',
      'store-unavailable',
    ],
    handle,
  }
}
