/** The service in this process, composed as it is in earnest, for tests of its interface. */
import { openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain/roles.ts'
import { environmentFor, type Teardown, temporaryFolder } from './service.ts'

/**
 * Agenda leaves a timer of half a lock's life (15 s) behind each job that it has done. The service ends its process; a test would
 * wait for it, so here such a timer keeps nothing alive.
 */
const LEFT_BEHIND_MS = 15_000
const plain = globalThis.setTimeout
globalThis.setTimeout = Object.assign((...given: Parameters<typeof plain>) => {
  const timer = plain(...given)
  if (given[1] === LEFT_BEHIND_MS && typeof timer === 'object') timer.unref()
  return timer
}, plain)

export type TestApp = {
  readonly url: string
  /** An access token of the role; another name is another person. */
  token(role: Role, name?: string): Promise<string>
  /** An account of the role, made as an operator makes it: its first password. */
  account(role: Role, email: string): Promise<{ readonly accountId: string; readonly password?: string }>
  close(): Promise<void>
}

/** On a temporary folder and a free port, with limits that no test reaches. `env` overrides settings. */
export const openTestApp = async (t: Teardown, env: Readonly<Record<string, string>> = {}): Promise<TestApp> => {
  const folder = temporaryFolder(t)
  const config = loadConfig(environmentFor(folder, env), folder)
  const app = await openApp(config, { purpose: 'serve', version: '0.0.0' })
  t.teardown(() => app.close())
  const url = await app.listen()
  const token = async (role: Role, name: string = role): Promise<string> => {
    const issued = await app.tokens.create({ role, for: name, lifeMs: 60 * 60 * 1000 })
    if ('refused' in issued) throw new Error(issued.detail)
    return issued.token
  }
  const account = async (role: Role, email: string) => {
    const made = await app.accounts.create({ role, email })
    if ('refused' in made) throw new Error(made.detail)
    return made
  }
  return { url, token, account, close: () => app.close() }
}
