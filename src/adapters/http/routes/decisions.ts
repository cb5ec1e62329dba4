/** Decisions about what people write: every route of moderators, and of whom decisions affect. */
import type { AppealDeps } from '../../../commands/appeals.ts'
import * as appeals from '../../../commands/appeals.ts'
import { type DecisionDeps, overturnDecision, takeDecision } from '../../../commands/decisions.ts'
import type { Accepted } from '../../../core/write/transact.ts'
import { defined } from '../../../domain/defined.ts'
import { idOf } from '../../../domain/ids.ts'
import type { AppealState } from '../../../domain/moderation/appeal.ts'
import {
  AppealSchema,
  appealView,
  DecisionSchema,
  type DecisionStreams,
  decisionForModerators,
} from '../../../queries/decision-view.ts'
import type { Edge } from '../edge.ts'
import { ownCommandRoute } from '../own-command.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import { reading } from './account-edge.ts'
import * as shown from './decision-schemas.ts'

const { tag } = shown
const readDecision = reading(shown.DecisionBody)
const readReason = reading(shown.ReasonBody)
const readMessage = reading(shown.MessageBody)
const readOutcome = reading(shown.OutcomeBody)
const idIn = ({ params }: EdgeRequest): string => (params['id'] ?? '').toLowerCase()
const example = { id: shown.exampleDecision }

export type DecisionCommands = DecisionDeps & AppealDeps & DecisionStreams

const answerDecision =
  (streams: DecisionStreams, status: 200 | 201) =>
  async ({ stream }: Accepted<unknown>): Promise<Omit<Answer, 'position'>> => {
    const id = idOf(stream)
    return {
      status,
      body: JSON.stringify((await decisionForModerators(streams, id)) ?? { id }),
      ...defined({ headers: status === 201 ? { location: `/v1/moderation/decisions/${id}` } : undefined }),
    }
  }

const answerAppeal =
  (status: 200 | 201, isModerator: boolean) =>
  ({ state }: Accepted<AppealState>): Omit<Answer, 'position'> => ({
    status,
    body: JSON.stringify(state ? appealView(state, isModerator) : {}),
  })

const deciding = (deps: DecisionCommands, edge: Edge): readonly Route[] => [
  ownCommandRoute(
    {
      tag,
      permission: 'decisions:take',
      method: 'POST',
      path: '/v1/moderation/decisions',
      name: 'take-decision',
      summary: 'Decide about what people wrote, or about an account',
      description:
        'Several measures at once, each on something of its own. Whoever it affects is told by a statement of reasons (Digital Services Act, Art. 17), on the channel me and by mail. Suspending needs accounts:manage.',
      body: shown.DecisionBody,
      request: {
        needs: 'an account',
        body: {
          measures: [{ ...shown.exampleMeasure }],
          statement: {
            category: 'illegal-or-harmful-speech',
            rule: 'Rule 3: no insults',
            ground: 'terms',
            source: 'own-initiative',
            facts: 'The comment insults the author of the story.',
          },
        },
      },
      answers: {
        201: {
          description: 'What was decided. It is carried out at once, after the answer.',
          schema: DecisionSchema,
          headers: ['Location'],
          example: shown.exampleView,
        },
      },
      problems: [
        'decision-invalid',
        'moderated-not-found',
        'moderated-gone',
        'own-case',
        'permission-denied',
        'text-invalid',
      ],
      run: async ({ body }, asking, envelope) => {
        const { case: ends, measures, statement: said } = readDecision(body)
        const { facts, automation = 'not', ...statement } = said
        const given = {
          measures: measures.map(({ measure, target }) => ({
            measure,
            target: { ...target, id: target.id.toLowerCase() },
          })),
          statement: { ...statement, automation },
          facts,
          ...defined({ case: ends }),
        }
        return takeDecision(deps, asking, given, envelope)
      },
      answer: answerDecision(deps, 201),
    },
    edge,
  ),
  ownCommandRoute(
    {
      tag,
      permission: 'decisions:overturn',
      method: 'POST',
      path: '/v1/moderation/decisions/:id/overturn',
      name: 'overturn-decision',
      summary: 'Overturn a decision',
      description: 'What it did ends, and nothing that another decision did. Repeated it changes nothing.',
      params: shown.DecisionParams,
      body: shown.ReasonBody,
      request: { needs: 'an account', params: example, body: { reason: 'It was a quotation.' } },
      answers: {
        200: {
          description: 'As it stands.',
          schema: DecisionSchema,
          example: {
            ...shown.exampleView,
            state: 'overturned',
            overturned: { at: '2026-01-06T10:00:00.000Z', through: 'administrator', reason: 'It was a quotation.' },
          },
        },
      },
      problems: ['decision-not-found', 'own-case', 'text-invalid'],
      run: async (request, _asking, envelope) =>
        overturnDecision(
          deps,
          { id: idIn(request), reason: readReason(request.body).reason, through: 'administrator' },
          envelope,
        ),
      answer: answerDecision(deps, 200),
    },
    edge,
  ),
]

const appealing = (deps: DecisionCommands, edge: Edge): readonly Route[] => [
  ownCommandRoute(
    {
      tag,
      permission: 'appeals:file',
      method: 'POST',
      path: '/v1/me/decisions/:id/appeal',
      name: 'file-appeal',
      summary: 'Appeal against a decision about something of yours',
      description: 'Once, within six months from when you were told of it. Another moderator decides.',
      params: shown.DecisionParams,
      body: shown.MessageBody,
      request: { needs: 'an account', params: example, body: { message: 'It was a joke between friends.' } },
      answers: { 201: { description: 'The appeal.', schema: AppealSchema, example: shown.exampleAppeal } },
      problems: ['decision-not-found', 'appeal-exists', 'appeal-too-late', 'text-invalid'],
      run: async (request, _asking, envelope) =>
        appeals.fileAppeal(deps, { id: idIn(request), ...readMessage(request.body) }, envelope),
      answer: answerAppeal(201, false),
    },
    edge,
  ),
  ownCommandRoute(
    {
      tag,
      permission: 'appeals:file',
      method: 'POST',
      path: '/v1/me/decisions/:id/appeal/messages',
      name: 'answer-in-appeal',
      summary: 'Answer in your appeal',
      params: shown.DecisionParams,
      body: shown.MessageBody,
      request: { needs: 'an account', params: example, body: { message: 'We know each other from school.' } },
      answers: { 200: { description: 'The appeal.', schema: AppealSchema, example: shown.exampleAppeal } },
      problems: [
        'decision-not-found',
        'appeal-not-found',
        'appeal-not-yours',
        'appeal-over',
        'appeal-full',
        'text-invalid',
      ],
      run: async (request, _asking, envelope) =>
        appeals.answerInAppeal(deps, { id: idIn(request), ...readMessage(request.body) }, envelope),
      answer: answerAppeal(200, false),
    },
    edge,
  ),
  ownCommandRoute(
    {
      tag,
      permission: 'decisions:take',
      method: 'POST',
      path: '/v1/moderation/appeals/:id/ask',
      name: 'ask-in-appeal',
      summary: 'Ask who appeals',
      description: 'The id is that of the decision. For other moderators than who took it.',
      params: shown.DecisionParams,
      body: shown.MessageBody,
      request: { needs: 'an account', params: example, body: { message: 'Do you know each other?' } },
      answers: { 200: { description: 'The appeal.', schema: AppealSchema, example: shown.exampleSeen } },
      problems: ['decision-not-found', 'appeal-not-found', 'appeal-over', 'appeal-full', 'own-case', 'text-invalid'],
      run: async (request, _asking, envelope) =>
        appeals.askInAppeal(deps, { id: idIn(request), ...readMessage(request.body) }, envelope),
      answer: answerAppeal(200, true),
    },
    edge,
  ),
  ownCommandRoute(
    {
      tag,
      permission: 'decisions:take',
      method: 'POST',
      path: '/v1/moderation/appeals/:id/decide',
      name: 'decide-appeal',
      summary: 'Decide an appeal',
      description:
        'The id is that of the decision. By another moderator than who took it, and not by whom it affects. An overturned decision ends at once, after the answer.',
      params: shown.DecisionParams,
      body: shown.OutcomeBody,
      request: {
        needs: 'an account',
        params: example,
        body: { outcome: 'overturned', message: 'It was said among friends.' },
      },
      answers: {
        200: {
          description: 'The appeal.',
          schema: AppealSchema,
          example: {
            ...shown.exampleSeen,
            state: 'overturned',
            decidedAt: '2026-01-06T10:00:00.000Z',
            reason: 'It was said among friends.',
            decidedBy: shown.exampleModerator,
          },
        },
      },
      problems: ['decision-not-found', 'appeal-not-found', 'appeal-over', 'own-case', 'text-invalid'],
      run: async (request, _asking, envelope) =>
        appeals.decideAppeal(deps, { id: idIn(request), ...readOutcome(request.body) }, envelope),
      answer: answerAppeal(200, true),
    },
    edge,
  ),
]

export const decisionRoutes = (deps: DecisionCommands, edge: Edge): readonly Route[] => [
  ...deciding(deps, edge),
  ...appealing(deps, edge),
]
