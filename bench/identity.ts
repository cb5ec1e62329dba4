/**
 * Signing in against argon2 alone, what a reader's token costs, and whether a stranger who has a clock can tell known addresses
 * from unknown ones.
 */
import { availableParallelism } from 'node:os'
import { hash } from '@node-rs/argon2'
import { exampleId } from '../src/adapters/http/examples.ts'
import { COST } from '../src/adapters/passwords/argon2.ts'
import { defined } from '../src/domain/defined.ts'
import { type BenchOptions, type BenchRow, inFolder, interleave, main, median, quantile, ratioOf } from './bench.ts'
import { type Load, load, micros, quickly, type Server, start } from './http.ts'

const bodyOf = (answer: unknown): Readonly<Record<string, unknown>> =>
  typeof answer === 'object' && answer !== null ? { ...answer } : {}

/** `place` is the address that a proxy names, as tries are counted by place too. */
const post = async (server: Server, path: string, body: object, place: number): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.0.${place >> 8}.${place & 255}` },
    body: JSON.stringify(body),
  })

const addressOf = (group: string, n: number): string => `${group}${n}@bench.example`

/** Runs `lanes` at once for so long. Pieces of work a second. */
const rateOf = async (lanes: number, seconds: number, work: (n: number) => Promise<unknown>): Promise<number> => {
  const before = performance.now()
  let done = 0
  let next = 0
  const lane = async (): Promise<void> => {
    while (performance.now() - before < seconds * 1000) {
      const n = next
      next += 1
      await work(n)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return (done * 1000) / (performance.now() - before)
}

const signIns = async (server: Server, passwords: readonly string[], quick: boolean): Promise<BenchRow> => {
  const cores = availableParallelism()
  const seconds = quick ? 0.3 : 4
  let turn = 0
  // People come back on a device that they were given at the first sign-in; only the first one tells them by mail.
  const devices: string[] = []
  const one = async (): Promise<void> => {
    const n = turn % passwords.length
    const place = Math.floor(turn / passwords.length)
    turn += 1
    const device = devices[n]
    const body = {
      email: addressOf('known', n),
      password: passwords[n],
      remember: false,
      ...defined({ device: device ? device : undefined }),
    }
    const answer = await post(server, '/v1/sessions', body, place)
    const given = bodyOf(await answer.json())
    if (answer.status !== 201) throw new Error(`a sign-in was answered ${answer.status}`)
    if (typeof given['device'] === 'string') devices[n] = given['device']
  }
  for (let n = 0; n < passwords.length; n += 1) await one()
  const ours = (): Promise<number> => rateOf(2 * cores, seconds, one)
  const peer = (): Promise<number> => rateOf(cores, seconds, n => hash(`password ${n}`, COST))
  const found = await interleave(quick ? 1 : 5, { ours, peer })
  const [mine = [], theirs = []] = [found.get('ours'), found.get('peer')]
  const ratio = ratioOf(mine, theirs)
  return {
    work: 'sign-ins',
    against: 'argon2 on every core, and nothing else',
    ours: `${median(mine).toFixed(1)}/s`,
    peer: `${median(theirs).toFixed(1)}/s`,
    ratio,

    reach: '>= 0.85',
    met: ratio >= 0.85,
    note: `${2 * cores} clients beside it on ${cores} cores, devices known`,
  }
}

const readings = async (folder: string, server: Server, passwords: readonly string[], quick: boolean) => {
  const body = { email: addressOf('known', 0), password: passwords[0], remember: false }
  const opened = bodyOf(await (await post(server, '/v1/sessions', body, 999)).json())
  const authorization = { authorization: `Bearer ${String(opened['accessToken'])}` }
  const bare = await start('bare', folder)
  try {
    const get = (at: Server, headers: Readonly<Record<string, string>>) => (): Promise<Load> =>
      load(at, `/v1/entries/${exampleId}`, { connections: 16, headers, ...(quick ? quickly : { duration: 3 }) })
    const found = await interleave(quick ? 1 : 5, {
      bare: get(bare, {}),
      stranger: get(server, {}),
      reader: get(server, authorization),
    })
    const [peer = [], stranger = [], reader = []] = ['bare', 'stranger', 'reader'].map(name =>
      (found.get(name) ?? []).map(({ cpu }) => cpu),
    )
    const ratio = ratioOf(peer, reader)
    const share = 1 - ratioOf(stranger, reader)
    return [
      {
        work: 'GET entry by a signed-in reader',
        against: 'bare Fastify route with schema',
        ratio,
        ours: micros(median(reader)),
        peer: micros(median(peer)),
        reach: '>= 0.4',
        met: ratio >= 0.4,
        note: 'CPU a request',
      },
      {
        work: 'token and permissions of a GET',
        against: 'the same GET by a stranger',
        ratio: share,
        ours: micros(median(reader)),
        peer: micros(median(stranger)),
        reach: '<= 0.1',
        met: share <= 0.1,
        note: 'the ratio is the share of the CPU that a request with a token has beyond one without; tokens seen before',
      },
    ] satisfies BenchRow[]
  } finally {
    await bare.stop()
  }
}

/** How often a value of one is above a value of the other, ties half: .5 where nothing can be told (Mann and Whitney, 1947). */
export const areaUnderCurve = (one: readonly number[], other: readonly number[]): number => {
  const all = [...one.map(value => ({ value, own: 1 })), ...other.map(value => ({ value, own: 0 }))]
  all.sort((a, b) => a.value - b.value)
  let ranks = 0
  for (let from = 0; from < all.length; ) {
    let to = from
    while (to < all.length && all[to]?.value === all[from]?.value) to += 1
    for (let index = from; index < to; index += 1) ranks += (all[index]?.own ?? 0) * ((from + 1 + to) / 2)
    from = to
  }
  return (ranks - (one.length * (one.length + 1)) / 2) / (one.length * other.length)
}

const WORK = [
  ['sign-up', '/v1/accounts', {}],
  ['sign-in', '/v1/sessions', { password: 'correct horse staple', remember: false }],
  ['reset', '/v1/password-resets', {}],
  ['another link', '/v1/accounts/verify-email/resend', {}],
] as const

/** How long an answer takes to each of `people` known addresses, and to as many that nobody has. */
const timesOf = async (server: Server, [name, path, body]: (typeof WORK)[number], people: number) => {
  const times = { known: [] as number[], unknown: [] as number[] }
  for (let n = 0; n < people; n += 1) {
    // In either order by chance: what one leaves behind in caches and queues meets both.
    const pair = Math.random() < 0.5 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
    for (const group of pair) {
      const email = addressOf(group === 'known' ? group : `${name.replace(' ', '-')}-nobody`, n)
      const before = performance.now()
      const answer = await post(server, path, { ...body, email }, n)
      await answer.arrayBuffer()
      times[group].push(performance.now() - before)
      if (![202, 401].includes(answer.status)) throw new Error(`${name} was answered ${answer.status}`)
    }
  }
  return times
}

/**
 * Each address is asked for once: a second wish within a minute is written and sends no mail, which is less work than what a
 * stranger sees who asks for an address first. Each kind meets a node that has just begun: the known addresses are not in its
 * memory, as the others are not.
 */
export const enumeration = async (begin: () => Promise<Server>, people: number): Promise<readonly BenchRow[]> => {
  const rows: BenchRow[] = []
  for (const work of WORK) {
    const server = await begin()
    const times = await timesOf(server, work, people).finally(server.stop)
    const area = areaUnderCurve(times.known, times.unknown)
    const count = times.known.length
    const spread = Math.sqrt((2 * count + 1) / (12 * count * count))
    rows.push({
      work: `${work[0]}: known or not, by its time`,
      against: 'a coin',
      ours: area.toFixed(3),
      peer: '0.500',
      reach: '.48 to .52',
      met: area >= 0.48 && area <= 0.52,
      note: `area under the curve of ${count} pairs, of which chance alone spreads by ${spread.toFixed(3)}; p10 ${quantile(times.known, 0.1).toFixed(2)} and ${quantile(times.unknown, 0.1).toFixed(2)} ms, medians ${median(times.known).toFixed(2)} and ${median(times.unknown).toFixed(2)}, p90 ${quantile(times.known, 0.9).toFixed(2)} and ${quantile(times.unknown, 0.9).toFixed(2)}`,
    })
  }
  return rows
}

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    // So many pairs spread by chance alone by .009, of which the reach is twice.
    const crowd = quick ? 3 : 2_000
    // A device signs in ten times in a quarter of an hour at most.
    const seldom = quick ? 3 : 400
    const first = await start('people', folder, { BENCH_PEOPLE: String(crowd) })
    const passwords = first.passwords ?? []
    try {
      const rows = [
        await signIns(first, passwords.slice(0, seldom), quick),
        ...(await readings(folder, first, passwords, quick)),
      ]
      await first.stop()
      return [...rows, ...(await enumeration(() => start('people', folder), crowd))]
    } finally {
      await first.stop()
    }
  })

await main(import.meta, run)
