/** Limits count work: what a route declares and what was examined for it, of an address and of an account. */
import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { defaultLimits, openLimits } from '../../src/adapters/http/limits.ts'
import { openMeter } from '../../src/adapters/http/meter.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { fakeClock, settle } from '../support/clocks.ts'

const open = (more: Partial<typeof defaultLimits> = {}) => {
  const clock = fakeClock()
  const cache = openMemoryCache({ clock, max: 1_000 })
  return { clock, limits: openLimits({ cache, clock, limits: { ...defaultLimits, ...more } }) }
}
const stranger = { name: '192.0.2.1', isKnown: false }
const account = { name: 'account a', isKnown: true }
const NO_CLASS = { reads: 0, suggest: 0, search: 0, writes: 0, signIns: 0 } as const
const CLASSES = ['reads', 'suggest', 'search', 'writes', 'signIns'] as const

t.test('as much as every class allows fits into the work of an address, where little is examined', async t => {
  const { limits } = open()
  for (const rate of CLASSES)
    for (let n = 0; n < defaultLimits[rate]; n += 1) {
      const hit = await limits.hit(rate, stranger)
      if (hit?.used !== undefined) return t.fail(`${hit.used} is used up by ${rate}`)
    }
  t.equal((await limits.hit('reads', stranger))?.used, 'reads', 'the class is named')
  t.match(await limits.hit('reads', stranger), { policy: '"reads";q=600;w=60, "work";q=6000;w=60' })
})

t.test('what is examined is counted: four times as much leaves a quarter of the requests', async t => {
  const asked: number[] = []
  for (const keys of [10_000, 40_000]) {
    const { clock, limits } = open(NO_CLASS)
    let requests = 0
    for (; (await limits.hit('search', stranger))?.used === undefined; requests += 1) limits.examined(stranger, keys)
    asked.push(requests)
    t.match(await limits.hit('search', stranger), { used: 'work', retryAfter: 60, policy: '"work";q=6000;w=60' })
    t.match((await limits.hit('search', stranger))?.rateLimit, /^"work";r=0;t=60$/)
    t.equal((await limits.hit('search', account))?.used, undefined, 'an account has its own')
    t.equal((await limits.hit('search', { ...stranger, name: '192.0.2.2' }))?.used, undefined)
    await clock.advance(60_000)
    t.equal((await limits.hit('search', stranger))?.used, undefined, 'a minute later')
  }
  t.strictSame(asked, [58, 15])
})

t.test('an account has five times as much, and 0 is no limit', async t => {
  const { limits } = open(NO_CLASS)
  limits.examined(account, 2_900_000)
  t.equal((await limits.hit('reads', account))?.used, undefined)
  limits.examined(account, 100_000)
  t.equal((await limits.hit('reads', account))?.used, 'work')
  const without = open({ ...NO_CLASS, addressWork: 0, accountWork: 0 })
  without.limits.examined(stranger, 10_000_000)
  t.equal(without.limits.hit('reads', stranger), undefined)
  const classes = open({ addressWork: 0 })
  t.equal((await classes.limits.hit('reads', stranger))?.policy, '"reads";q=600;w=60')
})

t.test('what is examined belongs to the request that it was for, whatever goes on beside it and after it', async t => {
  const meter = openMeter()
  const spent: (readonly [string, number])[] = []
  const work = (name: string, keys: readonly number[]) =>
    meter.during(
      async () => {
        for (const each of keys) {
          await settle()
          meter.add(each)
        }
        return name
      },
      examined => spent.push([name, examined]),
    )
  meter.add(1_000)
  t.strictSame(await Promise.all([work('a', [1, 2, 3]), work('b', [10, 20]), work('none', [])]), ['a', 'b', 'none'])
  t.strictSame(spent.toSorted(), [
    ['a', 6],
    ['b', 30],
  ])
  const failing = meter.during(
    () => {
      meter.add(5)
      throw new Error('broken')
    },
    examined => spent.push(['failed', examined]),
  )
  await t.rejects(failing)
  t.strictSame(spent.at(-1), ['failed', 5], 'what fails has cost what it did')
  const stream = await meter.during(
    async () => {
      const read = Promise.withResolvers<void>()
      const done = read.promise.then(() => meter.add(7))
      return { read, done }
    },
    examined => spent.push(['stream', examined]),
  )
  stream.read.resolve()
  await stream.done
  t.strictSame(spent.at(-1), ['stream', 7], 'and so has what comes after its answer has begun')
})

t.test('over HTTP: keys that a list examines are taken from the work of who asks, and 429 names it', async t => {
  const { url, token } = await openTestApp(t, {
    LEXICHRON_LIMIT_WORK_ADDRESS: '40',
    LEXICHRON_LIMIT_WORK_ACCOUNT: '4000',
    LEXICHRON_LIMIT_READS: '1000',
  })
  const api = await openApi(url)
  const ask = () => fetch(`${url}/v1/stories?limit=1`)
  const first = await ask()
  t.equal(first.headers.get('ratelimit-policy'), '"reads";q=1000;w=60, "work";q=40;w=60')
  let last = first
  for (let n = 0; n < 100 && last.status === 200; n += 1) last = await ask()
  t.equal(last.status, 429)
  t.match(await last.json(), { code: 'rate-limited', detail: 'The limit of work is used up for 60 seconds.' })
  t.match(last.headers.get('ratelimit'), /"work";r=0;t=60$/)
  t.equal(last.headers.get('retry-after'), '60')
  t.equal((await api('GET', '/v1/entries', { as: await token('editor') })).status, 200, 'an account has its own')
})

t.test('history is counted by its events: the work that is left says so', async t => {
  const { url, token } = await openTestApp(t, { LEXICHRON_LIMIT_WORK_ACCOUNT: '4000' })
  const api = await openApi(url)
  const auditor = await token('auditor')
  const left = async (path: string): Promise<number> => {
    const before = await api('GET', path, { as: auditor })
    t.equal(before.status, 200)
    const after = await api('GET', '/v1/entries', { as: auditor })
    const of = (each: typeof before) => Number(/"work";r=(\d+)/.exec(each.headers.get('ratelimit') ?? '')?.[1])
    return of(before) - of(after)
  }
  const editor = await token('editor')
  const draft = (n: number) =>
    api('POST', '/v1/entries', {
      as: editor,
      body: {
        language: 'en',
        lemma: `long ${n}`,
        partOfSpeech: 'noun',
        etymology: 'x'.repeat(4_000),
        senses: [{ gloss: 'g' }],
      },
    })
  const SIZES = [20, 80] as const
  const found: number[] = []
  let written = 0
  for (const size of SIZES) {
    for (; written < size; written += 1) t.equal((await draft(written)).status, 201)
    found.push(await left('/v1/events?category=entry&limit=100'))
  }
  const [few = 0, many = 0] = found
  t.ok(few >= 1, `${few} units`)
  t.ok(many >= few + 2, `${many} units`)
})
