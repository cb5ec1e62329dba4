/**
 * A terminal with a line at its end that stays there: what is printed comes above it. One owner of standard error draws both,
 * since two that write to one terminal without knowing of each other leave halves of lines behind.
 */

/** What a terminal is to a program; `columns` is 0 or absent where it does not say. */
export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

export type Screen = {
  /** Whole lines, each with its end, above the status line. */
  print(text: string): void
  /** Draws the status line for a width in columns, and again when that changes; undefined takes it off. */
  status(draw: ((columns: number) => string) | undefined): void
  /** Takes the status line off while something else writes to the terminal. */
  around(write: () => void): void
}

/** What a terminal is taken for that does not say how wide it is (VT100). */
const COLUMNS = 80

/** For standard error, where it is a terminal. */
export const openScreen = (stream: TerminalStream): Screen => {
  let draw: ((columns: number) => string) | undefined
  let isDrawn = false
  const columns = (): number => stream.columns || COLUMNS

  /** From the cursor to the end of the screen (ECMA-48, ED). */
  const erasing = (): string => (isDrawn ? '\r\u001b[J' : '')
  const drawing = (): string => {
    // One column is left free: some terminals begin a new line with the last one.
    const line = draw?.(columns() - 1).slice(0, columns() - 1) ?? ''
    isDrawn = line !== ''
    // The cursor waits at its start: where a terminal that is made narrower breaks the line, all of it still comes after.
    return isDrawn ? `${line}\r` : ''
  }
  /** In one write, so that nothing comes between. */
  const change = (text: string): void => {
    const all = erasing() + text + drawing()
    if (all !== '') stream.write(all)
  }
  const resized = (): void => change('')
  return {
    print: change,
    status: next => {
      if (!draw && next) stream.on('resize', resized)
      if (draw && !next) stream.removeListener('resize', resized)
      draw = next
      change('')
    },
    around: write => {
      const before = erasing()
      if (before !== '') stream.write(before)
      isDrawn = false
      write()
      change('')
    },
  }
}
