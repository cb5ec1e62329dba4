/**
 * When somebody who wants in is told no: on a beat that began with the request, whatever was looked up in between. What a sign-in
 * reads of an account, and the key that it opens a password with, are there for known addresses alone and take a time of their
 * own; what leaves at a moment that was fixed before tells nothing of it (decision 95).
 */
import type { Clock } from '../ports/clock.ts'

/** Some times what a hash and all that is read beside it take, so that nearly every answer leaves on the first beat. */
export const BEAT_MS = 100

/** Does the work. Where it ends in what `isYes` says is none, or throws, it is heard of on the next beat. @throws what the work does. */
export type OnBeat = <T>(work: () => Promise<T>, isYes: (answer: T) => boolean) => Promise<T>

/** `ms` of 0: at once. */
export const openBeat =
  ({ sleep }: Pick<Clock, 'sleep'>, ms: number): OnBeat =>
  async (work, isYes) => {
    if (ms === 0) return work()
    const yes = new AbortController()
    let ended = false
    const beats = async (): Promise<void> => {
      do await sleep(ms, yes.signal)
      while (!ended)
    }
    // Counted from here: nothing that the work does moves a beat.
    const beat = beats()
    const answer = work()
    try {
      // Who is let in waits for nothing.
      if (await answer.then(isYes, () => false)) yes.abort()
    } finally {
      ended = true
    }
    await beat
    return answer
  }
