/** The service in this process, composed as it is in earnest, for tests of its interface. */
import type { App, Between } from '../../src/adapters/cli/app-port.ts'
import type { Area } from '../../src/app/area.ts'
import { openApp } from '../../src/app/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { defined } from '../../src/domain/defined.ts'
import type { Role } from '../../src/domain/roles.ts'
import { type FakeClock, fakeClock } from './clocks.ts'
import { delays } from './delays.ts'
import { environmentFor, type Teardown, temporaryFolder } from './service.ts'
import { type Saw, until } from './until.ts'

export type TestApp = {
  readonly url: string
  /** Stands still until a test moves it, so that nothing is too late for a busy machine; the end of the app moves it. */
  readonly clock: FakeClock
  /** Lets so many milliseconds pass at once, and waits until the node has heard of the log since: one that is deaf admits nobody. */
  pass(ms: number): Promise<void>
  /** What the command line has of it. */
  readonly program: App
  /** An access token of the role; another name is another person. */
  token(role: Role, name?: string): Promise<string>
  /** An account of the role, made as an operator makes it: its first password. */
  account(role: Role, email: string): Promise<{ readonly accountId: string; readonly password?: string }>
  close(): Promise<void>
}

/** Servers by the folder that is theirs: one that is opened again has the log that it had. */
const servers = new Map<string, Promise<{ url(): string; close(): Promise<void> }>>()

/** The same tests on another engine: what is asked of the service is to be answered alike. */
const engineOf = async (t: Teardown, folder: string): Promise<Readonly<Record<string, string>>> => {
  if (process.env['TEST_EVENT_STORE'] !== 'eventstoredb') return {}
  const known = servers.get(folder)
  const opening = known ?? import('./esdb/server.ts').then(({ openEventStoreDouble }) => openEventStoreDouble())
  servers.set(folder, opening)
  const server = await opening
  if (!known) t.teardown(() => server.close())
  return { LEXICHRON_EVENT_STORE: server.url(), LEXICHRON_KEYS_SHARED: 'true' }
}

export type TestAppOptions = {
  /** The data folder and the clock, for apps that share them. */
  readonly folder?: string
  readonly clock?: FakeClock
  /** Those of the service, and more. */
  readonly areas?: readonly Area[]
  /** Stands between the app and its event store, in the place of delays. */
  readonly between?: Between
}

/** Moves the time of an app, half a second at a time, until there is an answer. */
export const inTime = <T>(
  { clock }: Pick<TestApp, 'clock'>,
  what: string,
  ask: (saw: Saw) => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> =>
  until(what, async saw => {
    await clock.advance(500)
    return ask(saw)
  })

/** Moves the time of an app, by a step at a time, until the work has ended, and ends as it does. */
export const whileTimeGoes = async <T>(
  { clock }: Pick<TestApp, 'clock'>,
  what: string,
  work: Promise<T>,
  stepMs = 500,
): Promise<T> => {
  let ended = false
  const ending = work.finally(() => {
    ended = true
  })
  // It is heard of at the end alone.
  ending.catch(() => undefined)
  await until(what, async () => {
    await clock.advance(stepMs)
    return ended
  })
  return ending
}

const HOUR_MS = 60 * 60 * 1000

/** Others' variables do no harm: one that a test misnames would not be in force, and nobody would notice. */
type Settings = Readonly<Record<`LEXICHRON_${string}`, string>>

/** On a temporary folder and a free port, with limits that no test reaches. `env` overrides settings. */
export const openTestApp = async (
  t: Teardown,
  env: Settings = {},
  { folder = temporaryFolder(t), clock = fakeClock(), areas, between = delays.between }: TestAppOptions = {},
): Promise<TestApp> => {
  const config = loadConfig(environmentFor(folder, { ...(await engineOf(t, folder)), ...env }), folder)
  const options = { purpose: 'serve', version: '0.0.0', clock, beatMs: 0, ...defined({ between }) } as const
  const program = await openApp(config, options, areas)
  const close = () => whileTimeGoes({ clock }, 'the end of the app', program.close(), 20)
  t.teardown(close)
  const url = await program.listen()
  const token = async (role: Role, name: string = role): Promise<string> => {
    const issued = await program.tokens.create({ role, for: name, lifeMs: HOUR_MS })
    if ('refused' in issued) throw new Error(issued.detail)
    return issued.token
  }
  const account = async (role: Role, email: string) => {
    const made = await program.accounts.create({ role, email })
    if ('refused' in made) throw new Error(made.detail)
    return made
  }
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms)
    await until('news of the log', async saw => {
      const { status } = await fetch(`${url}/v1/me`, { headers: { authorization: 'Bearer nobody' } })
      saw(status)
      return status !== 503
    })
  }
  return { url, clock, pass, program, token, account, close }
}
