/** Carries out a declared command for somebody: permission, idempotency claim, required streams, then transact. */
import { denied } from '../../domain/denial.ts'
import type { DomainEvent } from '../../domain/event.ts'
import { isRefusal, refuse } from '../../domain/refusal.ts'
import { type Permission, permissionsIn, type Rights } from '../../domain/roles.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Command } from './define.ts'
import type { Envelope, Result, Transactor } from './transact.ts'

/** Who gives the command. */
export type Caller = Rights & { readonly actor: Envelope['actor'] }

export type CommandRequest = Omit<Envelope, 'actor' | 'at'> & {
  readonly caller: Caller
  /** The client gave an Idempotency-Key: claim it for 24 hours. */
  readonly keyed: boolean
}

export type Executor = <Input, State, E extends DomainEvent>(
  transactor: Transactor<State, E>,
  command: Command<Input, State, E>,
  input: Input,
  request: CommandRequest,
) => Promise<Result<State>>

const DAY_MS = 24 * 60 * 60 * 1000
/** Longer than any command takes; a node that dies holds the key no longer than this. */
const RUNNING_MS = 30_000

/**
 * The claims are best effort, as any cache is: the guarantee that a repeated command has one effect is the log's own.
 * They add two answers the log cannot give: still running, and another payload that would lead to another stream.
 */
const claim = async (cache: Cache, request: CommandRequest, token: string) => {
  if (!request.keyed || request.dryRun) return undefined
  const held = await cache.claim(`command:${request.commandId}`, request.fingerprint ?? '', DAY_MS)
  if (!held.claimed && held.owner !== (request.fingerprint ?? ''))
    return refuse('idempotency-key-reused', 'This Idempotency-Key was used with another payload.')
  const running = await cache.claim(`running:${request.commandId}`, token, RUNNING_MS)
  return running.claimed
    ? undefined
    : refuse('idempotency-running', 'The first request with this Idempotency-Key is still running.')
}

/**
 * What the caller may do here. What is not there has no language, so that who may work in some languages gets the
 * same answer for it as for one of another language.
 */
const permittedTo = async <Input, State, E extends DomainEvent>(
  caller: Caller,
  transactor: Transactor<State, E>,
  { language, stream: streamOf }: Command<Input, State, E>,
  input: Input,
  commandId: string,
): Promise<ReadonlySet<Permission>> => {
  const stream = caller.inLanguages && language ? streamOf(input, commandId) : undefined
  if (typeof stream !== 'string') return caller.permissions
  return permissionsIn(caller, language?.of(input, (await transactor.load(stream)).state))
}

export const openExecutor = (deps: { cache: Cache; clock: Clock; newId: () => string }): Executor => {
  const { cache, clock, newId } = deps
  return async (transactor, command, input, request) => {
    const { caller, keyed: _, ...envelope } = request
    const permissions = await permittedTo(caller, transactor, command, input, envelope.commandId)
    if (!permissions.has(command.permission))
      return denied(command.permission, caller, caller.inLanguages && command.language?.where)
    if (command.needsRevision && envelope.ifMatch === undefined)
      return refuse('revision-required', 'State the revision that you have seen, in the header If-Match.')
    const stream = command.stream(input, envelope.commandId)
    if (typeof stream !== 'string') return stream
    const token = newId()
    const refused = await claim(cache, request, token)
    if (refused) return refused
    try {
      for (const { stream: other, refusal, holds = () => true } of command.requires?.(input) ?? []) {
        const { revision, state } = await transactor.load(other)
        if (revision === 'none' || !holds(state)) return refusal
      }
      const at = clock.now()
      const { id, kind } = caller.actor
      const by = { id, kind, permissions, now: at, commandId: envelope.commandId }
      const decide = await command.decide(input, by)
      const result = await transactor.run(stream, decide, { ...envelope, actor: caller.actor, at })
      // A refused command wrote nothing: its key is free for a better payload.
      if (isRefusal(result) && request.keyed)
        await cache.release(`command:${request.commandId}`, request.fingerprint ?? '')
      if (!isRefusal(result) || !command.explain) return result
      return await command.explain(result, input, async other => (await transactor.load(other)).revision)
    } finally {
      if (request.keyed) await cache.release(`running:${request.commandId}`, token)
    }
  }
}
