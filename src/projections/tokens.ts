/**
 * The tokens as the log has them, in this node's memory: who may still act is decided by it, not by a read model. It says
 * when it last heard from the log, so that a node that is cut off stops letting people in.
 */

import { openWaiting } from '../core/consume/reached.ts'
import { type Log, UndecodableEventError } from '../core/log/log.ts'
import {
  evolveToken,
  type Token,
  type TokenEvent,
  type TokenState,
  tokenCategory,
  tokenEvents,
} from '../domain/access/token.ts'
import type { Recorded } from '../domain/event.ts'
import { categoryOf } from '../domain/ids.ts'
import type { Clock } from '../ports/clock.ts'
import { type Identities, identityCategories } from './identities.ts'
import { type People, peopleCategories } from './people.ts'

export type TokenFollower = {
  /** Undefined for a token that was never issued, or expired more than a day ago. */
  state(id: string): TokenState
  /** Tokens that have not been forgotten, newest first. */
  list(): readonly Token[]
  /** Monotonic time (ms) at which everything in the log was known here; -Infinity before the first time. */
  heardAt(): number
  /** Position up to which the log is known here. */
  position(): bigint
  /** True once the log is known up to `position`; false when `timeoutMs` have passed before. */
  reached(position: bigint, timeoutMs: number): Promise<boolean>
  /** Why it stopped, when it met an event that this build cannot read: it hears nothing from then on. */
  stopped(): UndecodableEventError | undefined
  /** Resolves once it has ended, after the signal. */
  readonly done: Promise<void>
}

/** The log's head is asked for so often: how the follower hears when nothing happens. */
const PULSE_MS = 1000
const RETRY_MS = 500
/** Expired tokens are listed for a day more, then forgotten. */
const FORGET_AFTER_MS = 24 * 60 * 60 * 1000
const SWEEP_ABOVE = 1000

const types: ReadonlySet<string> = new Set(tokenEvents.map(each => each.type))
const isTokenEvent = (event: Recorded): event is Recorded<TokenEvent> => types.has(event.type)

export const followTokens = (options: {
  readonly log: Pick<Log, 'subscribe' | 'head'>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Accounts, their sessions and names, heard in the same order, so that one clock says how old all of it is. */
  readonly identities?: Identities
  readonly people?: Pick<People, 'apply'>
  /** Told of what somebody says of themselves that this build cannot read: nobody's rights depend on it, and it is passed over. */
  readonly onPassed?: (error: UndecodableEventError) => void
}): TokenFollower => {
  const { log, clock, signal, identities, people } = options
  const categories = [tokenCategory, ...(identities ? identityCategories : []), ...(people ? peopleCategories : [])]
  const tokens = new Map<string, Token>()
  let position = 0n
  let heardAt = Number.NEGATIVE_INFINITY
  let sweepAt = SWEEP_ABOVE
  let stopped: UndecodableEventError | undefined
  /** Heads seen and when: reached in the same order. */
  let pulses: { readonly head: bigint; readonly at: number }[] = []
  const waiting = openWaiting({ position: () => position, clock, signal })

  const sweep = (): void => {
    const now = clock.now().getTime()
    for (const [id, token] of tokens) if (Date.parse(token.expiresAt) + FORGET_AFTER_MS < now) tokens.delete(id)
    sweepAt = Math.max(SWEEP_ABOVE, 2 * tokens.size)
  }

  const apply = (event: Recorded): void => {
    if (!isTokenEvent(event)) {
      identities?.apply(event)
      people?.apply(event)
      return
    }
    const id = event.stream.slice(tokenCategory.length + 1)
    const token = evolveToken(tokens.get(id), event)
    if (token) tokens.set(id, token)
    if (tokens.size > sweepAt) sweep()
  }

  const advance = (): void => {
    for (const { head, at } of pulses) if (head <= position) heardAt = Math.max(heardAt, at)
    pulses = pulses.filter(({ head }) => head > position)
    waiting.wake()
  }

  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        for await (const batch of log.subscribe(position, { categories }, signal)) {
          for (const event of batch.events) apply(event)
          if (batch.position > position) position = batch.position
          advance()
        }
      } catch (error) {
        if (error instanceof UndecodableEventError) {
          if (!peopleCategories.includes(categoryOf(error.event.stream))) {
            stopped = error
            return
          }
          if (error.event.position > position) position = error.event.position
          options.onPassed?.(error)
          advance()
          continue
        }
        // The store or the keys are away: heardAt grows old until they are back.
      }
      await clock.sleep(RETRY_MS, signal)
    }
  }

  const pulse = async (): Promise<void> => {
    while (!signal.aborted && !stopped) {
      const at = clock.monotonic()
      try {
        const head = await log.head()
        // A follower that lags this much has not heard; older pulses are the first it reaches.
        if (pulses.length < 60) pulses.push({ head, at })
        advance()
      } catch {
        // Not heard.
      }
      await clock.sleep(PULSE_MS, signal)
    }
  }

  const done = Promise.all([follow(), pulse()]).then(() => undefined)
  return {
    state: id => tokens.get(id),
    list: () => [...tokens.values()].sort((a, b) => b.issuedAt.localeCompare(a.issuedAt) || a.id.localeCompare(b.id)),
    heardAt: () => heardAt,
    position: () => position,
    reached: waiting.reached,
    stopped: () => stopped,
    done,
  }
}
