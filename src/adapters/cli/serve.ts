/** `lexichron serve`: the service, until it is told to stop. */
import type { App, ImportReport } from './app-port.ts'
import { type CliCommand, type CliContext, exitCodes } from './command.ts'
import { failureOf, isRefusedByEngine, report } from './failures.ts'
import { count } from './terminal.ts'

const tries = (url: string): readonly string[] => [
  `curl '${url}/v1/search?q=knowlege'`,
  `curl '${url}/v1/suggest?q=know&language=en'`,
  `curl '${url}/v1/word-of-the-day?language=en'`,
]

const filled = async (
  { terminal }: CliContext,
  { source, written, unchanged }: ImportReport,
  url: string,
): Promise<void> => {
  if (terminal.json) return terminal.result(JSON.stringify({ filled: { source, written, unchanged } }))
  // What an earlier filling wrote before it was cut off is there as well.
  await terminal.result(`Filled with ${source}: ${count(written + unchanged)} entries. Try:`)
  for (const each of tries(url)) await terminal.result(`  ${each}`)
}

/** The service answers while the log is being filled, and goes on when that fails: the next start takes it up again. */
const fill = async (app: App, url: string, context: CliContext): Promise<void> => {
  const { terminal, signal } = context
  try {
    const done = await context.watched(view => app.fillSample({ onProgress: view.show, signal }))
    if (done?.complete) await filled(context, done, url)
  } catch (error) {
    if (signal.aborted) return
    report(terminal, failureOf(error))
    terminal.note('lexichron: the sample is not complete; the next start goes on with it.')
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })

const RETRY_MS = 1_000
/** What the filling is at when the service is told to stop may take so long to be finished. */
const FINISH_MS = 1_000
/** Keeps no process alive. */
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms).unref())

/** The program on its engines; with `wait` however long they take to be there. Undefined when it was told to stop meanwhile. */
const opened = async (context: CliContext, wait: boolean): Promise<App | undefined> => {
  let said = ''
  for (;;) {
    try {
      return await context.open('serve')
    } catch (error) {
      const isAway =
        error instanceof Error && 'code' in error && error.code === 'unavailable' && !isRefusedByEngine(error)
      if (!wait || !isAway) throw error
      if (error.message !== said) context.terminal.note(`lexichron: waits: ${error.message}`)
      said = error.message
    }
    await Promise.race([aborted(context.signal), new Promise(resolve => setTimeout(resolve, RETRY_MS))])
    if (context.signal.aborted) return undefined
  }
}

export const serve: CliCommand = {
  name: 'serve',
  usage: '',
  summary: 'start the service; a new log is filled with the sample that LEXICHRON_SAMPLE names',
  details: [
    'Prints the address it listens on, then serves until SIGTERM or SIGINT; it then finishes what it has begun and',
    'closes within 10 seconds. A second signal ends it at once; nothing that was answered is lost either way.',
  ],
  options: { wait: { type: 'boolean' } },
  about: { wait: 'waits for engines that do not answer yet, in place of giving up' },
  positionals: [0, 0],
  run: async (input, context) => {
    const { terminal, signal } = context
    // On a busy machine it takes some seconds, in which a person would wonder.
    if (terminal.interactive && !terminal.json) terminal.note('Lexichron starts.')
    const app = await opened(context, input.flag('wait'))
    if (!app) return exitCodes.done
    const url = await app.listen()
    await terminal.result(terminal.json ? JSON.stringify({ listening: url }) : `Lexichron listens on ${url}`)
    // A file that another program holds keeps the filling from ending: it then ends with the engines.
    await Promise.race([fill(app, url, context), aborted(signal).then(() => pause(FINISH_MS))])
    await aborted(signal)
    return exitCodes.done
  },
}
