/** Takes what a reading of the client has, some at a time, and ends its call whatever happens. */
import type { Clock } from '../../../ports/clock.ts'
import { SilentError } from './silence.ts'

/** The client buffers 16 by default: a page then takes sixty turns. */
export const READABLE = { highWaterMark: 512 } as const

/** What a reading of the client is, as far as it is needed here. */
export type Pullable = {
  on(event: string, listener: (error: unknown) => void): unknown
  read(): unknown
  destroy(): unknown
  readonly readableLength: number
}

export type Pull = {
  /** What is there, at least one item; undefined at the end. `patienceMs` is how long the first may take to come. */
  next(patienceMs?: number, signal?: AbortSignal): Promise<unknown[] | undefined>
  /** Ends the call: the server and the client both hold it until then. */
  end(): Promise<void>
}

const MOST = 1_000

/** `cancel` ends the call at the server. An error of the stream is thrown by the next `next`. */
export const pull = (
  stream: Pullable,
  cancel: () => Promise<void>,
  clock: Pick<Clock, 'sleep' | 'monotonic'>,
): Pull => {
  let failure: { readonly error: unknown } | undefined
  let over = false
  let wake = (): void => undefined
  // An error without a listener would end the process; the listeners stay until the end of the stream.
  stream.on('error', error => {
    failure ??= { error }
    wake()
  })
  stream.on('readable', () => wake())
  stream.on('end', () => {
    over = true
    wake()
  })
  stream.on('close', () => {
    over = true
    wake()
  })

  const take = (): unknown[] => {
    const items: unknown[] = []
    while (items.length < MOST) {
      const item: unknown = stream.read()
      if (item === null) break
      items.push(item)
    }
    return items
  }

  /** One watch for the whole reading: a timer for each wait would cost more than the waiting. */
  let watched: AbortController | undefined
  let since = 0
  let late = false
  const watch = async (patienceMs: number): Promise<void> => {
    const mine = new AbortController()
    watched = mine
    // Nobody waits while what came is worked on: then no time passes.
    const waited = (): number => (Number.isFinite(since) ? clock.monotonic() - since : 0)
    for (let left = patienceMs; left > 0 && !mine.signal.aborted; left = patienceMs - waited())
      await clock.sleep(left, mine.signal)
    if (mine.signal.aborted) return
    late = true
    wake()
  }

  const woken = async (patienceMs: number | undefined, signal: AbortSignal | undefined): Promise<void> => {
    const aborted = (): void => wake()
    signal?.addEventListener('abort', aborted)
    since = patienceMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonic()
    if (patienceMs !== undefined && !watched) void watch(patienceMs)
    await new Promise<void>(resolve => {
      wake = resolve
    })
    wake = () => undefined
    since = Number.POSITIVE_INFINITY
    signal?.removeEventListener('abort', aborted)
    // What came with it in the same packet is taken with it.
    if (!failure && !over && !late) await new Promise<void>(resolve => setImmediate(resolve))
  }

  return {
    next: async (patienceMs, signal) => {
      for (;;) {
        if (signal?.aborted) return undefined
        const items = take()
        if (items.length > 0) return items
        if (failure) throw failure.error
        if (over) return undefined
        if (late) throw new SilentError(patienceMs ?? 0)
        await woken(patienceMs, signal)
      }
    },
    end: async () => {
      watched?.abort()
      // Not waited for: a call that still looks for its server ends when it has found one.
      void cancel().catch(() => undefined)
      stream.destroy()
    },
  }
}
