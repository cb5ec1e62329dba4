/** A terminal without a window: what a person would see of what a program writes. */
import { Writable } from 'node:stream'
import xterm from '@xterm/headless'

export type Emulator = {
  write(bytes: string): Promise<void>
  resize(columns: number): void
  /** The lines of all that was written, without what is empty at the end; a line that is broken into several is one. */
  lines(): Promise<readonly string[]>
}

/** `convertEol`: for what no pseudo-terminal has been through. */
export const openEmulator = (columns: number, { convertEol = false } = {}): Emulator => {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows: 24,
    scrollback: 10_000,
    allowProposedApi: true,
    convertEol,
  })
  const write = (bytes: string): Promise<void> => new Promise(resolve => terminal.write(bytes, resolve))
  return {
    write,
    resize: to => terminal.resize(to, 24),
    lines: async () => {
      await write('')
      const { active } = terminal.buffer
      const lines: string[] = []
      for (let at = 0; at < active.length; at += 1) {
        const line = active.getLine(at)
        const text = line?.translateToString(true) ?? ''
        if (line?.isWrapped && lines.length > 0) lines.push(`${lines.pop()}${text}`)
        else lines.push(text)
      }
      while (lines.at(-1) === '') lines.pop()
      return lines
    },
  }
}

/** Standard error of a program on such a terminal. */
export const openTerminalStream = (columns: number) => {
  const emulator = openEmulator(columns, { convertEol: true })
  const stream = Object.assign(
    new Writable({
      write: (chunk, _, done) => {
        void emulator.write(String(chunk)).then(() => done())
      },
    }),
    { isTTY: true, columns },
  )
  return {
    stream,
    lines: emulator.lines,
    resize: (to: number) => {
      emulator.resize(to)
      stream.columns = to
      stream.emit('resize')
    },
  }
}
