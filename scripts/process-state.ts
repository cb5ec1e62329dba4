/**
 * What a test file may change of its process, as far as other files that run there would see it: one that leaves any of it
 * changed makes the next one's outcome hang on the order of files.
 */
export type ProcessState = ReadonlyMap<string, unknown>

/** Those that Node began with: its own `fetch` puts what it keeps there when it is first used. */
const GLOBALS = Reflect.ownKeys(globalThis)
/** Who listens to these keeps others' failures from being seen. */
const FAILURES = ['uncaughtException', 'unhandledRejection'] as const

/** All of it as it is now, by name. */
export const processState = (): ProcessState =>
  new Map<string, unknown>([
    ...Object.entries(process.env).map(([name, value]) => [`process.env.${name}`, value] as const),
    ...GLOBALS.map(
      key => [`globalThis.${String(key)}`, Object.getOwnPropertyDescriptor(globalThis, key)?.value] as const,
    ),
    ...Reflect.ownKeys(Object.prototype).map(key => [`Object.prototype.${String(key)}`, true] as const),
    ...FAILURES.map(name => [`who listens to ${name}`, process.listenerCount(name)] as const),
    ['the working directory', process.cwd()],
    ['the exit code', process.exitCode],
    ['the umask', process.umask()],
  ])

/** The names of what differs. */
export const changesOf = (before: ProcessState, after: ProcessState): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(name => !Object.is(before.get(name), after.get(name)))
