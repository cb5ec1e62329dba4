/** Kill -9 under load: what was answered is there, once, in the log and in every read model. */
import t from 'tap'
import { lexichron, type Service, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const ROUNDS = 20
const CLIENTS = 16

type Answered = { readonly id: string; readonly revision: string; readonly lemma: string; readonly key: string }

const headersOf = (token: string, key: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  'idempotency-key': key,
})

const body = (lemma: string) =>
  JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: `the meaning of ${lemma}` }] })

const post = async (service: Service, token: string, key: string, lemma: string): Promise<Response> =>
  fetch(`${service.url}/v1/entries`, { method: 'POST', headers: headersOf(token, key), body: body(lemma) })

t.setTimeout(240_000)

t.test('killed 20 times under load, nothing that was answered is missing', { timeout: 240_000 }, async t => {
  const folder = temporaryFolder(t)
  const { out, code } = await lexichron(folder, [
    'token',
    'create',
    '--role',
    'editor',
    '--for',
    'load',
    '--expires',
    '1h',
  ])
  t.equal(code, 0)
  const token = out.trim()
  const answered: Answered[] = []
  const unanswered: { key: string; lemma: string }[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const service = await startService(t, folder)
    let enough: () => void = () => {}
    const loaded = new Promise<void>(resolve => {
      enough = resolve
    })
    let count = 0
    const client = async (n: number): Promise<void> => {
      for (let i = 0; ; i += 1) {
        const key = `key-${round}-${n}-${i}`
        const lemma = `word ${round} ${n} ${i}`
        try {
          const response = await post(service, token, key, lemma)
          const { id, revision }: { id: string; revision: string } = JSON.parse(await response.text())
          if (response.status !== 201) throw new TypeError(`status ${response.status}`)
          answered.push({ id, revision, lemma, key })
          count += 1
          // A different amount of load in each round kills in a different place.
          if (count > 40 + round * 17) enough()
        } catch {
          unanswered.push({ key, lemma })
          return
        }
      }
    }
    const clients = Array.from({ length: CLIENTS }, (_, n) => client(n))
    await loaded
    await service.stop('SIGKILL')
    await Promise.all(clients)
  }

  const service = await startService(t, folder)
  t.ok(answered.length > ROUNDS * 40, `${answered.length} were answered`)
  t.ok(unanswered.length > 0, `${unanswered.length} were cut off`)
  const last = answered.at(-1)
  const missing: string[] = []
  for (const each of answered) {
    const found = await until(each.lemma, async (): Promise<Pick<Answered, 'lemma' | 'revision'> | undefined> => {
      const response = await fetch(`${service.url}/v1/entries/${each.id}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      if (response.status === 200) return JSON.parse(await response.text())
      // Until the projections have caught up, only.
      await response.arrayBuffer()
      return undefined
    }).catch(() => undefined)
    if (!found || found.lemma !== each.lemma || found.revision !== each.revision) missing.push(each.lemma)
  }
  t.same(missing, [])

  for (const { key, lemma } of unanswered) {
    const response = await post(service, token, key, lemma)
    t.equal(response.status, 201, 'a repeat of what was cut off is accepted, written before or not')
    await response.arrayBuffer()
  }
  if (last) {
    const again = await post(service, token, last.key, last.lemma)
    t.equal(again.headers.get('idempotent-replayed'), 'true')
    await again.arrayBuffer()
  }
  t.equal(await service.stop(), 0)

  const verified = await lexichron(folder, ['verify', '--json'])
  t.equal(verified.code, 0, verified.out + verified.err)
})
