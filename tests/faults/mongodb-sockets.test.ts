/**
 * Sockets to MongoDB that die in the moment of a write, before anybody was told: the driver waits for such a socket to drain,
 * for ever. A command is to fail at once, and the monitor of the server to look again.
 */
import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import t from 'tap'
import { connectMongo } from '../../src/adapters/mongodb/client.ts'
import { noMongo, startMongo } from '../support/mongodb.ts'
import { until } from '../support/until.ts'

const reason = noMongo()
/** Sockets that this process opened. */
const sockets = new Set<Socket>()
subscribe('net.client.socket', message => {
  if (typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket)
    sockets.add(message.socket)
})
const destroyAll = (): void => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
}
const fault = (code: string, message: string, options?: ErrorOptions) => new Error(`${code}: ${message}`, options)

t.test('sockets that die while they are written to', { skip: reason ?? false }, async t => {
  const server = await startMongo(t)
  const connect = async () => {
    const connection = await connectMongo(`${server.url}?heartbeatFrequencyMS=500`, {
      setting: 'LEXICHRON_READ_STORE',
      fault,
    })
    t.teardown(() => connection.close())
    const ping = () => connection.run(() => connection.client.db('x').command({ ping: 1 }))
    return { ...connection, ping }
  }

  t.test('a command fails at once, and the next one is answered', async t => {
    const { client, ping } = await connect()
    await ping()
    t.ok(sockets.size > 0, 'its sockets are known')
    for (let n = 0; n < 5; n += 1) {
      client.once('commandStarted', destroyAll)
      await t.rejects(ping(), { message: /^unavailable: LEXICHRON_READ_STORE .*(closed|network)/i })
      await until('an answer', () =>
        ping().then(
          () => true,
          () => undefined,
        ),
      )
    }
  })

  t.test('the monitor looks again', async t => {
    const { client, ping } = await connect()
    await ping()
    let struck = 0
    // Told in the same breath in which the monitor writes.
    client.on('serverHeartbeatStarted', () => {
      struck += 1
      if (struck <= 3) destroyAll()
    })
    await until('three times', async () => (struck >= 3 ? true : undefined))
    await until('an answer', () =>
      ping().then(
        () => true,
        () => undefined,
      ),
    )
    await until('it looks again', async () => (struck > 4 ? true : undefined))
    t.equal((await ping())['ok'], 1)
  })
})
