/** The keys' contract on MongoDB, and wrapping. */
import { randomBytes } from 'node:crypto'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { openMongoKeys } from '../../src/adapters/keys/mongodb.ts'
import { wrappingWith } from '../../src/adapters/keys/wrapping.ts'
import { masterKeyOf } from '../../src/config/settings.ts'
import { defined } from '../../src/domain/defined.ts'
import { fakeClock } from '../support/clocks.ts'
import { noMongo, startMongo } from '../support/mongodb.ts'
import { keysContract } from './keys.ts'

const reason = noMongo()

t.test('a wrapped secret opens with its key, at its place and unchanged alone', async t => {
  const [key, other] = [randomBytes(32), randomBytes(32)]
  const wrapping = wrappingWith(key, randomBytes)
  const secret = randomBytes(32)
  const wrapped = wrapping.wrap(secret, 'here')
  t.same(wrapping.unwrap(wrapped, 'here'), secret)
  t.equal(wrapping.unwrap(wrapped, 'there'), undefined)
  t.equal(wrappingWith(other, randomBytes).unwrap(wrapped, 'here'), undefined)
  for (let at = 0; at < wrapped.length; at += 1) {
    const changed = Buffer.from(wrapped)
    changed[at] = (changed[at] ?? 0) ^ 1
    t.equal(wrapping.unwrap(changed, 'here'), undefined, `byte ${at}`)
  }
  t.equal(wrapping.unwrap(wrapped.subarray(0, 20), 'here'), undefined)
  t.notSame(wrapping.wrap(secret, 'here'), wrapped, 'no nonce comes twice')
  for (const text of [key.toString('hex'), key.toString('base64'), `${key.toString('base64url')}\n`])
    t.same(masterKeyOf(text), key)
  for (const text of ['', 'secret', key.toString('hex').slice(2), key.subarray(1).toString('base64'), 'ä'.repeat(43)])
    t.equal(masterKeyOf(text), undefined, text)
})

if (reason !== undefined) t.test('keys in MongoDB', { skip: reason }, () => undefined)
else {
  const server = await startMongo(t)
  keysContract(t, 'MongoDB', async () => {
    const options = {
      url: server.database(),
      setting: 'LEXICHRON_KEYS',
      database: 'keys',
      masterKey: randomBytes(32),
      randomBytes,
    }
    return { open: clock => openMongoKeys({ ...options, clock }) }
  })

  t.test('what lies in the database is of no use without the master key, which can be changed', async t => {
    const clock = fakeClock()
    const url = server.database()
    const [first, second] = [randomBytes(32), randomBytes(32)]
    const open = (masterKey: Uint8Array, oldMasterKey?: Uint8Array) =>
      openMongoKeys({
        url,
        setting: 'LEXICHRON_KEYS',
        database: 'x',
        masterKey,
        ...defined({ oldMasterKey }),
        randomBytes,
        clock,
      })
    const keys = await open(first)
    const document = await keys.take()
    const subject = await keys.subject('subject:somebody@example.org')
    const secret = await keys.secret('cursor')
    const [signing] = await keys.signing(clock.now())
    await keys.close()

    const client = await MongoClient.connect(url)
    t.teardown(() => client.close())
    const stored = JSON.stringify(await client.db().collection('keys').find().toArray())
    const buried = [document.secret, secret, subject === 'destroyed' ? Buffer.alloc(32) : subject.secret]
    for (const each of buried)
      for (const form of ['hex', 'base64'] as const)
        t.notOk(stored.includes(Buffer.from(each).toString(form).slice(2, 30)), 'no secret in the clear')
    t.notMatch(stored, /PRIVATE|somebody/)

    await t.rejects(open(second), { code: 'corrupt', message: /^LEXICHRON_MASTER_KEY is not the one/ })
    await t.rejects(open(second, randomBytes(32)), { code: 'corrupt' })
    const [one, two] = await Promise.all([open(second, first), open(second, first)])
    t.same((await one.find(new Set([document.name]))).get(document.name), document)
    t.same(await two.secret('cursor'), secret)
    await Promise.all([one.close(), two.close()])
    await t.rejects(open(first), { code: 'corrupt' }, 'the key before no longer opens anything')
    const after = await open(second)
    t.equal((await after.signing(clock.now()))[0]?.kid, signing?.kid)
    await after.close()
  })

  t.test('a secret that was changed or moved is told from one that was destroyed', async t => {
    const clock = fakeClock()
    const url = server.database()
    const options = { url, setting: 'LEXICHRON_KEYS', database: 'x', masterKey: randomBytes(32), randomBytes, clock }
    const keys = await openMongoKeys(options)
    t.teardown(() => keys.close())
    const [one, two] = [await keys.take(), await keys.take()]
    const client = await MongoClient.connect(url)
    t.teardown(() => client.close())
    const stored = client.db().collection<{ _id: string; slots: unknown[] }>('keys')
    const id = one.name.replace(/\.\d+$/, '')
    const slots = (await stored.findOne({ _id: id }))?.slots ?? []
    const [a, b] = [one, two].map(each => Number(each.name.split('.')[1]))
    await stored.updateOne({ _id: id }, { $set: { [`slots.${a}`]: slots[b ?? 0] } })
    const other = await openMongoKeys(options)
    t.teardown(() => other.close())
    await t.rejects(other.find(new Set([one.name])), { code: 'corrupt', message: /damaged/ })
    await stored.deleteOne({ _id: id })
    await t.rejects(other.find(new Set([one.name])), { code: 'corrupt', message: /missing/ })
    await t.rejects(other.destroy(one.name), { code: 'corrupt', message: /missing/ })
  })
}
