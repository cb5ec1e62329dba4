/** Progress of a long work: a bar on a terminal, a line now and then elsewhere, JSON lines with `--json`. */
import type { Progress } from './app-port.ts'
import { count, type Terminal } from './terminal.ts'

const LINE_MS = 5000
const JSON_MS = 1000
const BAR_MS = 100

const seconds = (s: number): string =>
  s < 90 ? `${Math.ceil(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`

const amount = (n: number, unit: Progress['unit']): string =>
  unit === 'bytes' ? `${(n / 1e6).toFixed(1)} MB` : `${count(n)}`

/** What is done, how fast, and how long it still takes. */
export type Measured = Progress & { readonly rate: number; readonly secondsLeft: number | undefined }

/** At the first look there is none yet, and what is done at once never has one. */
const rateOf = ({ rate, unit }: Measured): string =>
  rate === 0 ? '' : unit === 'bytes' ? `, ${(rate / 1e6).toFixed(1)} MB/s` : `, ${count(rate)} ${unit}/s`

/** Where there is a rate, that names the unit. */
const amountOf = ({ done, total, unit, rate }: Measured): string => {
  const of = total > 0 ? ` of ${amount(total, unit)}` : ''
  return `${amount(done, unit)}${of}${rate === 0 && unit !== 'bytes' ? ` ${unit}` : ''}`
}

const left = ({ secondsLeft }: Measured): string => (secondsLeft === undefined ? '' : `, ${seconds(secondsLeft)} left`)

const percent = ({ done, total }: Measured): string => `${Math.min(100, Math.floor((done / total) * 100))}%`

/** `import: 12,000 of 147,306 (8%), 4,000 entries/s, 34 s left` */
const line = (at: Measured): string => {
  const { step, total } = at
  const known = total > 0 ? ` (${percent(at)})` : ''
  return `${step}: ${amountOf(at)}${known}${rateOf(at)}${left(at)}`
}

/** A bar is drawn between so many columns and so many. */
const LEAST_BAR = 6
const MOST_BAR = 40

const barOf = ({ done, total }: Measured, width: number): string => {
  const full = Math.min(width, Math.round((done / total) * width))
  return `[${'='.repeat(full)}${' '.repeat(width - full)}]`
}

/** The same as one line of a terminal: what matters least goes first where it is narrow; rate and time left stay. */
export const barLine = (at: Measured, columns: number): string => {
  const { step, total, unit, rate } = at
  if (total <= 0) return line(at)
  const each = unit === 'bytes' ? `${(rate / 1e6).toFixed(1)} MB/s` : `${count(rate)}/s`
  const short = `${rate === 0 ? '' : ` ${each}`}${left(at)}`
  const [word = step] = step.split(' ')
  const forms = [
    [step, `${percent(at)} ${amountOf(at)}${rateOf(at)}${left(at)}`],
    [step, `${percent(at)}${rateOf(at)}${left(at)}`],
    [step, `${percent(at)}${short}`],
    [word, `${percent(at)}${short}`],
  ] as const
  for (const [head, tail] of forms) {
    const room = columns - head.length - tail.length - ' [] '.length
    if (room >= LEAST_BAR) return `${head} ${barOf(at, Math.min(room, MOST_BAR))} ${tail}`
  }
  return `${percent(at)}${short}`
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
  const { screen } = terminal
  const isBar = terminal.interactive && !terminal.json
  const every = terminal.json ? JSON_MS : isBar ? BAR_MS : LINE_MS
  let begun = { step: '', at: 0, done: 0 }
  let shownAt = Number.NEGATIVE_INFINITY
  let unshown: Measured | undefined

  const draw = (at: Measured): void => {
    if (terminal.json) terminal.note(JSON.stringify({ progress: at }))
    else if (isBar) screen.status(columns => barLine(at, columns))
    else terminal.note(line(at))
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
    say: text => terminal.note(text),
    end: () => {
      if (isBar) screen.status(undefined)
      else if (unshown) draw(unshown)
      unshown = undefined
    },
  }
}
