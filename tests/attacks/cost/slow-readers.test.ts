/** What waits for readers that take nothing: for one of them, and for all of a node, however many they are. */
import t from 'tap'
import { openEventStream } from '../../../src/adapters/ws/event-stream.ts'
import { openMemory } from '../../../src/core/memory/memory.ts'
import { fakeClock } from '../../support/clocks.ts'
import { until } from '../../support/until.ts'

const MEMORY_BYTES = 32 * 1024 * 1024
const SIZES = [40, 160] as const
const MESSAGES = 20
const MESSAGE = Buffer.alloc(20_000, 'x')

t.test(
  'readers that take nothing: what waits for forty waits for four times as many, and who takes all stays',
  async t => {
    for (const size of SIZES) {
      const memory = openMemory(MEMORY_BYTES)
      const live = () => memory.report().find(({ part }) => part === 'live')
      const limit = live()?.limit ?? 0
      const counters = { open: 0, opened: 0, received: 0, sentBytes: 0, pendingBytes: 0, slow: 0, refused: 0 }
      const open = () => openEventStream(fakeClock(), { counters, buffer: memory.live }, 'somebody')
      const [reader, slow] = [open(), Array.from({ length: size }, open)]
      let taken = 0
      reader.body.on('data', (bytes: Buffer) => {
        taken += bytes.length
      })
      let most = 0
      for (let n = 0; n < MESSAGES; n += 1) {
        for (const { sink } of [...slow, reader]) {
          sink.send(MESSAGE)
          most = Math.max(most, live()?.bytes ?? 0)
        }
        await until('the message to be taken', () => taken === (n + 1) * MESSAGE.length)
      }
      t.ok(most > limit / 2 && most <= limit, `${size} readers: ${most} of ${limit} bytes`)
      t.notOk(reader.body.destroyed, 'who takes all stays')
      const waits = slow.reduce((sum, { body }) => sum + (body.destroyed ? 0 : body.readableLength), 0)
      t.equal(live()?.bytes, waits, 'what is counted is what waits')
      const gone = slow.filter(({ body }) => body.destroyed)
      t.equal(gone.length, live()?.full, 'those that are cut are counted')
      t.equal(counters.slow, gone.length)
      t.ok(gone.length >= size - limit / (MESSAGES * MESSAGE.length), `${gone.length} of ${size} are gone`)
      for (const { body } of [...slow, reader]) body.destroy()
      await until('nothing to wait', () => live()?.bytes === 0)
    }
  },
)
