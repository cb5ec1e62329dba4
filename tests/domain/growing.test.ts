import { deepStrictEqual, equal } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  countWithin,
  firstOf,
  type Growing,
  growing,
  grown,
  itemAt,
  lastWithin,
  nothingYet,
} from '../../src/domain/growing.ts'
import { holds } from '../support/property.ts'

const ascending = fc
  .array(fc.integer({ min: 1, max: 3 }), { maxLength: 600, size: 'max' })
  .map(steps => steps.map((_, at) => steps.slice(0, at + 1).reduce((sum, step) => sum + step, 0)))

t.test('a list that grows is the array of its items, and what it was stays', async t => {
  holds(
    fc.property(ascending, fc.nat(2_000), (items, bound) => {
      const states: Growing<number>[] = [nothingYet]
      for (const item of items) states.push(grown(states.at(-1) ?? nothingYet, item))
      const list = states.at(-1) ?? nothingYet
      equal(list.length, items.length)
      for (const length of [0, 1, 127, 128, 129, 300].filter(each => each <= items.length))
        deepStrictEqual(firstOf(states[length] ?? nothingYet, length), items.slice(0, length))
      deepStrictEqual(growing(items), list)
      items.forEach((item, at) => {
        equal(itemAt(list, at), item)
      })
      equal(itemAt(list, items.length), undefined)
      const within = items.filter(item => item <= bound)
      equal(
        countWithin(list, item => item <= bound),
        within.length,
      )
      equal(
        lastWithin(list, item => item <= bound),
        within.at(-1),
      )
      deepStrictEqual(firstOf(list, within.length), within)
    }),
  )
  t.pass('over several pieces')
})
