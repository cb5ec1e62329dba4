/** What one has done, and everything that is known of one. */

import { Readable } from 'node:stream'
import Type from 'typebox'
import type { Readings } from '../../../commands/history.ts'
import { isRefusal } from '../../../domain/refusal.ts'
import type { OwnData } from '../../../queries/own-data.ts'
import type { Limits } from '../limits.ts'
import { formatOf } from '../negotiation.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type EdgeRequest, header, type Route } from '../route.ts'
import type { QueryDeps } from '../route-query.ts'
import { nothing, type StepUpPort, tag } from './account-edge.ts'
import { activityAnswer, activityProblems, activityQuery, answerActivity, type EventTypes } from './activity.ts'
import { byOf } from './sessions.ts'
import { freshProblems, requireFresh } from './step-up.ts'

const NDJSON = 'application/x-ndjson'
const FORMATS = [NDJSON, 'application/json'] as const

export type OwnDataEdge = Pick<QueryDeps, 'cursors' | 'freshness' | 'publicUrl'> & {
  readonly ownData: OwnData
  /** Of events, by category. */
  readonly types: EventTypes
  readonly readings: Pick<Readings, 'open'>
  readonly limits: Limits
  readonly stepUp: Pick<StepUpPort, 'require'>
}

const ExportSchema = Type.Object({
  items: Type.Array(Type.Object({}, { additionalProperties: true })),
  count: Type.Integer(),
})
const failures = ['projection-behind', 'projection-building', 'store-unavailable'] as const
const name = 'my-activity'

const lines = async function* (parts: AsyncGenerator<readonly string[]>, end: (count: number) => Promise<void>) {
  let count = 0
  for await (const part of parts) {
    count += part.length
    yield `${part.join('\n')}\n`
  }
  await end(count)
  yield `${JSON.stringify({ kind: 'end', count })}\n`
}

const whole = async function* (parts: AsyncGenerator<readonly string[]>, end: (count: number) => Promise<void>) {
  let count = 0
  for await (const part of parts) {
    yield `${count === 0 ? '{"items":[' : ','}\n${part.join(',\n')}`
    count += part.length
  }
  await end(count)
  yield `${count === 0 ? '{"items":[' : ''}],"count":${count}}\n`
}

export const ownDataRoutes = ({
  ownData,
  types,
  readings,
  limits,
  stepUp,
  cursors,
  freshness,
  publicUrl,
}: OwnDataEdge): readonly Route[] => {
  const everything = async (request: EdgeRequest, accountId: string, format: (typeof FORMATS)[number]) => {
    const release = limits.stream(request.counted)
    if (!release) throw new ProblemError('too-many-streams', 'Two streams are open already.')
    const parts = ownData.everything(accountId)
    try {
      const reading = await readings.open({
        actor: { kind: 'account', id: accountId },
        correlationId: request.id,
        filters: { actor: accountId, order: 'asc' },
      })
      if (isRefusal(reading)) throw problemFrom(reading)
      let told = 0
      const end = async (count: number): Promise<void> => {
        told = count
        const refused = await reading.end(count, true)
        if (refused) throw problemFrom(refused)
      }
      const body = Readable.from((format === NDJSON ? lines : whole)(parts, end), { objectMode: false })
      body.once('close', () => {
        release()
        void parts.return(undefined).catch(() => undefined)
        reading.end(told, false).catch(() => undefined)
      })
      return body
    } catch (error) {
      release()
      throw error
    }
  }
  return [
    {
      tag,
      permission: 'account:read',
      rate: 'reads',
      method: 'GET',
      path: '/v1/me/activity',
      name,
      summary: 'What you have done, and what was done to your account',
      querystring: activityQuery(types),
      request: { needs: 'an account', query: { limit: '10' } },
      description:
        'Your own acts as the log has them; tries at your account that failed, and what administrators did to it: the fact and the reason. What is sealed under the keys of others is left out (withheld).',
      answers: activityAnswer,
      problems: ['not-an-account', ...activityProblems],
      handle: async request => {
        const { accountId } = byOf(request)
        return answerActivity(request, { name, cursors, freshness, publicUrl }, ({ question, paging }) =>
          ownData.activity(accountId, question, paging),
        )
      },
    },
    {
      tag,
      permission: 'account:read',
      rate: 'signIns',
      method: 'GET',
      path: '/v1/me/export',
      name: 'export-me',
      summary: 'Everything that is known of you',
      querystring: nothing,
      request: { needs: 'an account' },
      description:
        'A line each: account, profile, preferences, identities, sessions, every event about you and every act of yours, opened; the last line is {kind: "end", count}. With Accept: application/json one JSON text. The log says that it was read.',
      answers: {
        200: {
          description: 'One JSON text a line.',
          type: NDJSON,
          schema: Type.String(),
          example: '{"kind":"account","id":"..."}\n{"kind":"end","count":1}\n',
          also: {
            type: 'application/json',
            example: { items: [{ kind: 'account' }], count: 1 },
            schema: ExportSchema,
          },
        },
      },
      problems: [...freshProblems, 'not-acceptable', 'too-many-streams', ...failures],
      handle: async request => {
        const format = formatOf(header(request, 'accept'), FORMATS, `It is offered as ${FORMATS.join(' and ')}.`)
        const { accountId } = await requireFresh(stepUp, request)
        const headers = { 'x-accel-buffering': 'no', 'content-disposition': 'attachment; filename="my-data"' }
        if (request.method === 'HEAD') return { status: 200, type: format, headers, cache: 'no-store' }
        const body = await everything(request, accountId, format)
        return { status: 200, type: format, body, headers, cache: 'no-store' }
      },
    },
  ]
}
