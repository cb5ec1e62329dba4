import fc from 'fast-check'
import t from 'tap'
import { type EntryContent, type EntrySense, emptyContent } from '../../../src/domain/entry/content.ts'
import { mergeContents } from '../../../src/domain/entry/merge.ts'
import { mergeList } from '../../../src/domain/entry/merge-list.ts'
import { mergeText } from '../../../src/domain/entry/merge-text.ts'
import { changed, contentAtPlaces, differenceOf, placesOf } from '../../../src/domain/entry/places.ts'
import { holds } from '../../support/property.ts'

const sense = (id: string, gloss = `gloss of ${id}`, more: Partial<EntrySense> = {}): EntrySense => ({
  id,
  gloss,
  labels: { register: [], region: [], domain: [] },
  examples: [],
  relations: [],
  translations: [],
  ...more,
})
const entry = (more: Partial<EntryContent> = {}): EntryContent => ({
  ...emptyContent,
  senses: [sense('s1'), sense('s2')],
  ...more,
})
const three = (base: EntryContent, theirs: EntryContent, ours: EntryContent) => mergeContents({ base, theirs, ours })

/** Few values, so that both sides often meet. */
const word = fc.constantFrom('sea', 'light', 'house', 'constructor', '__proto__')
const words = fc.uniqueArray(word, { maxLength: 4 })
const sentence = fc.array(word, { minLength: 1, maxLength: 6 }).map(list => list.join(' '))
const drawnSense = fc.record({ gloss: sentence, region: words, examples: fc.array(sentence, { maxLength: 3 }) }).map(
  ({ gloss, region, examples }) =>
    (id: string) =>
      sense(id, gloss, { labels: { register: [], region, domain: [] }, examples: examples.map(text => ({ text })) }),
)
const content: fc.Arbitrary<EntryContent> = fc
  .record({
    variants: words,
    categories: words,
    senses: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), drawnSense), {
      minLength: 1,
      maxLength: 4,
      selector: ([id]) => id,
    }),
    etymology: fc.option(sentence, { nil: undefined }),
  })
  .map(({ variants, categories, senses, etymology }) => ({
    ...emptyContent,
    variants,
    categories,
    senses: senses.map(([id, make]) => make(id)),
    ...(etymology === undefined ? {} : { etymology }),
  }))

t.test('an entry is its places, and a difference makes of one what the other is', async t => {
  holds(
    fc.property(content, content, (before, after) => {
      t.same(contentAtPlaces(placesOf(before)), before)
      t.same(changed(before, differenceOf(before, after)), after)
      t.same(differenceOf(before, before), [])
    }),
  )
  const after = entry({ senses: [sense('s2'), sense('s1', 'another')], etymology: 'from the sea' })
  t.same(differenceOf(entry(), after), [
    { pointer: '/etymology', to: 'from the sea' },
    { pointer: '/senses', from: ['s1', 's2'], to: ['s2', 's1'] },
    { pointer: '/senses/s1/gloss', from: 'gloss of s1', to: 'another' },
  ])
})

t.test('who changed nothing, or the same, is in nobody’s way', async t => {
  holds(
    fc.property(content, content, (base, x) => {
      t.same(three(base, x, x), { content: x })
      t.same(three(base, x, base), { content: x })
      t.same(three(base, base, x), { content: x })
    }),
  )
})

t.test('what was merged is taken back exactly, by a merge from what it made', async t => {
  holds(
    fc.property(content, content, content, (base, theirs, ours) => {
      const merge = three(base, theirs, ours)
      if ('content' in merge) t.same(three(merge.content, merge.content, theirs), { content: theirs })
    }),
  )
})

t.test('changes of other places come to the same in either order', async t => {
  holds(
    fc.property(content, content, content, (base, x, y) => {
      const [mine, yours] = [differenceOf(base, x), differenceOf(base, y)]
      const taken = new Set(mine.map(({ pointer }) => pointer))
      const apart = yours.filter(({ pointer }) => !taken.has(pointer) && !pointer.startsWith('/senses'))
      const [first, second] = [changed(base, mine), changed(base, apart)]
      t.same(three(base, first, second), three(base, second, first))
      t.same(three(base, first, second), { content: changed(first, apart) })
    }),
  )
})

t.test('an overlap names its place and has all sides', async t => {
  const base = entry({ etymology: 'from the sea' })
  t.same(three(base, entry({ etymology: 'from the coast' }), entry({ etymology: 'from the shore' })), {
    overlaps: [{ pointer: '/etymology', base: 'from the sea', theirs: 'from the coast', ours: 'from the shore' }],
  })
  t.same(three(base, entry(), entry({ etymology: 'from the shore' })), {
    overlaps: [{ pointer: '/etymology', base: 'from the sea', ours: 'from the shore' }],
  })
  const edited = entry({ senses: [sense('s1', 'other'), sense('s2')] })
  t.match(three(entry(), entry({ senses: [sense('s2')] }), edited), {
    overlaps: [{ pointer: '/senses/s1/gloss', base: 'gloss of s1', ours: 'other' }],
  })
})

t.test('senses are told apart by their ids, wherever they stand', async t => {
  const moved = entry({ senses: [sense('s2'), sense('s1')] })
  const edited = entry({ senses: [sense('s1', 'other'), sense('s2')] })
  const more = entry({ senses: [sense('s1'), sense('s3'), sense('s2')] })
  t.same(three(entry(), moved, edited), { content: entry({ senses: [sense('s2'), sense('s1', 'other')] }) })
  t.same(three(entry(), edited, more), {
    content: entry({ senses: [sense('s1', 'other'), sense('s3'), sense('s2')] }),
  })
  const gone = entry({ senses: [sense('s2')] })
  t.same(three(entry(), gone, more), { content: entry({ senses: [sense('s3'), sense('s2')] }) })
})

const text = (base: string, theirs: string, ours: string) => mergeText({ base, theirs, ours })
t.test('a text is merged by words, and by lines where it is long', async t => {
  t.equal(
    text('the old light by the sea', 'the old light at the sea', 'an old light by the sea'),
    'an old light at the sea',
  )
  t.equal(text('by the sea', 'at the sea', 'near the sea'), undefined)
  t.equal(
    text('constructor __proto__ sea', 'constructor __proto__ blue sea', 'a constructor __proto__ sea'),
    'a constructor __proto__ blue sea',
  )
  const line = (word: string) => Array.from({ length: 600 }, () => word).join(' ')
  const long = [line('a'), line('b'), line('c'), line('d')].join('\n')
  const [theirs, ours] = [long.replace('a a', 'x a'), long.replace(/d d$/, 'd y')]
  t.equal(text(long, theirs, ours), theirs.replace(/d d$/, 'd y'))
  const flat = long.replaceAll('\n', ' ')
  t.equal(text(flat, flat.replace('a a', 'x a'), flat.replace(/d d$/, 'd y')), undefined, 'one long line is too much')
})

const list = (base: readonly string[], theirs: readonly string[], ours: readonly string[]) =>
  mergeList({ base, theirs, ours }, item => item)
t.test('a list is merged by its values', async t => {
  t.same(list(['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'd']), ['a', 'b', 'c', 'd'])
  t.same(list(['a', 'b'], ['b'], ['a', 'x', 'b']), ['x', 'b'])
  t.same(list(['a', 'b'], ['b', 'a'], ['a', 'b', 'c']), ['b', 'c', 'a'])
  t.same(list(['a', 'b', 'c'], ['a', 'b', 'c', 'd'], ['c', 'b', 'a']), ['c', 'd', 'b', 'a'])
  t.same(list(['a', 'a'], ['a'], ['a', 'a', 'b']), ['a', 'b'], 'one of two alike')
  t.equal(list(['a'], ['b'], ['c']), undefined, 'both put another one in its place')
  t.equal(list(['a', 'b', 'c'], ['b', 'a', 'c'], ['a', 'c', 'b']), undefined, 'both order it anew')
})
