/**
 * How far each consumer is, and waiting for it: consumers of this process say so themselves; for those of other nodes the
 * stored checkpoint is read every 20 ms, once for all who wait, while someone waits.
 */
import type { Clock } from '../../ports/clock.ts'
import type { ReadStore } from '../../ports/read-store.ts'
import { ProjectionError } from './errors.ts'

/** Milliseconds that a query waits by default. */
export const PATIENCE_MS = 2_000
const POLL_MS = 20

export type Freshness = {
  /** The position that reads of the consumer's collection reflect at least, as far as this process knows. */
  position(consumer: string): bigint
  /** Said by the consumer itself once its batch is stored. */
  reached(consumer: string, position: bigint): void
  /** Reads the stored checkpoint. */
  refresh(consumer: string): Promise<bigint>
  /** @throws {ProjectionError} projection-behind after `timeoutMs`. */
  waitFor(consumer: string, position: bigint, timeoutMs?: number): Promise<void>
  /** Forgets a consumer whose collection is gone. */
  forget(consumer: string): void
}

type Known = { position: bigint; polledAt: number; readonly waiting: Set<() => void> }

export const openFreshness = (options: {
  readonly store: Pick<ReadStore, 'checkpoint'>
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
}): Freshness => {
  const { store, clock } = options
  const consumers = new Map<string, Known>()
  const knownOf = (consumer: string): Known => {
    const known = consumers.get(consumer) ?? {
      position: 0n,
      polledAt: Number.NEGATIVE_INFINITY,
      waiting: new Set<() => void>(),
    }
    consumers.set(consumer, known)
    return known
  }
  const reached: Freshness['reached'] = (consumer, position) => {
    const known = knownOf(consumer)
    if (position <= known.position) return
    known.position = position
    for (const wake of known.waiting) wake()
  }
  const refresh: Freshness['refresh'] = async consumer => {
    knownOf(consumer).polledAt = clock.monotonic()
    reached(consumer, (await store.checkpoint(consumer))?.position ?? 0n)
    return knownOf(consumer).position
  }
  return {
    position: consumer => consumers.get(consumer)?.position ?? 0n,
    reached,
    refresh,
    waitFor: async (consumer, position, timeoutMs = PATIENCE_MS) => {
      const known = knownOf(consumer)
      const end = clock.monotonic() + timeoutMs
      while (known.position < position) {
        if (clock.monotonic() - known.polledAt >= POLL_MS) await refresh(consumer)
        if (known.position >= position) return
        const left = end - clock.monotonic()
        if (left <= 0)
          throw new ProjectionError(
            'projection-behind',
            `${consumer} has not reached the position that was asked for within ${timeoutMs} ms`,
          )
        const woken = new AbortController()
        const wake = (): void => woken.abort()
        known.waiting.add(wake)
        await clock.sleep(Math.min(POLL_MS, left), woken.signal)
        known.waiting.delete(wake)
      }
    },
    forget: consumer => {
      const known = consumers.get(consumer)
      if (known?.waiting.size === 0) consumers.delete(consumer)
    },
  }
}
