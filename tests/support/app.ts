/** The service in this process for tests of its interface. */
import type { Role } from '../../src/domain/roles.ts'
import { openEdge } from './edge.ts'

export type TestApp = {
  readonly url: string
  /** An access token of the role; another name is another person. */
  token(role: Role, name?: string): Promise<string>
  close(): Promise<void>
}

type Teardown = { teardown(fn: () => unknown): unknown }

export const openTestApp = async (t: Teardown): Promise<TestApp> => {
  const limits = { reads: 0, suggest: 0, search: 0, writes: 0, streams: 2 }
  const edge = await openEdge(t, { settings: { limits } })
  return { url: edge.url, token: async (role, name) => edge.token(role, name), close: () => edge.server.close() }
}
