/** The read side of running services under faults: rebuilds that are killed, swaps during queries, a store that is deleted. */
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { runHere, serveHere } from '../support/here.ts'
import {
  ask,
  checkAll,
  draft,
  importWords,
  insist,
  leasesOf,
  listOf,
  ready,
  startLoad,
  tokenOf,
} from '../support/nodes.ts'
import { startProcess } from '../support/processes.ts'
import {
  environmentFor,
  main,
  type Service,
  serviceProcess,
  startService,
  temporaryFolder,
} from '../support/service.ts'
import { until } from '../support/until.ts'

/** More than are folded at once, so that a rebuild has a middle. */
const IMPORTED = 2_500

type Pointer = { readonly versions: Record<string, { readonly live?: number; readonly building?: number }> }
const pointersOf = (folder: string): Record<string, Pointer['versions'][string]> => {
  const db = new DatabaseSync(join(folder, 'read.db'), { readOnly: true, timeout: 5_000 })
  try {
    const rows = db.prepare("SELECT name, value FROM record WHERE name LIKE 'pointer:%'").all()
    return Object.fromEntries(
      rows.map(row => {
        const pointer: Pointer = JSON.parse(String(row['value']))
        return [String(row['name']).slice(8), Object.values(pointer.versions).at(-1) ?? {}]
      }),
    )
  } finally {
    db.close()
  }
}

/** Reads what was just written, pages and searches, on this node, until told to stop: what was not answered with 200. */
const startQueries = (node: Service, token: string, name: string) => {
  let stopped = false
  let count = 0
  const faults: string[] = []
  const read = async (path: string, sync?: string): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, ...defined({ 'sync-token': sync }) }
    const { status, text } = await ask(`${node.url}${path}`, { headers })
    count += 1
    if (status !== 200) faults.push(`${path}: ${text}`)
    return text
  }
  const loop = async (n: number): Promise<void> => {
    for (let i = 0; !stopped; i += 1) {
      const lemma = `${name} ${n} ${i}`
      const written = await insist(() => [node.url], token, lemma, lemma)
      if (!written) continue
      const found: { id?: string } = JSON.parse(await read(`/v1/entries/${written.id}`, written.sync))
      if (found.id !== written.id) faults.push(`${lemma} is not read after it was written`)
      const first: { next?: string } = JSON.parse(await read('/v1/entries?limit=50'))
      if (first.next) await read(`/v1/entries?limit=50&cursor=${encodeURIComponent(first.next)}`)
      const hits: { items?: unknown[] } = JSON.parse(await read('/v1/search?q=imported%20100', written.sync))
      if (hits.items?.length === 0) faults.push('the search finds nothing')
    }
  }
  const loops = Promise.all([loop(0), loop(1)])
  return {
    faults,
    count: () => count,
    stop: async () => {
      stopped = true
      await loops
    },
  }
}

/** What was read of the file, or undefined while it is being made. */
const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}

t.test('under two services', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  await importWords(folder, IMPORTED)
  // Alone: nobody else would finish the rebuild.
  const before = await serveHere(t, folder)
  await ready(before)
  await before.close()

  const checkpointOf = (generation: number | undefined): number => {
    const db = new DatabaseSync(join(folder, 'read.db'), { readOnly: true, timeout: 5_000 })
    try {
      const row = db
        .prepare("SELECT position FROM checkpoint WHERE consumer LIKE 'search@%#' || ?")
        .get(String(generation))
      return Number(row?.['position'] ?? 0)
    } finally {
      db.close()
    }
  }
  /** Killed in its middle: where it was; undefined when it was done before that was seen. */
  const killHalfway = async (): Promise<
    { readonly live: number | undefined; readonly reached: number } | undefined
  > => {
    const live = pointersOf(folder)['search']?.live
    const env = environmentFor(folder)
    const rebuilding = startProcess(t, ...(await serviceProcess([main, 'rebuild', 'search', '--json'])), { env })
    const reached = await until('a rebuild in the middle, or done', saw => {
      const pointer = pointersOf(folder)['search']
      const position = checkpointOf(pointer?.building)
      saw({ pointer, position, said: rebuilding.output })
      return position > 0 || pointer?.live !== live ? { position } : undefined
    })
    await rebuilding.stop('SIGKILL')
    const { live: after, building } = pointersOf(folder)['search'] ?? {}
    return after === live && building !== undefined ? { live, reached: reached.position } : undefined
  }
  let killed = await killHalfway()
  for (let tries = 1; killed === undefined && tries < 5; tries += 1) killed = await killHalfway()
  const half = pointersOf(folder)['search']
  const nodes = [await startService(t, folder), await startService(t, folder)]
  for (const node of nodes) await ready(node)

  await t.test('a rebuild killed in the middle goes on, and is swapped in while both answer queries', async t => {
    t.equal(half?.live, killed?.live, 'what is live stays live')
    t.ok(killed && half?.building !== undefined && killed.reached < IMPORTED, `killed at position ${killed?.reached}`)
    const queries = nodes.map((node, n) => startQueries(node, token, `reader ${n}`))
    // While the nodes are there: what asks them would go on without them for ever.
    t.teardown(() => Promise.all(queries.map(query => query.stop())))
    // The nodes take up what was left; the command finds it done, or in work, and then all are swapped again.
    const again = await runHere(folder, ['rebuild', 'search', '--json'])
    t.equal(again.code, 0, again.err)
    const built = pointersOf(folder)['search']
    t.ok((built?.live ?? 0) >= (half?.building ?? Number.POSITIVE_INFINITY), 'what was begun is live')
    t.equal((await runHere(folder, ['rebuild'])).code, 0)
    t.ok((pointersOf(folder)['search']?.live ?? 0) > (built?.live ?? 0), 'swapped again')
    for (const query of queries) await query.stop()
    for (const query of queries) t.same(query.faults, [], `${query.count()} queries during the swaps, none failed`)
  })

  await t.test('a read store deleted or damaged is begun anew and built again, without a restart', async t => {
    const load = startLoad(() => nodes.map(({ url }) => url), token, 4)
    t.teardown(() => load.stop())
    for (const suffixes of [['', '-wal', '-shm'], [''], ['', '-wal', '-shm', '-lock']]) {
      await load.more(50)
      const before = pointersOf(folder)
      for (const suffix of suffixes) rmSync(join(folder, `read.db${suffix}`))
      const after = await until('it is built again', () => {
        const pointers = attempt(() => pointersOf(folder))
        return ['entries', 'search'].every(name => pointers?.[name]?.live !== undefined) && pointers
      })
      t.not(
        after['entries']?.live,
        before['entries']?.live,
        `without read.db${suffixes.join(', ')}: another generation`,
      )
      await load.more(20)
      for (const node of nodes) await ready(node)
    }
    t.ok(leasesOf(folder).size >= 3, 'every consumer has its lease in the new store')
    const damaged = (): readonly string[] => readdirSync(folder).filter(name => name.includes('damaged'))
    t.same(damaged(), [], 'nothing was damaged by it')

    // Damage is found where it is met: everything behind the first pages, in file and log alike.
    const before = pointersOf(folder)
    for (const suffix of ['', '-wal']) {
      const path = join(folder, `read.db${suffix}`)
      // The log is not there while it is all in the file.
      if (!existsSync(path)) continue
      const file = openSync(path, 'r+')
      const size = Math.max(0, statSync(path).size - 8_192)
      writeSync(file, Buffer.alloc(size, 0xa5), 0, size, 8_192)
      closeSync(file)
    }
    await until('it is set aside and built again', () => {
      const pointers = attempt(() => pointersOf(folder))
      return pointers !== undefined && pointers['entries']?.live !== before['entries']?.live && damaged().length > 0
    })
    await load.more(20)
    await load.stop()
    await checkAll(t, folder, nodes, token, load.answered)
    for (const node of nodes) t.equal(await node.stop(), 0)
  })
})

const of = (consumer: string): string => `WHERE consumer LIKE '${consumer}@%'`
/** Each damage with the next start, one to each of two read models. */
const damages = [
  {
    'a checkpoint beyond the head': `UPDATE checkpoint SET position = position + 1000000 ${of('entries')}`,
    'a checkpoint that names an event nobody knows': `UPDATE checkpoint SET event_id = 'no such' ${of('search')}`,
  },
  {
    'a checkpoint of another log': `UPDATE checkpoint SET log_id = 'other' ${of('entries')}`,
    'a checkpoint without sense': `UPDATE checkpoint SET position = 'x', token = 'y' ${of('search')}`,
  },
  {
    'checkpoints under a token from the future': 'UPDATE checkpoint SET token = 8000000000000000',
    'a damaged pointer': "UPDATE record SET value = '{\"next\":' WHERE name = 'pointer:entries'",
  },
  {
    'a pointer without sense':
      'UPDATE record SET value = \'{"next":1,"versions":[7]}\' WHERE name = \'pointer:search\'',
    'damaged leases': "UPDATE record SET value = 'nobody' WHERE name LIKE 'lease:%'",
  },
]

t.test('damaged checkpoints, pointers and leases are built over', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  await importWords(folder, 200)
  let node = await serveHere(t, folder)
  await insist(() => [node.url], token, 'one', 'one')
  for (const pair of damages) {
    await node.close()
    const db = new DatabaseSync(join(folder, 'read.db'), { timeout: 5_000 })
    for (const [name, sql] of Object.entries(pair)) t.ok(db.prepare(sql).run().changes > 0, name)
    db.close()
    node = await serveHere(t, folder)
    const lemma = `after ${Object.keys(pair).join(' and ')}`
    const next = await insist(() => [node.url], token, lemma, lemma)
    const list = JSON.stringify(await listOf(node.url, token, next?.sync))
    for (const wanted of [lemma, 'imported 199', '"one"']) t.ok(list.includes(wanted), `there: ${wanted}`)
    const found = await until('the search has it', async saw => {
      const headers = defined({ 'sync-token': next?.sync })
      const response = await fetch(`${node.url}/v1/search?q=imported%20199`, { headers })
      const text = await response.text()
      saw(text)
      return response.status === 200 && text
    })
    t.match(JSON.parse(found), { items: [{ entry: { lemma: 'imported 199' } }] }, 'found')
  }
  await checkAll(t, folder, [node], token, [])
  t.equal((await draft(node.url, token, 'one', 'one')).headers.get('idempotent-replayed'), 'true')
})
