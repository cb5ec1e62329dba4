import t from 'tap'
import { defined } from '../../src/domain/defined.ts'

type Target = { readonly id: string; readonly reason?: string; readonly count?: number }

t.test('only what is undefined is left out', async t => {
  const missing: { readonly reason: string | undefined } = { reason: undefined }
  const count: number | undefined = 0
  const target: Target = { id: 'x', ...defined({ reason: missing.reason, count }) }
  t.strictSame(target, { id: 'x', count: 0 })
  t.notOk(Object.hasOwn(target, 'reason'))
  const falsy = { text: '', zero: 0, no: false, nothing: null, big: 0n, absent: undefined }
  t.strictSame(defined(falsy), { text: '', zero: 0, no: false, nothing: null, big: 0n })
  t.strictSame(defined({ a: undefined }), {})
  t.strictSame(defined({}), {})
})

t.test('the order of the members stays', async t => {
  t.equal(JSON.stringify(defined({ b: 1, c: undefined, a: 2, d: 3 })), '{"b":1,"a":2,"d":3}')
  t.equal(JSON.stringify({ z: 0, ...defined({ y: 1, x: undefined }), w: 2 }), '{"z":0,"y":1,"w":2}')
})

t.test('what is given is not changed', async t => {
  const given = { a: 1, b: undefined }
  t.strictSame(defined(given), { a: 1 })
  t.ok(Object.hasOwn(given, 'b'))
  t.strictSame(defined(Object.freeze({ a: 1, b: undefined })), { a: 1 })
})

t.test('what is inherited is no member, and __proto__ is a name', async t => {
  const heir: { a: undefined; b: number } = Object.assign(Object.create({ inherited: 1 }), { a: undefined, b: 2 })
  t.strictSame(Object.keys(defined(heir)), ['b'])
  t.not('inherited' in defined(heir), true)
  const bare: { a: undefined; b: number } = Object.assign(Object.create(null), { a: undefined, b: 2 })
  t.strictSame({ ...defined(bare) }, { b: 2 })
  for (const text of ['{"__proto__":{"admin":true},"a":1}', '{"__proto__":{"admin":true}}']) {
    const read: { readonly admin?: boolean } = { ...defined({ ...JSON.parse(text), b: undefined }) }
    t.equal(read.admin, undefined)
    const made = defined({ b: undefined, ...JSON.parse(text) })
    t.ok(Object.hasOwn(made, '__proto__'))
    t.equal(Object.getPrototypeOf(made), Object.prototype)
  }
})
