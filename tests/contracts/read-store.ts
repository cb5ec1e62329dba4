/** What every read store must do, whatever the engine: run by one test file for each adapter. */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Test } from 'tap'
import { plan } from '../../src/core/project/planner.ts'
import { defined } from '../../src/domain/defined.ts'
import type { Json, JsonObject } from '../../src/domain/event.ts'
import { compareKeysets, keysetOf, matches } from '../../src/ports/conditions.ts'
import {
  type Checkpoint,
  type Document,
  type DocumentWrite,
  type Indexes,
  type Page,
  type Plan,
  type Query,
  type ReadStore,
  ReadStoreError,
} from '../../src/ports/read-store.ts'
import { holdsAsync } from '../support/property.ts'

const uuid = (n: number | string): string => {
  const hex = createHash('sha1').update(String(n)).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const indexes: Indexes = [
  { name: 'ids', on: [] },
  { name: 'lemma', on: ['language', 'lemma'] },
  { name: 'rankDown', on: ['language', '-rank', 'lemma'] },
  { name: 'terms', on: ['terms'], terms: 'terms' },
  { name: 'termsByRank', on: ['language', 'terms', '-rank'], terms: 'terms' },
]

const at = (position: bigint, more: Partial<Checkpoint> = {}): Checkpoint => ({
  logId: 'log',
  position,
  eventId: `event-${position}`,
  token: 1,
  ...more,
})
const put = (id: string, position: bigint, body: JsonObject): DocumentWrite => ({ id, position, body })
const gone = (id: string, position: bigint): DocumentWrite => ({ id, position, removed: true })

/** The members alone, of the same documents in the same order. */
const sameSelected = async (
  store: ReadStore,
  collection: string,
  planned: Plan,
  page: Page,
  declared: Indexes,
): Promise<void> => {
  const scalars = declared.filter(each => each.terms === undefined).flatMap(each => each.on)
  const members = [...new Set(scalars.map(each => each.replace('-', '')))]
  const selected = await store.select(collection, planned, members)
  const rows = page.documents.map(each => ({ id: each.id, members: members.map(name => each.body[name] ?? null) }))
  if (!isDeepStrictEqual(selected, { ...page, documents: rows }))
    throw new Error(`select differs from find: ${JSON.stringify(selected)} in place of ${JSON.stringify(rows)}`)
}

/** Follows `next` to the end. */
const pages = async (
  store: ReadStore,
  collection: string,
  query: Omit<Query, 'after'>,
  declared = indexes,
): Promise<{ readonly ids: readonly string[]; readonly pages: number }> => {
  const ids: string[] = []
  let after: readonly Json[] | undefined
  for (let count = 1; ; count += 1) {
    const planned = plan({ ...query, ...defined({ after }) }, declared)
    const page = await store.find(collection, planned)
    await sameSelected(store, collection, planned, page, declared)
    ids.push(...page.documents.map(each => each.id))
    if (page.next === null) return { ids, pages: count }
    if (page.documents.length > query.limit) throw new Error('a page is longer than its limit')
    after = page.next
  }
}

const naive = (
  documents: readonly Document[],
  query: Pick<Query, 'where' | 'order' | 'backwards'>,
): readonly string[] => {
  const found = forwards(documents, query)
  return query.backwards ? found.toReversed() : found
}

const forwards = (documents: readonly Document[], query: Pick<Query, 'where' | 'order'>): readonly string[] =>
  documents
    .filter(({ body }) => query.where.every(each => matches(body, each)))
    .sort((a, b) =>
      compareKeysets(query.order, keysetOf(query.order, a.id, a.body), keysetOf(query.order, b.id, b.body)),
    )
    .map(each => each.id)

const text = fc.constantFrom('', 'a', 'ab', 'abc', 'b', 'ba', 'z', '~00e9')
const body = fc.record(
  {
    language: fc.constantFrom('en', 'de'),
    lemma: text,
    rank: fc.oneof(fc.integer({ min: -2, max: 3 }), fc.constant(Number.MAX_SAFE_INTEGER)),
    terms: fc.array(fc.constantFrom('x', 'y', 'z', 'xy'), { maxLength: 4 }),
    kind: fc.constantFrom('noun', 'verb'),
  },
  { requiredKeys: ['language'] },
)
const language = fc.oneof(
  fc.constantFrom('en', 'de').map(value => ({ member: 'language', op: 'eq', value }) as const),
  fc.constant({ member: 'language', op: 'in', value: ['de', 'en', 'fr'] } as const),
)
const residual = fc.oneof(
  fc.constantFrom('noun', 'verb').map(value => ({ member: 'kind', op: 'eq', value }) as const),
  fc.constant({ member: 'kind', op: 'eq', value: null } as const),
  fc.constant({ member: 'rank', op: 'range', gte: 0, lt: 3 } as const),
  fc.constant({ member: 'rank', op: 'range', gt: 'text' } as const),
  fc.constant({ member: 'rank', op: 'in', value: [1, 2, null] } as const),
  text.map(value => ({ member: 'lemma', op: 'prefix', value }) as const),
)
const terms = fc.oneof(
  fc
    .constantFrom<readonly string[]>(['x'], ['x', 'y'], ['y', 'z', 'xy'], ['none'])
    .chain(value =>
      fc.constantFrom({ member: 'terms', op: 'all', value } as const, { member: 'terms', op: 'any', value } as const),
    ),
)
const lemmaRange = fc.oneof(
  text.map(value => ({ member: 'lemma', op: 'prefix', value }) as const),
  fc.tuple(text, text).map(([gte, lt]) => ({ member: 'lemma', op: 'range', gte, lt }) as const),
  fc.tuple(text, text).map(([gt, lte]) => ({ member: 'lemma', op: 'range', gt, lte }) as const),
  text.map(lte => ({ member: 'lemma', op: 'range', lte }) as const),
)
const rankRange = fc.oneof(
  fc.integer({ min: -2, max: 3 }).map(gte => ({ member: 'rank', op: 'range', gte }) as const),
  fc.integer({ min: -2, max: 3 }).map(lt => ({ member: 'rank', op: 'range', lt }) as const),
)
const more = fc.array(residual, { maxLength: 2 })
const query = fc
  .oneof(
    more.map(where => ({ where: where.slice(0, 0), order: [] })),
    fc.tuple(language, fc.option(lemmaRange, { nil: undefined }), more).map(([first, range, rest]) => ({
      where: [first, ...(range ? [range] : []), ...rest],
      order: ['lemma'],
    })),
    fc.tuple(language, fc.option(rankRange, { nil: undefined }), more).map(([first, range, rest]) => ({
      where: [first, ...(range ? [range] : []), ...rest],
      order: ['-rank', 'lemma'],
    })),
    fc.tuple(terms, more).map(([first, rest]) => ({ where: [first, ...rest], order: [] })),
    fc.tuple(language, terms, fc.option(rankRange, { nil: undefined }), more).map(([first, second, range, rest]) => ({
      where: [...rest, second, first, ...(range ? [range] : [])],
      order: ['-rank'],
    })),
  )
  .chain(each =>
    fc
      .tuple(fc.constantFrom(1, 2, 7), fc.boolean())
      .map(([limit, backwards]) => ({ ...each, limit, ...defined({ backwards: backwards ? backwards : undefined }) })),
  )

export type Opened = { readonly store: ReadStore; readonly close: () => Promise<void> }

export const readStoreContract = (t: Test, open: () => Promise<Opened>): void => {
  const withStore = (name: string, run: (test: Test, store: ReadStore) => Promise<void>): void => {
    t.test(name, async test => {
      const { store, close } = await open()
      try {
        await store.ensure('words@1#1', indexes)
        await run(test, store)
      } finally {
        await close()
      }
    })
  }
  const apply = (store: ReadStore, writes: readonly DocumentWrite[], value = at(1n), collection = 'words@1#1') =>
    store.apply(collection, writes, { consumer: 'words@1#1', value })

  withStore('documents and checkpoint are written together and read back', async (test, store) => {
    const [one, two] = [uuid(1), uuid(2)]
    const big = 9_007_199_254_740_993n
    await apply(store, [put(one, 5n, { language: 'en', lemma: 'a' }), put(two, big, { language: 'en' })], at(big))
    const found = await store.get('words@1#1', [one, two, uuid(3)])
    test.same([...found.keys()].sort(), [one, two].sort())
    test.same(found.get(one), { id: one, position: 5n, body: { language: 'en', lemma: 'a' } })
    test.equal(found.get(two)?.position, big, 'positions beyond 2^53 are kept')
    test.same(await store.checkpoint('words@1#1'), at(big))
    test.same([...(await store.checkpoints())], [['words@1#1', at(big)]])
    test.equal(await store.checkpoint('other'), undefined)
  })

  withStore('a write that is not newer changes nothing, and a repeat is harmless', async (test, store) => {
    const id = uuid(1)
    await apply(store, [put(id, 5n, { language: 'en', lemma: 'new', terms: ['x'] })])
    for (const position of [5n, 4n])
      await apply(store, [put(id, position, { language: 'en', lemma: 'old', terms: ['y'] })])
    test.equal((await store.get('words@1#1', [id])).get(id)?.body['lemma'], 'new')
    const find = (value: string) =>
      pages(store, 'words@1#1', { where: [{ member: 'terms', op: 'any', value: [value] }], order: [], limit: 5 })
    test.same((await find('x')).ids, [id])
    test.same((await find('y')).ids, [])
  })

  withStore('a removed document leaves a tombstone that a replay does not resurrect', async (test, store) => {
    const id = uuid(1)
    await apply(store, [put(id, 1n, { language: 'en', lemma: 'a', terms: ['x'] })])
    await apply(store, [gone(id, 3n)])
    await apply(store, [put(id, 2n, { language: 'en', lemma: 'a', terms: ['x'] })])
    test.equal((await store.get('words@1#1', [id])).size, 0)
    test.same((await store.load('words@1#1', [id])).get(id), { id, position: 3n, removed: true })
    test.same(await store.scan('words@1#1', '', 10), [])
    for (const where of [[{ member: 'terms', op: 'any', value: ['x'] } as const], []])
      test.same((await pages(store, 'words@1#1', { where, order: [], limit: 5 })).ids, [], 'no index has it')
    await apply(store, [put(id, 4n, { language: 'en', lemma: 'back', terms: ['y'] })])
    test.equal((await store.get('words@1#1', [id])).get(id)?.body['lemma'], 'back', 'a later event brings it back')
  })

  withStore('a changed document leaves its old places in every index', async (test, store) => {
    const id = uuid(1)
    const bodies: readonly JsonObject[] = [
      { language: 'en', lemma: 'a', rank: 1, terms: ['x', 'y'] },
      { language: 'en', lemma: 'b', rank: 1, terms: ['y', 'z'] },
      { language: 'de', lemma: 'b', rank: 2, terms: ['z'] },
      { language: 'de', lemma: 'b', rank: 2 },
    ]
    for (const [index, each] of bodies.entries()) {
      await apply(store, [put(id, BigInt(index + 1), each)])
      for (const value of ['x', 'y', 'z']) {
        const where = [
          { member: 'language', op: 'in', value: ['en', 'de'] },
          { member: 'terms', op: 'any', value: [value] },
        ] as const
        const expected = naive([{ id, position: 1n, body: each }], { where, order: [] })
        const found = await pages(store, 'words@1#1', { where, order: ['-rank'], limit: 5 })
        test.same(found.ids, expected, `after ${index + 1} writes, under ${value}`)
        const counted = await store.count('words@1#1', plan({ where, order: ['-rank'], limit: 1 }, indexes), 10)
        test.equal(counted, expected.length, 'and the index holds no other entry')
      }
    }
  })

  withStore('an older token can store neither checkpoint nor documents', async (test, store) => {
    await apply(store, [put(uuid(1), 1n, { language: 'en' })], at(1n, { token: 3 }))
    const late = apply(store, [put(uuid(2), 2n, { language: 'en' })], at(2n, { token: 2 }))
    await test.rejects(late, { name: 'ReadStoreError', code: 'fenced' })
    test.equal((await store.checkpoint('words@1#1'))?.position, 1n)
    await apply(store, [], at(3n, { token: 4 }))
    test.equal((await store.checkpoint('words@1#1'))?.token, 4)
  })

  withStore('a checkpoint is not stored for a collection that is not there', async (test, store) => {
    const late = store.apply('words@1#404', [], { consumer: 'words@1#404', value: at(7n) })
    await test.rejects(late, { name: 'ReadStoreError', code: 'gone' })
    test.equal(await store.checkpoint('words@1#404'), undefined)
  })

  withStore('a consumer without documents stores its checkpoint alone', async (test, store) => {
    await store.apply('', [], { consumer: 'subscriber:mail', value: at(7n) })
    test.equal((await store.checkpoint('subscriber:mail'))?.position, 7n)
  })

  withStore('paging by keyset yields every match once, in the order of a naive sort', async (test, store) => {
    let run = 0
    await holdsAsync(
      fc.asyncProperty(
        fc.array(body, { maxLength: 40 }),
        fc.array(query, { minLength: 4, maxLength: 6 }),
        fc.boolean(),
        async (bodies, queries, uuids) => {
          run += 1
          const collection = `words@1#${run + 1}`
          await store.ensure(collection, indexes)
          const documents = bodies.map((each, n) => ({
            id: uuids ? uuid(n) : `w${n % 7}-${n}`,
            position: 1n,
            body: each,
          }))
          await apply(store, documents, at(1n), collection)
          for (const each of queries) {
            const found = await pages(store, collection, each)
            const expected = naive(documents, each)
            if (JSON.stringify(found.ids) !== JSON.stringify(expected))
              throw new Error(`${JSON.stringify(each)} found ${found.ids}, expected ${expected}`)
          }
          await store.drop(collection)
        },
      ),
      40,
    )
    test.ok(run >= 40)
  })

  withStore('ids that share their beginning are told apart, also across pages', async (test, store) => {
    // All UUIDs here begin alike, so that a store that keeps a part of the id has to look at the rest.
    const ids = Array.from(
      { length: 30 },
      (_, n) => `aaaaaaa${(n % 3).toString(16)}-0000-5000-8000-${String((n * 7) % 30).padStart(12, '0')}`,
    )
    await apply(
      store,
      ids.map(id => put(id, 1n, { language: 'en', rank: 1, terms: ['x', 'y'] })),
    )
    for (const [order, where] of [
      [[], [{ member: 'terms', op: 'any', value: ['x', 'y'] }]],
      [
        ['-rank'],
        [
          { member: 'language', op: 'eq', value: 'en' },
          { member: 'terms', op: 'all', value: ['x', 'y'] },
        ],
      ],
    ] as const)
      for (const limit of [1, 4, 100])
        test.same(
          (await pages(store, 'words@1#1', { where, order, limit })).ids,
          [...ids].sort(),
          `${order} by ${limit}`,
        )
  })

  withStore('the first id that is no UUID puts the whole collection in the order of its texts', async (test, store) => {
    const where = [{ member: 'terms', op: 'any', value: ['x'] }] as const
    await apply(
      store,
      [uuid(1), uuid(2)].map(id => put(id, 1n, { language: 'en', terms: ['x'] })),
    )
    await apply(
      store,
      ['Zebra', '5', 'zebra'].map(id => put(id, 1n, { language: 'en', terms: ['x'] })),
    )
    const all = ['5', 'Zebra', 'zebra', uuid(1), uuid(2)].sort()
    test.same((await pages(store, 'words@1#1', { where, order: [], limit: 2 })).ids, all)
    await apply(store, [gone(uuid(1), 2n)])
    test.same(
      (await pages(store, 'words@1#1', { where, order: [], limit: 2 })).ids,
      all.filter(each => each !== uuid(1)),
    )
  })

  withStore(
    'a page examines as many entries as its plan says and returns short with where to go on',
    async (test, store) => {
      const [examine, total] = [500, 550]
      const writes = Array.from({ length: total }, (_, n) =>
        put(uuid(n), 1n, {
          language: 'en',
          lemma: String(n).padStart(6, '0'),
          kind: n === total - 1 ? 'verb' : 'noun',
        }),
      )
      await apply(store, writes)
      const where = [
        { member: 'language', op: 'eq', value: 'en' },
        { member: 'kind', op: 'eq', value: 'verb' },
      ] as const
      const planned = plan({ where, order: ['lemma'], limit: 10 }, indexes)
      test.equal(planned.examine, 2_000)
      const first = await store.find('words@1#1', { ...planned, examine })
      test.same([first.documents.length, first.examined], [0, examine])
      test.same(first.next, ['000499', uuid(examine - 1)], 'the key of the last entry examined')
      const after = plan({ where, order: ['lemma'], limit: 10, after: first.next ?? [] }, indexes)
      const second = await store.find('words@1#1', { ...after, examine })
      test.same(
        second.documents.map(({ id }) => id),
        [uuid(total - 1)],
      )
      test.same([second.examined, second.next], [50, null])
      const bounds = plan({ where, order: ['lemma'], limit: 1 }, indexes)
      await test.rejects(store.select('words@1#1', bounds, ['terms']), TypeError, 'a member that no scalar index has')
      test.equal(await store.count('words@1#1', bounds, 100), 100, 'counting stops at its limit')
      test.equal(await store.count('words@1#1', bounds, 20_000), total, 'and looks at no residual condition')
    },
  )

  withStore('scan goes through documents by id', async (test, store) => {
    const ids = [3, 1, 2].map(uuid)
    await apply(
      store,
      ids.map(id => put(id, 1n, { language: 'en' })),
    )
    const first = await store.scan('words@1#1', '', 2)
    const rest = await store.scan('words@1#1', first.at(-1)?.id ?? '', 2)
    test.same(
      [...first, ...rest].map(each => each.id),
      [...ids].sort(),
    )
  })

  withStore('collections are made once and dropped with all they held', async (test, store) => {
    await store.ensure('words@1#1', indexes)
    await store.ensure('words@1#2', indexes)
    await apply(store, [put(uuid(1), 1n, { language: 'en', terms: ['x'] })])
    test.same(await store.collections(), ['words@1#1', 'words@1#2'])
    await store.drop('words@1#1')
    await store.drop('words@1#1')
    test.same(await store.collections(), ['words@1#2'])
    test.equal(await store.checkpoint('words@1#1'), undefined, 'its checkpoint too: it would skip what is gone')
    const calls: readonly (() => Promise<unknown>)[] = [
      () => store.get('words@1#1', [uuid(1)]),
      () => store.find('words@1#1', plan({ where: [], order: [], limit: 1 }, indexes)),
      () => store.scan('words@1#1', '', 1),
      () => apply(store, [put(uuid(1), 1n, { language: 'en' })]),
    ]
    for (const call of calls) await test.rejects(call(), { name: 'ReadStoreError', code: 'gone' })
    await store.ensure('words@1#1', indexes)
    test.same(await store.scan('words@1#1', '', 10), [], 'one of the same name begins empty')
  })

  withStore('a collection refuses other indexes than it was made with', async (test, store) => {
    await test.rejects(store.ensure('words@1#1', indexes.slice(1)), TypeError)
    const other = [{ name: 'other', on: ['kind'] }]
    const query = { where: [{ member: 'kind', op: 'eq', value: 'noun' }], order: [], limit: 1 } as const
    await test.rejects(store.find('words@1#1', plan(query, other)), { code: 'gone' })
  })

  withStore(
    'a document that cannot stand in an index is refused, and nothing of its batch is written',
    async (test, store) => {
      const batch = [put(uuid(1), 1n, { language: 'en' }), put(uuid(2), 1n, { language: true })]
      await test.rejects(apply(store, batch), TypeError)
      test.equal((await store.get('words@1#1', [uuid(1)])).size, 0)
      test.equal(await store.checkpoint('words@1#1'), undefined)
    },
  )

  withStore('records change by compare-and-swap', async (test, store) => {
    test.equal(await store.record('a:1'), undefined)
    test.equal(await store.swap('a:1', 'x', 'y'), false)
    test.equal(await store.swap('a:1', undefined, 'one'), true)
    test.equal(await store.swap('a:1', undefined, 'two'), false)
    test.equal(await store.swap('a:1', 'one', 'two'), true)
    await store.swap('a:2', undefined, 'x')
    await store.swap('b:1', undefined, 'x')
    test.same(
      [...(await store.records('a:'))],
      [
        ['a:1', 'two'],
        ['a:2', 'x'],
      ],
    )
    test.equal(await store.swap('a:1', 'two', undefined), true)
    test.equal(await store.record('a:1'), undefined)
    // A snapshot of a long stream is no small one.
    const [long, longer] = ['\u00e9\ufdfa"'.repeat(300_000), `x${'y'.repeat(2_000_000)}`]
    test.equal(await store.swap('long', undefined, long), true)
    test.equal((await store.record('long')) === long, true, 'as it was')
    test.equal(await store.swap('long', longer, long), false)
    test.equal(await store.swap('long', long, longer), true)
    test.equal((await store.record('long')) === longer, true)
    const racing = await Promise.all(Array.from({ length: 20 }, (_, n) => store.swap('race', undefined, String(n))))
    test.equal(racing.filter(Boolean).length, 1, 'one of many wins')
  })

  withStore('a large batch is written in slices, and what it holds is all there', async (test, store) => {
    const writes = Array.from({ length: 1_000 }, (_, n) =>
      put(uuid(n), 1n, {
        language: 'en',
        lemma: String(n),
        terms: Array.from({ length: 90 }, (_, k) => `${n} ${k}`),
      }),
    )
    const order: string[] = []
    await Promise.all([
      apply(store, writes, at(9n)).then(() => order.push('batch')),
      ...[1, 2, 3].map(n => store.swap(`mark:${n}`, undefined, '').then(done => order.push(done ? 'mark' : 'nothing'))),
    ])
    test.same(order, ['mark', 'mark', 'mark', 'batch'], 'others write between its slices')
    test.equal((await store.checkpoint('words@1#1'))?.position, 9n)
    const where = [{ member: 'language', op: 'eq', value: 'en' }] as const
    test.equal(await store.count('words@1#1', plan({ where, order: ['lemma'], limit: 1 }, indexes), 5_000), 1_000)
  })

  t.test('a closed store says so, and closing twice is harmless', async test => {
    const { store, close } = await open()
    await store.ping()
    await store.close()
    await store.close()
    await test.rejects(store.record('x'), new ReadStoreError('closed', ''), 'closed')
    await test.rejects(store.swap('x', undefined, 'y'), { code: 'closed' })
    await close()
  })
}
