/**
 * What is new in the log, read once for a whole process: one subscription, supervised, whose latest events are kept so that
 * every consumer at the head takes them from there. Who falls behind what is kept reads the log itself. All positions are
 * those of events of this project, which are never scavenged: resuming after one leaves nothing out.
 */
import type { Clock } from '../../../ports/clock.ts'
import type { LoggedEvent } from '../../../ports/event-store.ts'
import { type History, openHistory } from './history.ts'
import type { Following, Reader } from './reader.ts'
import { SilentError } from './silence.ts'

/** Latest events that are kept, and their characters. */
const KEPT_EVENTS = 8_192
const KEPT_CHARACTERS = 16_000_000
/** Events handed out at once. */
const PAGE = 1_000

const FIRST_PAUSE_MS = 100
/** With its jitter, how long after its return a server may be without its readers. */
const LONGEST_PAUSE_MS = 2_000
/** A subscription that lived this long was a sound one, though it brought nothing. */
const SOUND_MS = 10_000
/** How long the server may take to say that a subscription has begun. */
const BEGIN_MS = 5_000
/** A subscription that brings nothing for so long is compared with the head: nobody tells it that its server is a leader no more. */
const QUIET_MS = 10_000
/** How long what is new may take to come. */
const LATE_MS = 3_000

export type Tail = {
  /** Begins, if it has not begun: events from what is the head now on will be kept. */
  start(): Promise<void>
  /** The events after a position, some of them; undefined when they are not kept any more, or not yet. @throws {EventStoreError} */
  after(position: bigint): readonly LoggedEvent[] | undefined
  /** Resolves when there is something new, or when the signal aborts. */
  news(signal?: AbortSignal): Promise<void>
  wake(): void
  /** How often the subscription was taken up again. */
  restarts(): number
  close(): Promise<void>
}

export type TailOptions = {
  readonly reader: Reader
  readonly clock: Clock
  /** A number in [0, 1): nodes that lost the same server come back at different times. */
  readonly random: () => number
  /** What the process knows of the log; by default this subscription is all that does. */
  readonly history?: History
}

export const openTail = (options: TailOptions): Tail => {
  const { reader, clock, random, history = openHistory(reader, clock) } = options
  const ending = new AbortController()
  let kept: LoggedEvent[] = []
  let characters = 0
  /** Everything of the log after it is kept. */
  let floor: bigint | undefined
  let position = 0n
  /** The subscription has brought something. */
  let brought = false
  let taken = 0
  let waiting = new Set<() => void>()
  let running: Promise<void> | undefined
  let starting: Promise<void> | undefined

  const wake = (): void => {
    const woken = waiting
    waiting = new Set()
    for (const resolve of woken) resolve()
  }

  const drop = (): void => {
    let from = 0
    while (kept.length - from > KEPT_EVENTS || characters > KEPT_CHARACTERS) {
      const gone = kept[from]
      if (!gone) break
      characters -= gone.data.length + gone.meta.length
      floor = gone.position
      from += 1
    }
    // In larger steps: taking from the front of an array moves what is behind it.
    if (from > 0) kept = kept.slice(from)
  }

  const keep = (events: readonly LoggedEvent[]): void => {
    brought = true
    for (const event of events) {
      kept.push(event)
      characters += event.data.length + event.meta.length
      position = event.position
      history.saw(position, event.id)
    }
    reader.heard(position)
    if (kept.length > KEPT_EVENTS + PAGE || characters > KEPT_CHARACTERS) drop()
    wake()
  }

  /** Looks whether a quiet subscription is one that has nothing to bring. @throws when it is not. */
  const watch = async (signal: AbortSignal): Promise<void> => {
    for (let before = position; ; before = position) {
      await clock.sleep(QUIET_MS, signal)
      if (signal.aborted) return
      if (position !== before) continue
      if ((await reader.head()) <= position) continue
      await clock.sleep(LATE_MS, signal)
      if (position === before) throw new SilentError(QUIET_MS)
    }
  }

  const read = async (following: Following, signal: AbortSignal): Promise<void> => {
    for (let patience: number | undefined = BEGIN_MS; ; patience = undefined) {
      const items = await following.next(patience, signal)
      if (!items) return
      const events = items.flatMap(item => (item === 'caught-up' || 'reached' in item ? [] : item))
      if (events.length > 0) keep(events)
    }
  }

  const follow = async (): Promise<void> => {
    if (taken > 0) await history.look()
    const following = await reader.follow(position, undefined)
    const over = new AbortController()
    const signal = AbortSignal.any([ending.signal, over.signal])
    try {
      await Promise.race([read(following, signal), watch(signal)])
    } finally {
      over.abort()
      await following.end()
    }
  }

  const supervise = async (): Promise<void> => {
    let pause = FIRST_PAUSE_MS
    while (!ending.signal.aborted) {
      const began = clock.monotonic()
      brought = false
      // Dropped, ended, or away: it goes on after the last event, whatever the reason was.
      await follow().catch(() => undefined)
      if (ending.signal.aborted) return
      if (history.lost) return wake()
      taken += 1
      if (brought || clock.monotonic() - began > SOUND_MS) pause = FIRST_PAUSE_MS
      await clock.sleep(pause * (0.5 + random()), ending.signal)
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    }
  }

  const start = async (): Promise<void> => {
    if (running || ending.signal.aborted) return
    const head = await reader.head()
    position = head
    floor = head
    history.saw(head, undefined)
    running = supervise()
  }

  /** The first one after the position, by halves. */
  const indexAfter = (place: bigint): number => {
    let [low, high] = [0, kept.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((kept[middle]?.position ?? 0n) > place) high = middle
      else low = middle + 1
    }
    return low
  }

  return {
    start: () => {
      starting ??= start().finally(() => {
        starting = undefined
      })
      return starting
    },
    after: place => {
      if (history.lost) throw history.lost
      if (floor === undefined || place < floor) return undefined
      const from = indexAfter(place)
      return kept.slice(from, from + PAGE)
    },
    news: signal =>
      new Promise(resolve => {
        if (signal?.aborted || ending.signal.aborted || history.lost) return resolve()
        const done = (): void => {
          waiting.delete(done)
          signal?.removeEventListener('abort', done)
          resolve()
        }
        signal?.addEventListener('abort', done)
        waiting.add(done)
      }),
    wake,
    restarts: () => taken,
    close: async () => {
      ending.abort()
      wake()
      await starting?.catch(() => undefined)
      await running
    },
  }
}

/** A pause before another try, doubling from 100 ms to 2 s with jitter; `reset` after a success. */
export const backoff = (clock: Pick<Clock, 'sleep'>, random: () => number) => {
  let pause = FIRST_PAUSE_MS
  return {
    wait: async (signal?: AbortSignal): Promise<void> => {
      await clock.sleep(pause * (0.5 + random()), signal)
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    },
    reset: (): void => {
      pause = FIRST_PAUSE_MS
    },
  }
}
