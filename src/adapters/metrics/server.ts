/** /metrics on a port of its own: for a network that only the monitoring reaches, without a token. */
import { createServer, type Server } from 'node:http'
import type { Metrics } from './metrics.ts'

export type MetricsServer = {
  /** The port it listens on. */
  readonly port: number
  close(): Promise<void>
}

const TIMEOUT_MS = 10_000

const listening = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', error => {
      const code = 'code' in error ? error.code : undefined
      const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be opened (${String(code)})`
      reject(Object.assign(new Error(`LEXICHRON_METRICS_PORT ${port} on ${host} ${why}.`), { code }))
    })
    server.listen(port, host, () => {
      const at = server.address()
      resolve(typeof at === 'object' && at !== null ? at.port : port)
    })
  })

/** Listens. @throws when the address is taken: one sentence, with `code`. */
export const openMetricsServer = async (options: {
  readonly metrics: Pick<Metrics, 'render'>
  readonly host: string
  readonly port: number
  readonly onError: (error: unknown) => void
}): Promise<MetricsServer> => {
  const server = createServer(
    { headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, keepAliveTimeout: 30_000, maxHeaderSize: 8_192 },
    (request, response) => {
      const path = (request.url ?? '').split('?')[0]
      const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
      const refuse = (status: number, text: string, more: Readonly<Record<string, string>> = {}): void => {
        response.writeHead(status, { ...plain, ...more }).end(`${text}\n`)
      }
      request.resume()
      if (path !== '/metrics') return refuse(404, 'There is nothing here but /metrics.')
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return refuse(405, 'Metrics are read with GET.', { allow: 'GET, HEAD' })
      options.metrics.render().then(
        ({ type, body }) => {
          const headers = {
            'content-type': type,
            'cache-control': 'no-store',
            'content-length': Buffer.byteLength(body),
          }
          response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body)
        },
        (error: unknown) => {
          options.onError(error)
          refuse(500, 'The metrics could not be read; the log of the service says why.')
        },
      )
    },
  )
  server.maxConnections = 64
  const port = await listening(server, options.host, options.port)
  return {
    port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
