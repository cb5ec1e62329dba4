/** Rights on two processes over one data folder: races between administrators, what other nodes know, and restarts. */
import t from 'tap'
import { WebSocket } from 'ws'
import { systemClock } from '../../src/app/core.ts'
import { openApi, type Received } from '../support/api.ts'
import { elapse } from '../support/clocks.ts'
import { lexichron, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const make = async (folder: string, email: string, role: string) => {
  const made = await lexichron(folder, ['account', 'create', '--role', role, '--email', email, '--json'])
  if (made.code !== 0) throw new Error(made.err + made.out)
  const found: unknown = JSON.parse(made.out)
  return { email, id: String(Object(found).accountId), password: String(Object(found).password) }
}
const sync = ({ headers }: Received) => ({ 'sync-token': headers.get('sync-token') ?? '' })

t.test('of two administrators who end each other at the same moment one stays', async t => {
  const folder = temporaryFolder(t)
  const [ada, bob, eve] = [
    await make(folder, 'ada@dictionary.example', 'admin'),
    await make(folder, 'bob@dictionary.example', 'admin'),
    await make(folder, 'eve@dictionary.example', 'contributor'),
  ]
  const [first, second] = [await startService(t, folder), await startService(t, folder)]
  const [one, two] = [await openApi(first.url), await openApi(second.url)]
  type Person = typeof ada
  const signIn = async (api: typeof one, { email, password }: Person): Promise<string> => {
    const answer = await api('POST', '/v1/sessions', { body: { email, password } })
    if (answer.status !== 201) throw new Error(answer.text)
    return String(answer.json['accessToken'])
  }
  const roles = (answer: Received): readonly unknown[] => {
    const { roles: all } = answer.json
    return Array.isArray(all) ? all.map(each => Object(each).role) : []
  }
  const take = (api: typeof one, as: string, { id }: Person) =>
    api('DELETE', `/v1/accounts/${id}/roles/admin`, { as, body: { reason: 'A test.' } })
  const shorten = (api: typeof one, as: string, { id }: Person) =>
    api('PUT', `/v1/accounts/${id}/roles/admin`, {
      as,
      body: { reason: 'A test.', expiresAt: new Date(systemClock.now().getTime() + 600_000).toISOString() },
    })
  const suspend = (api: typeof one, as: string, { id }: Person) =>
    api('POST', `/v1/accounts/${id}/suspend`, { as, body: { reason: 'A test.' } })

  let raced = 0
  // Who is let in again after each race goes on with that: whoever signs in too often is sent away, however right the password is.
  let [adasToken, bobsToken] = [await signIn(one, ada), await signIn(two, bob)]
  for (const [mine, theirs] of [
    [take, take],
    [take, suspend],
    [shorten, take],
    [suspend, suspend],
    [shorten, shorten],
  ] as const) {
    const answers = await Promise.all([mine(one, adasToken, bob), theirs(two, bobsToken, ada)])
    const done = answers.filter(({ status }) => status === 200)
    t.equal(done.length, 1, answers.map(({ text }) => text).join())
    raced += answers.filter(({ code }) => code === 'last-administrator').length
    // The one that stays puts the other one back.
    const adaStays = answers[0]?.status === 200
    const [api, token, other] = adaStays ? ([one, adasToken, bob] as const) : ([two, bobsToken, ada] as const)
    await api('POST', `/v1/accounts/${other.id}/reinstate`, { as: token, body: { reason: 'A test.' } })
    const back = await api('PUT', `/v1/accounts/${other.id}/roles/admin`, { as: token, body: { reason: 'A test.' } })
    t.equal(back.status, 200, back.text)
    const elsewhere = adaStays ? two : one
    await until('news of it on the other node', async saw => {
      const { status, text } = await elsewhere('GET', '/v1/me', { as: token, headers: sync(back) })
      saw(text)
      return status === 200
    })
    const entered = await until('the account on the other node', async saw =>
      signIn(elsewhere, other).catch(async (error: unknown) => {
        saw(error)
        await elapse(1_000)
        return undefined
      }),
    )
    await until('the grant on the other node', async saw => {
      const there = await elsewhere('GET', '/v1/me/permissions', { as: entered, headers: sync(back) })
      saw(there.text)
      return roles(there).includes('admin')
    })
    if (adaStays) bobsToken = entered
    else adasToken = entered
  }
  t.comment(`${raced} times they met at the one stream`)

  const boss = adasToken
  t.equal((await take(one, boss, bob)).status, 200)
  const service = await lexichron(folder, ['token', 'create', '--role', 'admin', '--for', 'robot', '--json'])
  const robot = String(Object(JSON.parse(service.out)).token)
  for (const end of [take, shorten, suspend])
    t.equal((await end(two, robot, ada)).code, 'last-administrator', 'nor does a service end the last one')

  const worker = await signIn(two, eve)
  let granted: Received | undefined
  for (const wanted of [true, false, true, false, true]) {
    granted = await one(wanted ? 'PUT' : 'DELETE', `/v1/accounts/${eve.id}/roles/auditor`, {
      as: boss,
      body: { reason: 'A test.' },
    })
    await until('the same on the other node', async () =>
      roles(await two('GET', '/v1/me/permissions', { as: worker })).includes('auditor') === wanted ? true : undefined,
    )
  }
  if (!granted) throw new Error('nothing was granted')
  t.equal((await two('GET', '/v1/events', { as: worker, headers: sync(granted) })).status, 200)
  const socket = new WebSocket(`${second.url.replace('http', 'ws')}/v1/live`, 'lexichron.v1', {
    headers: { authorization: `Bearer ${worker}` },
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const closed = new Promise<number>(resolve => socket.once('close', code => resolve(code)))
  t.equal((await suspend(one, boss, eve)).status, 200)
  t.equal(await closed, 1008)
  await Promise.all([first.stop('SIGKILL'), second.stop('SIGKILL')])
  const third = await startService(t, folder)
  const api = await openApi(third.url)
  t.equal((await api('GET', '/v1/me', { as: worker })).status, 401, 'ended is ended, after kill -9')
  t.equal((await api('GET', '/v1/me', { as: boss })).status, 200)
  t.equal((await take(api, robot, ada)).code, 'last-administrator')
})
