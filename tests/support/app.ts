/** The service in this process, composed as it is in earnest, for tests of its interface. */
import type { App } from '../../src/adapters/cli/app-port.ts'
import { openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain/roles.ts'
import { type FakeClock, fakeClock } from './clocks.ts'
import { environmentFor, type Teardown, temporaryFolder } from './service.ts'
import { until } from './until.ts'

export type TestApp = {
  readonly url: string
  /** Stands still until a test moves it, so that nothing is too late for a busy machine; the end of the app moves it. */
  readonly clock: FakeClock
  /** What the command line has of it. */
  readonly program: App
  /** An access token of the role; another name is another person. */
  token(role: Role, name?: string): Promise<string>
  /** An account of the role, made as an operator makes it: its first password. */
  account(role: Role, email: string): Promise<{ readonly accountId: string; readonly password?: string }>
  close(): Promise<void>
}

export type TestAppOptions = {
  /** The data folder and the clock, for apps that share them. */
  readonly folder?: string
  readonly clock?: FakeClock
}

const HOUR_MS = 60 * 60 * 1000

/** On a temporary folder and a free port, with limits that no test reaches. `env` overrides settings. */
export const openTestApp = async (
  t: Teardown,
  env: Readonly<Record<string, string>> = {},
  { folder = temporaryFolder(t), clock = fakeClock() }: TestAppOptions = {},
): Promise<TestApp> => {
  const config = loadConfig(environmentFor(folder, env), folder)
  const program = await openApp(config, { purpose: 'serve', version: '0.0.0', clock })
  const close = async (): Promise<void> => {
    let closed = false
    const closing = program.close().finally(() => {
      closed = true
    })
    await until('the end of the app', async () => {
      await clock.advance(20)
      return closed
    })
    await closing
  }
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
  return { url, clock, program, token, account, close }
}
