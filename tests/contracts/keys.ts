/** What every adapter of the keys port promises. `open` is called for several processes on the same keys. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { Test } from 'tap'
import type { Keys } from '../../src/ports/keys.ts'
import { type FakeClock, fakeClock } from '../support/clocks.ts'

export type KeysStore = { open(clock: FakeClock): Promise<Keys> }

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const later = (from: Date, ms: number): Date => new Date(from.getTime() + ms)

/** A fresh, empty store of keys a call. */
export const keysContract = (t: Test, name: string, newStore: (t: Test) => Promise<KeysStore>): void => {
  const start = async (t: Test) => {
    const store = await newStore(t)
    const clock = fakeClock()
    const opened: Keys[] = []
    const process = async (): Promise<Keys> => {
      const keys = await store.open(clock)
      opened.push(keys)
      return keys
    }
    t.teardown(async () => {
      for (const keys of opened) await keys.close()
    })
    return { clock, process, keys: await process() }
  }

  t.test(`${name}: document keys are fresh, durable and found again`, async t => {
    const { keys, process } = await start(t)
    const taken = await Promise.all(Array.from({ length: 1200 }, () => keys.take()))
    t.equal(new Set(taken.map(key => key.name)).size, 1200, 'each name once')
    t.equal(new Set(taken.map(key => Buffer.from(key.secret).toString('hex'))).size, 1200, 'each secret once')
    t.ok(taken.every(key => /^document:[^.:]+\.\d+$/.test(key.name) && key.secret.length === 32))
    const other = await process()
    const found = await other.find(new Set(taken.map(key => key.name)))
    t.equal(found.size, 1200, 'another process finds all, at once')
    t.ok(taken.every(key => Buffer.from(found.get(key.name)?.secret ?? []).equals(key.secret)))
    t.not((await other.take()).name, taken[0]?.name)
    const theirs = await Promise.all(Array.from({ length: 300 }, () => other.take()))
    const ours = new Set(taken.map(key => key.name))
    t.notOk(
      theirs.some(key => ours.has(key.name)),
      'no key is handed out by two processes',
    )
    t.equal((await keys.find(new Set())).size, 0)
  })

  t.test(`${name}: of each kind there is none until the first is made, and some for ever`, async t => {
    const { keys, process } = await start(t)
    const kinds = ['document', 'subject', 'secret'] as const
    const all = async (from: Keys) => Promise.all(kinds.map(kind => from.hasAny(kind)))
    t.same(await all(keys), [false, false, false])
    t.same(await all(await process()), [false, false, false], 'opening makes none')
    await keys.secret('sync-token')
    t.same(await all(keys), [false, false, true])
    await keys.subject('subject:a')
    await keys.destroy('subject:a')
    t.same(await all(await process()), [false, true, true], 'one that was destroyed was there')
    await keys.take()
    t.same(await all(await process()), [true, true, true])
  })

  t.test(`${name}: a destroyed document key never comes back, in any process`, async t => {
    const { keys, process, clock } = await start(t)
    const [first, second, third] = [await keys.take(), await keys.take(), await keys.take()]
    const names = new Set([first.name, second.name, third.name])
    const other = await process()
    t.equal((await other.find(names)).size, 3)
    await keys.destroy(first.name)
    t.same([...(await keys.find(names)).keys()].sort(), [second.name, third.name].sort(), 'here at once')
    await clock.advance(1000)
    t.notOk((await other.find(names)).has(first.name), 'elsewhere within a second')
    await keys.destroy(first.name)
    await Promise.all([keys.destroy(second.name), other.destroy(third.name)])
    await clock.advance(1000)
    for (const each of [keys, other, await process()])
      t.equal((await each.find(names)).size, 0, 'both at once, and repeated')
  })

  t.test(`${name}: many are destroyed by two processes at once, none comes back`, async t => {
    const { keys, process } = await start(t)
    const other = await process()
    const taken = await Promise.all(Array.from({ length: 60 }, () => keys.take()))
    await Promise.all(taken.map((key, n) => (n % 3 === 0 ? undefined : (n % 3 === 1 ? keys : other).destroy(key.name))))
    const left = await (await process()).find(new Set(taken.map(key => key.name)))
    t.same(
      [...left.keys()].sort(),
      taken
        .filter((_, n) => n % 3 === 0)
        .map(key => key.name)
        .sort(),
    )
  })

  t.test(`${name}: one key a subject, until it is erased`, async t => {
    const { keys, process, clock } = await start(t)
    const other = await process()
    const made = await Promise.all([keys.subject('subject:a'), other.subject('subject:a'), keys.subject('subject:b')])
    const [mine, theirs, second] = made
    if (mine === 'destroyed' || theirs === 'destroyed' || second === 'destroyed')
      return t.fail('a new key is destroyed')
    t.equal(mine.name, 'subject:a')
    t.ok(Buffer.from(mine.secret).equals(theirs.secret), 'two processes at once make one key')
    t.notOk(Buffer.from(mine.secret).equals(second.secret))
    t.ok(Buffer.from((await other.find(new Set(['subject:a']))).get('subject:a')?.secret ?? []).equals(mine.secret))
    const hurried = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const pair = await Promise.all([keys.subject(`subject:h${n}`), other.subject(`subject:h${n}`)])
        return pair.map(key => (key === 'destroyed' ? key : Buffer.from(key.secret).toString('hex')))
      }),
    )
    t.ok(hurried.every(([one, two]) => one === two))
    await keys.destroy('subject:a')
    t.equal(await keys.subject('subject:a'), 'destroyed')
    t.equal((await keys.find(new Set(['subject:a', 'subject:b']))).size, 1)
    await t.rejects(
      keys.find(new Set(['subject:b', 'subject:never'])),
      { name: 'KeysError', code: 'corrupt', message: /missing/ },
      'one that left no place behind was lost, not destroyed',
    )
    await clock.advance(1000)
    t.equal(await other.subject('subject:a'), 'destroyed', 'elsewhere within a second')
    await keys.destroy('subject:a')
    await keys.destroy('subject:new')
    t.equal(await (await process()).subject('subject:new'), 'destroyed', 'also one that had no key yet')
  })

  t.test(`${name}: secrets are the same for ever, one a purpose`, async t => {
    const { keys, process } = await start(t)
    const other = await process()
    const [here, there] = await Promise.all([keys.secret('cursor'), other.secret('cursor')])
    t.equal(here.length, 32)
    t.ok(Buffer.from(here).equals(there), 'two processes at once make one')
    t.ok(Buffer.from(await (await process()).secret('cursor')).equals(here))
    t.notOk(Buffer.from(await keys.secret('sync-token')).equals(here))
    await t.rejects(async () => keys.secret('../cursor'), TypeError)
  })

  t.test(`${name}: signing keys stand in the set before they sign, and after`, async t => {
    const { keys, process, clock } = await start(t)
    const other = await process()
    const now = clock.now()
    const [[first], [same]] = await Promise.all([keys.signing(now), other.signing(now)])
    if (!first) return t.fail('no first key')
    t.equal(first.kid, same?.kid, 'two processes at once make one first key')
    t.equal(first.activeFrom, now.toISOString(), 'which signs at once')
    t.equal(first.retireAt, undefined)
    const text = Buffer.from('text')
    const signature = sign('sha256', text, createPrivateKey(first.privateKey))
    t.ok(verify('sha256', text, createPublicKey(first.publicKey), signature), 'its halves belong together')
    t.equal(createPublicKey(first.publicKey).asymmetricKeyDetails?.namedCurve, 'prime256v1')

    const second = await keys.rotate(now)
    t.equal(second.activeFrom, later(now, 10 * MINUTE).toISOString())
    await clock.advance(1000)
    const kids = async (keys: Keys, ms: number) => (await keys.signing(later(now, ms))).map(key => key.kid)
    for (const each of [keys, other]) {
      t.same(await kids(each, 10 * MINUTE - 1), [first.kid, second.kid], 'the first still signs')
      t.same(await kids(each, 10 * MINUTE), [second.kid, first.kid], 'the second signs')
      t.same(await kids(each, 10 * MINUTE + DAY - 1), [second.kid, first.kid], 'the first still verifies')
      t.same(await kids(each, 10 * MINUTE + DAY), [second.kid], 'the first has left')
      t.same(await kids(each, -DAY), [first.kid, second.kid], 'a clock set back signs with the oldest')
    }
    t.equal((await keys.signing(now))[0]?.retireAt, later(now, 10 * MINUTE + DAY).toISOString())
    const third = await other.rotate(later(now, 2 * DAY))
    await clock.advance(1000)
    t.same(await kids(keys, 2 * DAY), [second.kid, third.kid])
    t.same(await kids(await process(), 2 * DAY), [second.kid, third.kid])
  })

  t.test(`${name}: closed is closed`, async t => {
    const { keys } = await start(t)
    await keys.take()
    await keys.close()
    const code = { name: 'KeysError', code: 'closed' }
    await t.rejects(keys.take(), code)
    await t.rejects(async () => keys.subject('subject:a'), code)
    await t.rejects(async () => keys.find(new Set(['subject:a'])), code)
    await t.rejects(async () => keys.destroy('subject:a'), code)
    await t.rejects(async () => keys.secret('cursor'), code)
    await t.rejects(async () => keys.signing(new Date(0)), code)
    await t.rejects(async () => keys.rotate(new Date(0)), code)
    await keys.close()
  })
}
