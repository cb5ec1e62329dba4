/** The read side of running services under faults: rebuilds that are killed, swaps during queries, a store that is deleted. */

import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { checkAll, draft, insist, leasesOf, listOf, ready, startLoad, tokenOf } from '../support/nodes.ts'
import { environmentFor, lexichron, type Service, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const IMPORTED = 2_500

const importWords = async (folder: string, count: number): Promise<void> => {
  const path = join(folder, 'words.ndjson')
  const line = (n: number): string =>
    JSON.stringify({ language: 'en', lemma: `imported ${n}`, partOfSpeech: 'noun', senses: [{ gloss: `sense ${n}` }] })
  writeFileSync(path, Array.from({ length: count }, (_, n) => `${line(n)}\n`).join(''))
  const done = await lexichron(folder, ['import', 'ndjson', path])
  if (done.code !== 0) throw new Error(done.err)
}

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
  const ask = async (path: string, sync?: string): Promise<string> => {
    const began = performance.now()
    const response = await fetch(`${node.url}${path}`, {
      headers: { authorization: `Bearer ${token}`, ...(sync !== undefined && { 'sync-token': sync }) },
    })
    const text = await response.text()
    count += 1
    if (response.status !== 200) faults.push(`${path} after ${Math.round(performance.now() - began)} ms: ${text}`)
    return text
  }
  const loop = async (n: number): Promise<void> => {
    for (let i = 0; !stopped; i += 1) {
      const lemma = `${name} ${n} ${i}`
      const written = await insist(() => [node.url], token, lemma, lemma)
      if (!written) continue
      const read: { id?: string } = JSON.parse(await ask(`/v1/entries/${written.id}`, written.sync))
      if (read.id !== written.id) faults.push(`${lemma} is not read after it was written`)
      const first: { next?: string } = JSON.parse(await ask('/v1/entries?limit=50'))
      if (first.next) await ask(`/v1/entries?limit=50&cursor=${encodeURIComponent(first.next)}`)
      const found: { items?: unknown[] } = JSON.parse(await ask('/v1/search?q=imported%20100', written.sync))
      if (found.items?.length === 0) faults.push('the search finds nothing')
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

t.test('a rebuild killed in the middle goes on, and is swapped in while both nodes answer queries', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  await importWords(folder, IMPORTED)
  const env = { ...environmentFor(folder) }
  const rebuild = () => spawn(process.execPath, [main, 'rebuild', 'search', '--json'], { env, stdio: 'ignore' })

  // Alone: nobody else would finish it.
  const before = await startService(t, folder)
  await ready(before)
  await before.stop()
  const live = pointersOf(folder)['search']?.live
  const first = rebuild()
  const exited = new Promise(done => first.once('exit', done))
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
  const reached = await until('it is in the middle', async () => {
    const position = checkpointOf(pointersOf(folder)['search']?.building)
    return position > 0 ? position : undefined
  })
  first.kill('SIGKILL')
  await exited
  const half = pointersOf(folder)['search']
  t.equal(half?.live, live, 'what is live stays live')
  t.ok(half?.building !== undefined && reached < IMPORTED, `killed at position ${reached}`)

  const nodes = [await startService(t, folder), await startService(t, folder)]
  for (const each of nodes) await ready(each)
  const queries = nodes.map((each, n) => startQueries(each, token, `reader ${n}`))
  // The nodes take up what was left; the command finds it done, or in work, and then all are swapped again.
  const again = await lexichron(folder, ['rebuild', 'search', '--json'])
  t.equal(again.code, 0, again.err)
  const built = pointersOf(folder)['search']
  t.ok((built?.live ?? 0) >= (half?.building ?? Number.POSITIVE_INFINITY), 'what was begun is live')
  t.equal((await lexichron(folder, ['rebuild'])).code, 0)
  t.ok((pointersOf(folder)['search']?.live ?? 0) > (built?.live ?? 0), 'swapped again')
  for (const each of queries) await each.stop()
  for (const each of queries) t.same(each.faults, [], `${each.count()} queries during the swaps, none failed`)
  await checkAll(t, folder, nodes, token, [])
  for (const each of nodes) t.equal(await each.stop(), 0)
})

t.test(
  'a read store deleted or damaged under two services is begun anew and built again, without a restart',
  async t => {
    const folder = temporaryFolder(t)
    const token = await tokenOf(folder)
    const nodes = [await startService(t, folder), await startService(t, folder)]
    for (const each of nodes) await ready(each)
    const load = startLoad(() => nodes.map(each => each.url), token, 4)
    for (const suffixes of [['', '-wal', '-shm'], [''], ['', '-wal', '-shm', '-lock']]) {
      await load.more(100)
      const before = pointersOf(folder)
      for (const suffix of suffixes) rmSync(join(folder, `read.db${suffix}`))
      const after = await until('it is built again', async () => {
        try {
          const pointers = pointersOf(folder)
          return ['entries', 'search'].every(each => pointers[each]?.live !== undefined) ? pointers : undefined
        } catch {
          return undefined
        }
      })
      t.not(
        after['entries']?.live,
        before['entries']?.live,
        `without read.db${suffixes.join(', ')}: another generation`,
      )
      await load.more(20)
      for (const each of nodes) await ready(each)
    }
    t.ok(leasesOf(folder).size >= 3, 'every consumer has its lease in the new store')
    const damaged = (): readonly string[] => readdirSync(folder).filter(each => each.includes('damaged'))
    t.same(damaged(), [], 'nothing was damaged by it')

    // Damage is found where it is met: everything behind the first pages, in file and log alike.
    const before = pointersOf(folder)
    for (const suffix of ['', '-wal']) {
      const path = join(folder, `read.db${suffix}`)
      const file = openSync(path, 'r+')
      const size = Math.max(0, statSync(path).size - 8_192)
      writeSync(file, Buffer.alloc(size, 0xa5), 0, size, 8_192)
      closeSync(file)
    }
    await until('it is set aside and built again', async () => {
      try {
        return pointersOf(folder)['entries']?.live !== before['entries']?.live && damaged().length > 0
          ? true
          : undefined
      } catch {
        return undefined
      }
    })
    await load.more(20)
    await load.stop()
    await checkAll(t, folder, nodes, token, load.answered)
    for (const each of nodes) t.equal(await each.stop(), 0)
  },
)

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
  let node = await startService(t, folder)
  await ready(node)
  await insist(() => [node.url], token, 'one', 'one')
  for (const each of damages) {
    await node.stop('SIGKILL')
    const db = new DatabaseSync(join(folder, 'read.db'), { timeout: 5_000 })
    for (const [name, sql] of Object.entries(each)) t.ok(db.prepare(sql).run().changes > 0, name)
    db.close()
    node = await startService(t, folder)
    const lemma = `after ${Object.keys(each).join(' and ')}`
    const next = await insist(() => [node.url], token, lemma, lemma)
    const list = await until('it reads what was written since', () =>
      listOf(node.url, token, next?.sync).catch(() => undefined),
    )
    for (const wanted of [lemma, 'imported 199', '"one"'])
      t.ok(JSON.stringify(list).includes(wanted), `there: ${wanted}`)
    const found = await until('the search has it', async () => {
      const headers = { ...(next && { 'sync-token': next.sync }) }
      const response = await fetch(`${node.url}/v1/search?q=imported%20199`, { headers })
      const text = await response.text()
      return response.status === 200 ? text : undefined
    })
    t.match(JSON.parse(found), { items: [{ entry: { lemma: 'imported 199' } }] }, 'found')
  }
  await checkAll(t, folder, [node], token, [])
  t.equal((await draft(node.url, token, 'one', 'one')).headers.get('idempotent-replayed'), 'true')
  await node.stop()
})
