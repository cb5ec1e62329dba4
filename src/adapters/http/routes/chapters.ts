/** Chapters: every route that writes them, each with its command. */
import * as commands from '../../../commands/chapters.ts'
import type { Accepted, Envelope, Result } from '../../../core/write/transact.ts'
import type { ChapterState } from '../../../domain/chapter/chapter.ts'
import type { By } from '../../../domain/decider.ts'
import { defined } from '../../../domain/defined.ts'
import { idOf } from '../../../domain/ids.ts'
import { isRefusal, type Refusal, type RefusalCode, refuse } from '../../../domain/refusal.ts'
import type { Permission } from '../../../domain/roles.ts'
import { draftView } from '../../../queries/chapter-history.ts'
import { answerTo, DryRunQuery, isDry, withDryRun } from '../dry-run.ts'
import type { Edge } from '../edge.ts'
import { etagOf, parseIfMatch } from '../etags.ts'
import { commandIdentity, traceparentOf } from '../idempotency.ts'
import { withNames } from '../names.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type Answer, type EdgeRequest, header, type Route } from '../route.ts'
import { reading } from './account-edge.ts'
import * as answers from './chapter-answers.ts'
import { chapterForm } from './chapter-reading.ts'
import { StoryParams } from './story-parameters.ts'

/** 510,000 code points of four bytes, with what JSON needs for them, a note and a title: escapes of controls are refused anyhow. */
export const DRAFT_BYTES = 2_200_000

type Declared = Pick<Route, 'method' | 'path' | 'name' | 'summary' | 'request' | 'answers' | 'body' | 'bodyLimit'> & {
  readonly description?: string
  /** Who may write no longer still takes back what is theirs. */
  readonly permission?: Permission
  readonly needsRevision?: boolean
  readonly problems: readonly RefusalCode[]
  readonly run: (request: EdgeRequest, call: commands.Call) => Promise<Result<ChapterState>>
  readonly answer: (accepted: Accepted<ChapterState>, request: EdgeRequest) => Answer
}

const refOf = ({ params }: EdgeRequest): commands.ChapterRef => ({
  storyId: params['id'] ?? '',
  chapterId: params['chapterId'] ?? '',
})

/** With the time to come back, where it is known. */
const problemOf = (refusal: Refusal): ProblemError => {
  const seconds = refusal.context?.['retryAfterSeconds']
  return problemFrom(refusal, seconds === undefined ? {} : { 'retry-after': String(seconds) })
}

const writing: readonly RefusalCode[] = [
  'story-not-found',
  'chapter-not-found',
  'json-invalid',
  'json-too-deep',
  'header-invalid',
  'payload-too-large',
  'unsupported-media-type',
  'conflict',
  'revision-stale',
  'idempotency-key-reused',
  'outcome-unknown',
  'store-unavailable',
  'busy',
]

const statedBy = (request: EdgeRequest, needsRevision: boolean): commands.Call['stated'] => {
  const stated = parseIfMatch(header(request, 'if-match'))
  if (stated === undefined && needsRevision)
    throw problemFrom(refuse('revision-required', 'State the revision that you have seen, in the header If-Match.'))
  return stated === 'any' ? undefined : stated
}

const commandRoute = (declared: Declared, edge: Edge): Route => {
  const { run, answer, needsRevision = false, permission = 'stories:write', description, problems, ...route } = declared
  const callOf = (request: EdgeRequest): commands.Call => {
    const { actor, permissions } = request.requester
    if (!actor) throw new ProblemError('unauthenticated', 'This needs an access token.')
    const { keyed: _, ...identity } = commandIdentity(request, actor, edge)
    const at = edge.clock.now()
    const { id, kind } = actor
    const by: By = { id, kind, permissions, now: at, commandId: identity.commandId }
    const traceparent = traceparentOf(request)
    const envelope: Envelope = {
      ...identity,
      actor,
      correlationId: request.id,
      at,
      dryRun: isDry(request.query),
      ...defined({ traceparent }),
    }
    return { by, envelope, stated: statedBy(request, needsRevision) }
  }
  return {
    ...route,
    ...defined({ description }),
    tag: 'Stories',
    rate: 'writes',
    permission,
    params: route.path.includes(':chapterId') ? answers.ChapterParams : StoryParams,
    querystring: DryRunQuery,
    answers: withDryRun(route.answers),
    problems: [...writing, ...problems, ...(needsRevision ? (['revision-required'] as const) : [])],
    handle: async request => {
      const result = await run(request, callOf(request))
      if (isRefusal(result)) throw problemOf(result)
      return answerTo(result, isDry(request.query), accepted => answer(accepted, request))
    },
  }
}

/** The chapter after the command, without its text. */
const answerDraft =
  (status: 200 | 201, edge: Edge): Declared['answer'] =>
  ({ stream, state }, { requester }) => {
    const id = idOf(stream)
    if (!state || state.isDeleted) return answerDeleted({ stream, state })
    const view = draftView(id, state)
    const etag = etagOf(view.revision, state.mark, chapterForm(edge.version, view))
    const shown = { body: JSON.stringify(view), etag, people: [view.savedBy] }
    const headers = status === 201 ? { location: `/v1/stories/${state.story}/chapters/${id}` } : {}
    return { status, ...withNames(shown, edge.names, requester), headers }
  }

const answerDeleted = ({ stream, state }: Pick<Accepted<ChapterState>, 'stream' | 'state'>): Answer => ({
  status: 200,
  body: JSON.stringify({ id: idOf(stream), removed: true, revision: String(state?.revision ?? 0) }),
})

export const chapterCommandRoutes = (deps: commands.ChapterDeps, edge: Edge): readonly Route[] => {
  const chapter = '/v1/stories/:id/chapters/:chapterId'
  const example = { needs: 'an account', params: answers.ofChapterExample } as const
  const readBody = reading(commands.ChapterBody)
  const readDraft = reading(commands.DraftBody)
  const readRestore = reading(commands.RestoreBody)
  const answer = answerDraft(200, edge)
  return [
    commandRoute(
      {
        method: 'POST',
        path: '/v1/stories/:id/chapters',
        name: 'begin-chapter',
        summary: 'Begin a chapter',
        description: 'At the end of the story, as an empty draft.',
        body: commands.ChapterBody,
        request: { needs: 'an account', params: answers.ofStoryExample, body: { title: 'The Storm' } },
        answers: { 201: answers.createdChapter },
        problems: ['text-invalid', 'chapters-full'],
        run: (request, call) => commands.beginChapter(deps, refOf(request).storyId, readBody(request.body), call),
        answer: answerDraft(201, edge),
      },
      edge,
    ),
    commandRoute(
      {
        method: 'PUT',
        path: `${chapter}/draft`,
        name: 'save-draft',
        summary: 'Save the draft of a chapter',
        description:
          'Whole, up to 510,000 characters in 2,200,000 bytes; six times a minute at most. What is published stays as it is.',
        body: commands.DraftBody,
        bodyLimit: DRAFT_BYTES,
        needsRevision: true,
        request: { ...example, body: answers.draftBodyExample },
        answers: { 200: answers.changedDraft('The draft, without its text.') },
        problems: ['text-invalid', 'markup-too-deep', 'saves-too-many'],
        run: (request, call) => commands.saveDraft(deps, refOf(request), readDraft(request.body), call),
        answer,
      },
      edge,
    ),
    commandRoute(
      {
        method: 'POST',
        path: `${chapter}/publish`,
        name: 'publish-chapter',
        summary: 'Publish a chapter',
        description: 'Readers get what the draft says, as soon as the story is published, or at once where it is.',
        request: { ...example, body: {} },
        answers: { 200: answers.changedDraft('The chapter.') },
        problems: ['chapter-too-short'],
        run: (request, call) => commands.publishChapter(deps, refOf(request), call),
        answer,
      },
      edge,
    ),
    commandRoute(
      {
        method: 'POST',
        path: `${chapter}/unpublish`,
        name: 'unpublish-chapter',
        summary: 'Unpublish a chapter',
        description: 'Not the only published one of a story that is published, or planned to be.',
        request: { ...example, body: {} },
        answers: { 200: answers.changedDraft('The chapter, which its authors alone see.') },
        problems: ['last-chapter', 'chapter-unknown'],
        run: (request, call) => commands.unpublishChapter(deps, refOf(request), call),
        answer,
      },
      edge,
    ),
    commandRoute(
      {
        method: 'POST',
        path: `${chapter}/restore`,
        name: 'restore-chapter',
        summary: 'Give the draft what it said at a revision',
        description: 'Title, note and text. What is published stays as it is.',
        body: commands.RestoreBody,
        request: { ...example, body: { revision: '1' } },
        answers: { 200: answers.changedDraft('The draft, without its text.') },
        problems: ['chapter-revision-unknown', 'saves-too-many'],
        run: (request, call) => commands.restoreRevision(deps, refOf(request), readRestore(request.body), call),
        answer,
      },
      edge,
    ),
    commandRoute(
      {
        method: 'DELETE',
        path: `${chapter}/history`,
        name: 'purge-chapter-history',
        summary: 'Purge the history of a chapter',
        description:
          'What stands stays, under another key; all that was before is gone for good, in every copy of the log.',
        permission: 'account:use',
        request: example,
        answers: { 200: answers.changedDraft('The chapter, whose history begins again.') },
        problems: [],
        run: (request, call) => commands.purgeHistory(deps, refOf(request), call),
        answer,
      },
      edge,
    ),
    commandRoute(
      {
        method: 'DELETE',
        path: chapter,
        name: 'delete-chapter',
        summary: 'Delete a chapter',
        description:
          'Its text is gone for good, in every copy of the log. Not the only published one of a published story.',
        permission: 'stories:leave',
        request: example,
        answers: { 200: answers.deletedAnswer },
        problems: ['last-chapter'],
        run: (request, call) => commands.deleteChapter(deps, refOf(request), call),
        answer: answerDeleted,
      },
      edge,
    ),
  ]
}
