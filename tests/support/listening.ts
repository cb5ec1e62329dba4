/** A server of HTTP that belongs to a test. */
import type { Server } from 'node:http'
import type { Teardown } from './service.ts'

/** Listens on a free port until the test ends; answers where. */
export const listen = async (t: Teardown, server: Server): Promise<string> => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
}
