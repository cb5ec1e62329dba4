/** The service in this process, composed as it is in earnest, for tests of its interface. */
import { openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain/roles.ts'
import { environmentFor, type Teardown, temporaryFolder } from './service.ts'

export type TestApp = {
  readonly url: string
  /** An access token of the role; another name is another person. */
  token(role: Role, name?: string): Promise<string>
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
  return { url, token, close: () => app.close() }
}
