/** The live feed over real processes that share a data folder and are killed. */
import t from 'tap'
import { connectLive, entriesTold } from '../support/live-client.ts'
import { draft, tokenOf } from '../support/nodes.ts'
import { startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

t.test('a listener follows killed nodes on one data folder: no gap, no repeat, and tickets hold on all', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  const headers = { authorization: `Bearer ${token}` }
  const [a, b] = [await startService(t, folder), await startService(t, folder)]
  const write = async (url: string, lemma: string): Promise<unknown> => {
    const response = await draft(url, token, lemma, lemma)
    if (response.status !== 201) throw new Error(await response.text())
    return Object(await response.json())['id']
  }
  const { ticket } = Object(await (await fetch(`${a.url}/v1/live/tickets`, { method: 'POST', headers })).json())
  const first = await connectLive(b.url, { query: `?ticket=${ticket}` })
  t.equal(first.state.refused, undefined, 'made on one node, used on the other')
  t.equal((await connectLive(a.url, { query: `?ticket=${ticket}` })).state.refused, 401)
  const subscribe = { op: 'subscribe', id: 'a', channel: 'entries' }
  first.say(subscribe)
  await first.find(message => message['op'] === 'caught-up')
  const written = [await write(a.url, 'one'), await write(b.url, 'two')]
  await until('both', () => entriesTold(first.messages, 'a').length >= 2)
  const after = first.messages.findLast(message => message['op'] === 'event')?.['after']
  await b.stop('SIGKILL')
  t.equal(await first.closed(), 1006)
  written.push(await write(a.url, 'three'))
  const c = await startService(t, folder)
  const second = await connectLive(c.url, { headers })
  second.say({ ...subscribe, after })
  for (let n = 0; n < 20; n += 1) written.push(await write(n % 2 ? a.url : c.url, `more ${n}`))
  await until('the rest', () => entriesTold(second.messages, 'a').length >= 21)
  t.strictSame([...entriesTold(first.messages, 'a'), ...entriesTold(second.messages, 'a')], written)
  const left = second.closed()
  t.equal(await c.stop(), 0)
  t.equal(await left, 1012)
  await a.stop()
  t.notMatch(a.output.out + a.output.err + c.output.out + c.output.err, ticket, 'no log has the ticket')
})
