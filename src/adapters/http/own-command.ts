/** Routes by which somebody with an account changes what is their own: envelope, dry run and repeats as of all commands. */
import type { TSchema } from 'typebox'
import type { Envelope, Result, Transactor } from '../../core/write/transact.ts'
import { defined } from '../../domain/defined.ts'
import type { DomainEvent } from '../../domain/event.ts'
import { isRefusal, type RefusalCode } from '../../domain/refusal.ts'
import type { Permission } from '../../domain/roles.ts'
import type { Clock } from '../../ports/clock.ts'
import { answerTo, DryRunQuery, isDry, withDryRun } from './dry-run.ts'
import { heldTo, parseIfMatch } from './etags.ts'
import { commandIdentity, traceparentOf } from './idempotency.ts'
import { ProblemError, problemFrom } from './problems.ts'
import type { Answer, Documented, EdgeRequest, RequestExample, Route } from './route.ts'
import { header } from './route.ts'
import type { CommandDeps } from './route-command.ts'

/** Whose it is: the account, with what it may. */
export type Asking = { readonly account: string; readonly permissions: ReadonlySet<Permission> }

export type OwnCommand<State> = {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly name: string
  readonly tag: string
  readonly permission: Permission
  readonly summary: string
  readonly description?: string
  readonly params?: TSchema
  readonly body?: TSchema
  readonly request: RequestExample
  readonly answers: Readonly<Record<number, Documented>>
  readonly problems: readonly RefusalCode[]
  /** If-Match has to be stated (428 without), of the stream that the request is about. */
  readonly revised?: {
    readonly transactor: Pick<Transactor<unknown, DomainEvent>, 'load'>
    readonly stream: (request: EdgeRequest) => string
  }
  readonly run: (request: EdgeRequest, asking: Asking, envelope: Envelope) => Promise<Result<State>>
  readonly answer: (
    done: Exclude<Result<State>, { refused: string }>,
    request: EdgeRequest,
  ) => Omit<Answer, 'position'> | Promise<Omit<Answer, 'position'>>
}

/** @throws {ProblemError} not-an-account. */
const askingOf = ({ requester: { actor, permissions } }: EdgeRequest): Asking => {
  if (actor?.kind === 'account') return { account: actor.id, permissions }
  throw new ProblemError('not-an-account', 'This token belongs to a service, which has no account.')
}

/** How long somebody has to wait, where a refusal says so. */
const waitOf = (context: Readonly<Record<string, unknown>> | undefined): { readonly 'retry-after'?: string } =>
  typeof context?.['seconds'] === 'number' ? { 'retry-after': String(context['seconds']) } : {}

export const ownCommandRoute = <State>(
  declared: OwnCommand<State>,
  deps: CommandDeps & { readonly clock: Pick<Clock, 'now'> },
): Route => {
  const { method, path, name, tag, permission, summary, description, params, body, request: example } = declared
  const { revised, problems } = declared

  /** @throws {ProblemError} revision-required, header-invalid. */
  const ifMatchOf = async (request: EdgeRequest): Promise<Envelope['ifMatch']> => {
    const stated = parseIfMatch(header(request, 'if-match'))
    if (stated === 'any' || !revised) return stated === 'any' ? stated : undefined
    if (stated === undefined)
      throw new ProblemError('revision-required', 'State the revision that you have seen, in the header If-Match.')
    return heldTo(stated, await revised.transactor.load(revised.stream(request)))
  }

  const handle = async (request: EdgeRequest): Promise<Answer> => {
    const asking = askingOf(request)
    const actor = { kind: 'account', id: asking.account } as const
    const { keyed: _, ...identity } = commandIdentity(request, actor, deps)
    const traceparent = traceparentOf(request)
    const dryRun = isDry(request.query)
    const ifMatch = await ifMatchOf(request)
    const correlationId = request.id
    const at = deps.clock.now()
    const envelope = { ...identity, actor, correlationId, at, dryRun, ...defined({ traceparent, ifMatch }) }
    const result = await declared.run(request, asking, envelope)
    if (isRefusal(result)) throw problemFrom(result, waitOf(result.context))
    return answerTo(result, dryRun, accepted => declared.answer(accepted, request))
  }

  return {
    method,
    path,
    tag,
    summary,
    name,
    permission,
    rate: 'writes',
    request: example,
    querystring: DryRunQuery,
    ...defined({ description, params, body }),
    answers: withDryRun(declared.answers),
    problems: [
      ...problems,
      'not-an-account',
      'json-invalid',
      'json-too-deep',
      'header-invalid',
      'payload-too-large',
      'unsupported-media-type',
      'conflict',
      'revision-stale',
      ...(revised ? (['revision-required'] as const) : []),
      'idempotency-key-reused',
      'outcome-unknown',
      'store-unavailable',
      'busy',
    ],
    handle,
  }
}
