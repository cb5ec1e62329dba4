/** From a declared command to a route: parse, execute, map the result. */
import type { TSchema } from 'typebox'
import type { SyncTokens } from '../../core/log/sync-tokens.ts'
import type { Command } from '../../core/write/define.ts'
import type { Executor } from '../../core/write/execute.ts'
import type { Accepted, Envelope, Transactor } from '../../core/write/transact.ts'
import { defined } from '../../domain/defined.ts'
import type { DomainEvent } from '../../domain/event.ts'
import { isRefusal, type Refusal, type RefusalCode } from '../../domain/refusal.ts'
import { answerTo, DryRunQuery, isDry, withDryRun } from './dry-run.ts'
import { heldTo, parseIfMatch } from './etags.ts'
import { commandIdentity, traceparentOf } from './idempotency.ts'
import { ProblemError, type Problems, problemFrom } from './problems.ts'
import type { Answer, Documented, EdgeRequest, RequestExample, Requester, Route } from './route.ts'
import { header } from './route.ts'

export type CommandDeps = {
  readonly execute: Executor
  readonly newId: () => string
  readonly fingerprintSecret: Uint8Array
  readonly syncTokens: SyncTokens
  readonly problems: Problems
}

/** What a command takes from its route: the id in the path, where there is one, all parameters of the path, and the validated body. */
export type FromRoute<Body> = {
  readonly id: string
  readonly params: Readonly<Record<string, string>>
  readonly body: Body
}

export type CommandRoute<Body, State, E extends DomainEvent> = {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: TSchema
  readonly command: Command<FromRoute<Body>, State, E>
  readonly transactor: Transactor<State, E>
  /** What is said where a revision was stated of something that is not there; absent where it is only made by the command. */
  readonly absent?: Refusal
  /** The answer from the fold, as this requester may see it. */
  readonly answer: (accepted: Accepted<State>, requester: Requester) => Omit<Answer, 'position'>
  readonly request: RequestExample
  readonly answers: Readonly<Record<number, Documented>>
  readonly problems: readonly RefusalCode[]
}

/** The log's position as of these refusals is of use to the client: they speak of the state that they met. */
const speaksOfState = ({ refused }: Refusal, problems: Problems): boolean =>
  [404, 409, 410, 412].includes(problems.of(refused).status)

export const commandRoute = <Body, State, E extends DomainEvent>(
  declared: CommandRoute<Body, State, E>,
  deps: CommandDeps,
): Route => {
  const { command, transactor } = declared
  const { execute, syncTokens, problems: declaredProblems } = deps

  const streamOf = (input: FromRoute<Body>, commandId: string): string => {
    const stream = command.stream(input, commandId)
    if (typeof stream !== 'string') throw problemFrom(stream)
    return stream
  }

  const refused = async (refusal: Refusal, input: FromRoute<Body>, commandId: string): Promise<ProblemError> => {
    if (!speaksOfState(refusal, declaredProblems)) return problemFrom(refusal)
    const { position, revision } = await transactor.load(streamOf(input, commandId))
    const headers = { 'sync-token': await syncTokens.of(position) }
    // The revision of something that is not there is nobody's business: it is not there.
    const { absent } = declared
    const isAbsent = refusal.refused === 'revision-stale' && revision === 'none' && absent !== undefined
    return problemFrom(isAbsent ? absent : refusal, headers)
  }

  const ifMatchOf = async (
    request: EdgeRequest,
    input: FromRoute<Body>,
    commandId: string,
  ): Promise<Envelope['ifMatch']> => {
    const stated = parseIfMatch(header(request, 'if-match'))
    if (stated === undefined || stated === 'any') return stated
    const [only] = stated
    if (only !== undefined && stated.length === 1) return only
    return heldTo(stated, await transactor.load(streamOf(input, commandId)))
  }

  const handle = async (request: EdgeRequest): Promise<Answer> => {
    const { actor, permissions, inLanguages, isTold } = request.requester
    if (!actor) throw new ProblemError('unauthenticated', 'This needs an access token.')
    // The validator has checked the body against the command's own schema, which is what Body stands for.
    const input: FromRoute<Body> = {
      id: request.params['id'] ?? '',
      params: request.params,
      body: request.body as Body,
    }
    const identity = commandIdentity(request, actor, deps)
    const ifMatch = await ifMatchOf(request, input, identity.commandId)
    const traceparent = traceparentOf(request)
    const dryRun = isDry(request.query)
    const result = await execute(transactor, command, input, {
      ...identity,
      caller: { actor, permissions, ...defined({ inLanguages, isTold }) },
      correlationId: request.id,
      dryRun,
      ...defined({ traceparent, ifMatch }),
    })
    if (isRefusal(result)) throw await refused(result, input, identity.commandId)
    return answerTo(result, dryRun, accepted => declared.answer(accepted, request.requester))
  }

  const { method, path, tag, summary, description, params, request, answers, problems } = declared
  return {
    method,
    path,
    tag,
    summary,
    request,
    name: command.name,
    permission: command.permission,
    rate: 'writes',
    byLanguage: command.language !== undefined,
    ...defined({ description, params }),
    querystring: DryRunQuery,
    ...defined({ body: command.body }),
    answers: withDryRun(answers),
    problems: [
      ...problems,
      'json-invalid',
      'json-too-deep',
      'header-invalid',
      'payload-too-large',
      'unsupported-media-type',
      'conflict',
      'revision-stale',
      ...(command.needsRevision ? (['revision-required'] as const) : []),
      'idempotency-key-reused',
      'idempotency-running',
      'outcome-unknown',
      'store-unavailable',
      'busy',
    ],
    handle,
  }
}
