/** Progress of a long work: a bar on a terminal, a line now and then elsewhere, JSON lines with `--json`. */
import progress from 'cli-progress'
import type { Progress } from './app-port.ts'
import { count, type Terminal } from './terminal.ts'

const LINE_MS = 5000
const JSON_MS = 1000
const BAR_MS = 100

const seconds = (s: number): string =>
  s < 90 ? `${Math.ceil(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`

const amount = (n: number, unit: Progress['unit']): string =>
  unit === 'bytes' ? `${(n / 1e6).toFixed(1)} MB` : `${count(n)}`

type Measured = Progress & { readonly rate: number; readonly secondsLeft: number | undefined }

/** At the first look there is none yet, and what is done at once never has one. */
const rateOf = ({ rate, unit }: Measured): string =>
  rate === 0
    ? unit === 'bytes'
      ? ''
      : ` ${unit}`
    : unit === 'bytes'
      ? `, ${(rate / 1e6).toFixed(1)} MB/s`
      : `, ${count(rate)} ${unit}/s`

const left = ({ secondsLeft }: Measured): string => (secondsLeft === undefined ? '' : `, ${seconds(secondsLeft)} left`)

/** `import: 12,000 of 147,306 (8%), 4,000 entries/s, 34 s left` */
const line = (at: Measured): string => {
  const { step, done, total, unit } = at
  const known = total > 0 ? ` of ${amount(total, unit)} (${Math.floor((done / total) * 100)}%)` : ''
  return `${step}: ${amount(done, unit)}${known}${rateOf(at)}${left(at)}`
}

export type ProgressView = {
  show(progress: Progress): void
  /** A line for the person who watches, above the bar. */
  say(line: string): void
  /** Takes the bar off, or writes the last line; repeating it is harmless. */
  end(): void
}

/** `now` is a monotonic clock in milliseconds. */
export const openProgress = (terminal: Terminal, now: () => number): ProgressView => {
  const bar =
    terminal.interactive && !terminal.json
      ? new progress.SingleBar({
          stream: terminal.stream,
          format: '{step} [{bar}] {percentage}%  {text}',
          barCompleteChar: '=',
          barIncompleteChar: ' ',
          hideCursor: true,
          clearOnComplete: true,
          stopOnComplete: false,
          etaBuffer: 2,
        })
      : undefined
  const every = terminal.json ? JSON_MS : bar ? BAR_MS : LINE_MS
  let begun = { step: '', at: 0, done: 0 }
  let shownAt = Number.NEGATIVE_INFINITY
  let unshown: Measured | undefined

  const draw = (at: Measured): void => {
    if (terminal.json) terminal.note(JSON.stringify({ progress: at }))
    else if (!bar) terminal.note(line(at))
    else {
      const shown = { step: at.step, text: `${amount(at.done, at.unit)}${rateOf(at)}${left(at)}` }
      if (!bar.isActive) bar.start(Math.max(at.total, 1), at.done, shown)
      bar.setTotal(Math.max(at.total, at.done, 1))
      bar.update(at.done, shown)
    }
    unshown = undefined
  }
  const measure = (given: Progress): Measured => {
    const elapsed = (now() - begun.at) / 1000
    const rate = elapsed > 0 ? (given.done - begun.done) / elapsed : 0
    const secondsLeft = rate > 0 && given.total > 0 ? Math.max(0, given.total - given.done) / rate : undefined
    return { ...given, rate: Math.round(rate), secondsLeft: secondsLeft && Math.round(secondsLeft) }
  }
  return {
    show: given => {
      // Each step has its own rate; a work that resumes counts from where it took up.
      if (given.step !== begun.step) {
        if (unshown) draw(unshown)
        begun = { step: given.step, at: now(), done: given.done }
        shownAt = now()
        unshown = measure(given)
        return
      }
      unshown = measure(given)
      if (now() - shownAt < every) return
      shownAt = now()
      draw(unshown)
    },
    say: text => {
      // Back to the first column and erase the line: the bar draws itself again below.
      if (bar?.isActive) terminal.stream.write('\r\u001b[K')
      terminal.note(text)
    },
    end: () => {
      if (unshown) draw(unshown)
      bar?.stop()
    },
  }
}
