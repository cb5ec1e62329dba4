/** Kill -9 under load, at moments of its whole life: what was answered is there, once, in the log and in every read model. */
import t from 'tap'
import { type Answered, checkAll, draft, isHeldBy, leasesOf, listOf, tokenOf } from '../support/nodes.ts'
import { type Running, startProcess } from '../support/processes.ts'
import { environmentFor, main, type Service, serviceProcess, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const CLIENTS = 16

type Sent = { readonly key: string; readonly lemma: string }
/** One life of the service, until it is killed. */
type Life = {
  readonly running: Running
  /** Starts the clients when it listens; each goes on until it is cut off. */
  load(): Promise<void>
  /** Waits for so many answers. */
  answers(count: number): Promise<void>
  /** Waits until a client is cut off. */
  cutOff(): Promise<void>
}
type Moment = { readonly name: string; readonly reach: (life: Life) => Promise<void> }

const after = (count: number): Moment => ({
  name: `after ${count} answers`,
  reach: async ({ load, answers }) => {
    await load()
    await answers(count)
  },
})

const listening = async (running: Running): Promise<Service> => {
  const [, url = ''] = await running.says(/"listening":\s*"([^"]+)"/)
  return { ...running, url }
}

t.test('killed nine times under load, nothing that was answered is missing', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  const answered: (Answered & Sent)[] = []
  const unanswered: Sent[] = []
  const start = async (): Promise<Running> =>
    startProcess(t, ...(await serviceProcess([main, 'serve', '--json'])), { env: environmentFor(folder) })

  const client = async (url: string, name: string): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const sent = { key: `key ${name} ${n}`, lemma: `word ${name} ${n}` }
      try {
        const response = await draft(url, token, sent.key, sent.lemma)
        const { id, revision }: { id: string; revision: string } = JSON.parse(await response.text())
        if (response.status !== 201) throw new TypeError(`status ${response.status}`)
        answered.push({ ...sent, id, revision, sync: response.headers.get('sync-token') ?? '' })
      } catch {
        unanswered.push(sent)
        return
      }
    }
  }

  const moments: readonly Moment[] = [
    after(40),
    {
      name: 'when it holds a lease and does not listen yet',
      reach: async ({ running }) => {
        await until('a lease of its own', () => [...leasesOf(folder).values()].some(lease => isHeldBy(lease, running)))
      },
    },
    after(1),
    after(160),
    { name: 'when it listens and the first commands are on their way', reach: ({ load }) => load() },
    after(16),
    {
      name: 'while it closes under load',
      reach: async ({ running, load, answers, cutOff }) => {
        await load()
        await answers(20)
        running.send('SIGTERM')
        await cutOff()
      },
    },
    after(90),
    after(250),
  ]
  for (const [round, { name, reach }] of moments.entries()) {
    const running = await start()
    const clients: Promise<void>[] = []
    const [before, cut] = [answered.length, unanswered.length]
    await reach({
      running,
      load: async () => {
        const { url } = await listening(running)
        for (let n = 0; n < CLIENTS; n += 1) clients.push(client(url, `${round} ${n}`))
      },
      answers: async count => {
        await until(`${count} answers`, saw => {
          saw(answered.length - before)
          return answered.length - before >= count
        })
      },
      cutOff: async () => {
        await until('a client that is cut off', () => unanswered.length > cut)
      },
    })
    const code = await running.stop('SIGKILL')
    await Promise.all(clients)
    t.comment(`${name}: ${answered.length - before} answered, ${code === null ? 'killed' : `ended with ${code}`}`)
  }

  const service = await listening(await start())
  t.ok(unanswered.length >= CLIENTS, `${answered.length} were answered, ${unanswered.length} were cut off`)
  const last = answered.at(-1)
  const list = await listOf(service.url, token, last?.sync)
  const listed = new Map(list.map(entry => [String(Object(entry).id), Object(entry)]))
  const missing = answered.filter(({ id, lemma, revision }) => {
    const entry = listed.get(id)
    return entry?.lemma !== lemma || entry?.revision !== revision
  })
  t.same(missing, [], 'what was answered is read')
  const repeated = await Promise.all(unanswered.map(({ key, lemma }) => draft(service.url, token, key, lemma)))
  t.same(new Set(repeated.map(({ status }) => status)), new Set([201]), 'what was cut off is accepted, written or not')
  for (const response of repeated) await response.arrayBuffer()
  if (last) {
    const again = await draft(service.url, token, last.key, last.lemma)
    t.equal(again.headers.get('idempotent-replayed'), 'true')
    await again.arrayBuffer()
  }
  await checkAll(t, folder, [service], token, answered)
  t.equal(await service.stop(), 0)
})
