/** Rights that change while the body of a request is on its way: what is done is done with those of the moment it is done in. */
import { connect } from 'node:net'
import t from 'tap'
import type { Authority } from '../../src/adapters/http/authority.ts'
import type { Requester } from '../../src/adapters/http/route.ts'
import type { Role } from '../../src/domain/roles.ts'
import { openEdge } from '../support/edge.ts'
import { anonymousPermissions, permissionsOf, roleRights } from '../support/roles.ts'
import { until } from '../support/until.ts'

const requesterOf = (role: Role): Requester => ({
  actor: { kind: 'account', id: 'ada' },
  ...roleRights.rights(permissionsOf(role)),
  credential: { id: 'session' },
})

/** Sends the head of a draft as a contributor, changes what is known of them once they were let in, and then sends the body. */
const sendSlowly = async (now: Requester | undefined, deafMs = 0) => {
  let admitted = 0
  let current: Requester | undefined = requesterOf('contributor')
  let deaf = 0
  const authority: Authority = {
    authenticate: () => {
      admitted += 1
      return current
    },
    current: () => current,
    strangers: anonymousPermissions,
    deafFor: () => deaf,
    reached: async () => true,
  }
  const edge = await openEdge(t, { deps: { authority } })
  const { hostname, port, host } = new URL(edge.url)
  const body = JSON.stringify({ language: 'en', lemma: 'slow', partOfSpeech: 'noun', senses: [{ gloss: 'a thing' }] })
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.on('data', chunk => {
    answer += String(chunk)
  })
  const head = [
    'POST /v1/entries HTTP/1.1',
    `host: ${host}`,
    'authorization: Bearer a.b.c',
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await until('the request to be let in', () => admitted > 0)
  current = now
  deaf = deafMs
  socket.end(body)
  await new Promise(resolve => socket.once('close', resolve))
  return { status: Number(answer.split(' ')[1]), code: /"code":"([\w-]+)"/.exec(answer)?.[1] }
}

t.test('who keeps their rights does what they asked for', async t => {
  t.equal((await sendSlowly(requesterOf('contributor'))).status, 201)
  t.equal((await sendSlowly(requesterOf('editor'))).status, 201)
})

t.test('who lost them while the body came has them no more', async t => {
  t.match(await sendSlowly(requesterOf('reader')), { status: 403, code: 'permission-denied' })
  t.match(await sendSlowly(undefined), { status: 401, code: 'unauthenticated' })
  t.match(await sendSlowly(undefined, 60_000), { status: 503, code: 'authorisation-unavailable' })
})
