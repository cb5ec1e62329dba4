/** From a published entry to the listener that hears of it, on an idle service: the whole way by real sockets and a durable log. */
import { once } from 'node:events'
import { fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { tokenOf } from '../tests/support/nodes.ts'
import { startService } from '../tests/support/service.ts'
import { type BenchOptions, type BenchRow, inFolder, main, quantile } from './bench.ts'

/** What the disk takes for one durable write of an event's size: the floor of the same moment. */
const fsyncs = (folder: string, count: number): readonly number[] => {
  const file = openSync(join(folder, 'floor'), 'a')
  const bytes = Buffer.alloc(1024, 'x')
  return Array.from({ length: count }, () => {
    const before = performance.now()
    writeSync(file, bytes)
    fsyncSync(file)
    return performance.now() - before
  })
}

const written = async (answer: Response): Promise<Response> => {
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
  return answer
}

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const ends: (() => unknown)[] = []
    try {
      const settings = { LEXICHRON_SAMPLE: 'none', LEXICHRON_LIMIT_WRITES: '0' }
      const service = await startService({ teardown: end => ends.push(end) }, folder, settings)
      const authorization = `Bearer ${await tokenOf(folder, 'editor')}`
      const headers = { authorization, 'content-type': 'application/json' }
      const ws = new WebSocket(`${service.url.replace('http', 'ws')}/v1/live`, 'lexichron.v1')
      await once(ws, 'open')
      ends.push(() => ws.terminate())
      const heard = new Map<string, (at: number) => void>()
      ws.on('message', data => {
        const { data: told } = Object(JSON.parse(String(data)))
        heard.get(String(Object(told).entryId))?.(performance.now())
      })
      ws.send('{"op":"subscribe","id":"a","channel":"entries"}')
      await once(ws, 'message')
      const took: number[] = []
      const rounds = quick ? 5 : 500
      for (let round = 0; round < rounds; round += 1) {
        const entry = { language: 'en', lemma: `delivery ${round}`, partOfSpeech: 'noun', senses: [{ gloss: 'g' }] }
        const post = (path: string, body: object, more = {}) =>
          fetch(service.url + path, {
            method: 'POST',
            headers: { ...headers, ...more },
            body: JSON.stringify(body),
          }).then(written)
        const path = (await post('/v1/entries', entry)).headers.get('location') ?? ''
        const arrival = Promise.withResolvers<number>()
        heard.set(path.slice(path.lastIndexOf('/') + 1), arrival.resolve)
        // Idle: what the draft set going has ended.
        await sleep(quick ? 1 : 20)
        const before = performance.now()
        await post(`${path}/publish`, {}, { 'if-match': '*' })
        took.push((await arrival.promise) - before)
      }
      const floor = fsyncs(folder, rounds)
      const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)]
      const at = (share: number) => quantile(floor, share).toFixed(1)
      return [
        {
          work: 'publish to delivery, idle',
          against: 'one write and fsync of 1 KiB',

          ours: `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
          peer: `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
          reach: 'p50 <= 5 ms, p99 <= 25 ms',
          met: p50 <= 5 && p99 <= 25,
          note: `${rounds} entries, from the request to publish until a WebSocket client in another process has the event`,
        },
      ]
    } finally {
      for (const end of ends.toReversed()) await end()
    }
  })

await main(import.meta, run)
