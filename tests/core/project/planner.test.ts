import t from 'tap'
import { EXAMINE, MAX_BRANCHES, NoIndexError, plan, shapeOf } from '../../../src/core/project/planner.ts'
import type { Condition, Index, Query } from '../../../src/ports/read-store.ts'

const byLemma: Index = { name: 'byLemma', on: ['language', 'lemma'] }
const byRank: Index = { name: 'byRank', on: ['language', '-rank', 'lemma'] }
const byTerm: Index = { name: 'byTerm', on: ['language', 'terms', '-rank'], terms: 'terms' }
const byKind: Index = { name: 'byKind', on: ['kind', 'language', 'lemma'] }
const whole: Index = { name: 'whole', on: ['-updatedAt'] }
const indexes = [byLemma, byRank, byTerm, byKind, whole]

const en: Condition = { member: 'language', op: 'eq', value: 'en' }
const noun: Condition = { member: 'kind', op: 'eq', value: 'noun' }
const prefix: Condition = { member: 'lemma', op: 'prefix', value: 'ab' }
const terms = (op: 'all' | 'any', ...value: readonly string[]): Condition => ({ member: 'terms', op, value })
const planned = (where: readonly Condition[], order: readonly string[], more: Partial<Query> = {}) =>
  plan({ where, order, limit: 10, ...more }, indexes)

t.test('equality and order come from one index', async t => {
  const { index, bounds, residual, examine } = planned([en], ['lemma'])
  t.same({ index, bounds, residual, examine }, { index: byLemma, bounds: [en], residual: [], examine: EXAMINE })
  t.equal(planned([en], ['-rank', 'lemma']).index, byRank)
})

t.test('a range on the first member of the order is a bound, others are residual', async t => {
  const ranked: Condition = { member: 'rank', op: 'range', gte: 3 }
  const { bounds, residual } = planned([ranked, prefix, en], ['lemma'])
  t.same(bounds, [en, prefix])
  t.same(residual, [ranked])
})

t.test('the index that answers more is taken, and what it leaves is residual', async t => {
  t.equal(planned([en, noun], ['lemma']).index, byKind)
  t.same(planned([en, noun], ['-rank', 'lemma']).residual, [noun])
  const kinds: Condition = { member: 'kind', op: 'in', value: ['noun', 'verb'] }
  t.same(planned([en, kinds], ['lemma']).bounds, [kinds, en])
})

t.test('terms: any gives its values, all gives its first and leaves the rest', async t => {
  t.same(planned([en, terms('any', 'a', 'b')], ['-rank']).bounds, [en, terms('any', 'a', 'b')])
  const { bounds, residual } = planned([en, terms('all', 'a', 'b', 'c')], ['-rank'])
  t.same(bounds, [en, terms('all', 'a')])
  t.same(residual, [terms('all', 'b', 'c')])
  const both = planned([en, terms('any', 'x'), terms('all', 'a')], ['-rank'])
  t.same([both.bounds, both.residual], [[en, terms('all', 'a')], [terms('any', 'x')]])
})

t.test('without conditions an index is taken whole, in its order', async t => {
  t.equal(planned([], ['-updatedAt']).index, whole)
  t.throws(() => planned([noun], ['-updatedAt']), NoIndexError, 'but conditions want one that the index answers')
})

t.test('what no index answers throws, and names the shape and what is declared', async t => {
  const refused: readonly (readonly [readonly Condition[], readonly string[]])[] = [
    [[noun], ['-rank']],
    [[en], ['rank']],
    [[en], ['-lemma']],
    [[en], []],
    [[prefix], ['lemma']],
    [[en], ['-rank']],
    [[terms('any', 'a')], ['-rank']],
    [[], ['lemma']],
    [[en, { member: 'terms', op: 'eq', value: 'a' }], ['-rank']],
  ]
  for (const [where, order] of refused) t.throws(() => planned(where, order), NoIndexError, shapeOf({ where, order }))
  t.throws(() => planned([noun, prefix], ['-rank']), {
    message:
      /no declared index answers where kind = and lemma prefix order by -rank, id; declared: byLemma \(language, lemma\); /,
    shape: 'where kind = and lemma prefix order by -rank, id',
  })
})

t.test('an index on terms never answers a query without them: it lacks documents', async t => {
  t.throws(() => plan({ where: [en], order: [], limit: 1 }, [{ name: 'x', on: ['language', 'terms'], terms: 'terms' }]))
})

t.test('limits, cursors and alternatives out of bounds are refused', async t => {
  for (const limit of [0, -1, 1.5, Number.NaN]) t.throws(() => planned([en], ['lemma'], { limit }), RangeError)
  t.throws(() => planned([en], ['lemma'], { after: ['a'] }), RangeError)
  t.same(planned([en], ['lemma'], { after: ['a', 'id'] }).after, ['a', 'id'])
  const many = terms('any', ...Array.from({ length: MAX_BRANCHES + 1 }, (_, n) => `${n}`))
  t.throws(() => planned([en, many], ['-rank']), RangeError)
})
