/**
 * The published dictionary as one stream of NDJSON: an entry a line, and after each page a line `{cursor, count}` to go on
 * from; the last line also says `end: true`, so that a stream which broke off is told from one that ended.
 */

import { Readable } from 'node:stream'
import Type from 'typebox'
import { defined } from '../../../domain/defined.ts'
import { entriesProjection } from '../../../projections/entries.ts'
import type { exportEntries } from '../../../queries/entry-export.ts'
import { entryExample } from '../examples.ts'
import { FILLING, fillingHeaders } from '../filling.ts'
import type { Limits } from '../limits.ts'
import { formatOf } from '../negotiation.ts'
import { ProblemError } from '../problems.ts'
import { type Answer, type EdgeRequest, header, type Route } from '../route.ts'
import { cursorOf, cursorScope, type QueryDeps } from '../route-query.ts'
import { ExportQuery, languageOf } from './entry-parameters.ts'

const NDJSON = 'application/x-ndjson'
const name = 'export-entries'

const queryOf = (query: unknown): { readonly language?: string } =>
  typeof query === 'object' && query !== null && 'language' in query && typeof query.language === 'string'
    ? { language: languageOf(query.language) }
    : {}

type ExportDeps = QueryDeps & {
  readonly exportEntries: ReturnType<typeof exportEntries>
  readonly limits: Limits
}

const lines = async function* (
  pages: ReturnType<ReturnType<typeof exportEntries>>,
  cursorText: (cursor: Parameters<QueryDeps['cursors']['of']>[1], position: bigint) => Promise<string>,
): AsyncGenerator<string> {
  let count = 0
  let mark: { readonly cursor: string; readonly count: number } | undefined
  for await (const { items, cursor, position } of pages) {
    if (mark) yield `${JSON.stringify(mark)}\n`
    count += items.length
    if (items.length > 0) yield `${items.map(item => JSON.stringify(item)).join('\n')}\n`
    mark = { cursor: await cursorText(cursor, position), count }
  }
  yield `${JSON.stringify({ end: true, count, ...mark })}\n`
}

export const exportRoute = (deps: ExportDeps): Route => {
  const open = async (request: EdgeRequest): Promise<Answer> => {
    formatOf(header(request, 'accept'), [NDJSON], `The export is offered as ${NDJSON}.`)
    const after = await cursorOf(request, name, deps.cursors)
    if (request.after !== undefined) await deps.freshness.waitFor([entriesProjection], request.after)
    const headers = { 'x-accel-buffering': 'no', ...fillingHeaders(deps.filling()) }
    if (request.method === 'HEAD') return { status: 200, type: NDJSON, headers }
    const scope = cursorScope(request, name)
    // What may be refused comes before the place is taken: nobody would give it back.
    const pages = deps.exportEntries({ ...defined({ after }), ...queryOf(request.query) })
    const release = deps.limits.stream(request.counted)
    if (!release) throw new ProblemError('too-many-streams', 'Two streams are open already.')
    try {
      // The first page before the status goes out: a read model that cannot answer is a 503, not a broken stream.
      const first = await pages.next()
      const all = async function* () {
        if (!first.done) yield first.value
        yield* pages
      }
      const body = Readable.from(
        lines(all(), (cursor, position) => deps.cursors.of(scope, cursor, position)),
        { objectMode: false },
      )
      body.once('close', release)
      const position = first.done ? undefined : first.value.position
      return { status: 200, type: NDJSON, body, headers, ...defined({ position }) }
    } catch (error) {
      release()
      throw error
    }
  }
  return {
    method: 'GET',
    path: '/v1/entries/export',
    name,
    tag: 'Dictionary',
    rate: 'reads',
    summary: 'The published dictionary as NDJSON',
    description:
      'Streamed, in the order of ids. A line is an entry; after each page comes a line {cursor, count} to resume from, and at the end {end: true, count, cursor}.',
    permission: 'entries:read',
    querystring: ExportQuery,
    request: { query: { language: 'en' } },
    answers: {
      200: {
        description: 'One JSON text a line.',
        type: NDJSON,
        schema: Type.String(),
        headers: [FILLING],
        example: `${JSON.stringify(entryExample('published', '2'))}\n{"end":true,"count":1,"cursor":"..."}\n`,
      },
    },
    problems: [
      'validation',
      'cursor-invalid',
      'cursor-expired',
      'not-acceptable',
      'too-many-streams',
      'projection-behind',
      'projection-building',
      'store-unavailable',
    ],
    handle: open,
  }
}
