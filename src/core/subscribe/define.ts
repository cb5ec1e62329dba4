/** The declaration of a subscriber: events to effects, at least once, in order for each key. */
import type { Recorded } from '../../domain/event.ts'

export type Subscriber = {
  readonly name: string
  readonly categories: readonly string[]
  readonly types?: readonly string[]
  /** What is parked when an event fails: later events of the same key wait, all others go on. The stream by default. */
  readonly key?: (event: Recorded) => string
  /** Where a new subscriber begins: at the first event ever, or with what comes from now on. */
  readonly from?: 'start' | 'now'
  /**
   * Its effects are jobs, or leave the process: its checkpoint lies with the jobs, and neither is dropped or made again as read
   * models are.
   */
  readonly outward?: true
  /** How often a failing batch is tried before the events at fault are parked; 5 by default. */
  readonly attempts?: number
  /** Milliseconds for one call of `handle`, 60,000 by default: one that never ends would hold up all that comes after. */
  readonly timeoutMs?: number
  /**
   * Carries out the effects of these events, idempotent by event id: after a crash, a retry or a change of the node that
   * works, it is given events again. Resolves when they are done. `signal` aborts when nobody waits for it any more.
   */
  readonly handle: (events: readonly Recorded[], signal: AbortSignal) => Promise<void>
}

export const subscriber = (declaration: Subscriber): Subscriber => {
  if (!/^[a-z][a-z0-9-]*$/.test(declaration.name))
    throw new TypeError(`subscriber ${declaration.name}: a name is lower-case letters, digits, -`)
  return declaration
}

/** The name of its checkpoint, lease and parked keys. */
export const consumerOf = (declaration: Pick<Subscriber, 'name'>): string => `subscriber:${declaration.name}`
