/** The service on disks that are full, read-only, locked, truncated, or hold the files of somebody else. */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { runHere } from '../support/here.ts'
import {
  type Answered,
  ask,
  checkAll,
  checkLog,
  draft,
  insist,
  listOf,
  logOf,
  ready,
  startLoad,
  tokenOf,
} from '../support/nodes.ts'
import { lexichron, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const mount = (...args: readonly string[]): boolean => spawnSync('mount', args).status === 0

type Disk = { readonly folder: string; remount(options: string): boolean }

/** A file system of its own, of so many MiB; undefined where this user may not mount one. */
const openDisk = (size: number): (Disk & { readonly close: () => void }) | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'lexichron-disk-'))
  const mounted = mount('-t', 'tmpfs', '-o', `size=${size}m,mode=0700`, 'tmpfs', folder)
  const close = (): void => {
    if (mounted) spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  }
  if (mounted) return { folder, close, remount: options => mount('-o', `remount,${options}`, folder) }
  close()
  return undefined
}

const withDisk = (name: string, size: number, run: (t: Test, disk: Disk) => Promise<void>): void => {
  const probe = openDisk(1)
  probe?.close()
  t.test(name, probe ? {} : { skip: 'mounting a file system needs root' }, async t => {
    const disk = openDisk(size)
    if (!disk) throw new Error('it could be mounted a moment ago')
    t.teardown(disk.close)
    await run(t, disk)
  })
}

const get = async (url: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> => {
  const response = await fetch(url)
  return { status: response.status, body: JSON.parse(await response.text()) }
}

withDisk('a full disk: commands are refused, queries go on, and with room again all goes on', 12, async (t, disk) => {
  const { folder } = disk
  const token = await tokenOf(folder)
  const nodes = [await startService(t, folder), await startService(t, folder)]
  const urls = () => nodes.map(({ url }) => url)
  for (const node of nodes) await ready(node)
  const first = await insist(urls, token, 'first', 'first')
  await listOf(nodes[0]?.url ?? '', token, first?.sync)
  const answered: Answered[] = []
  const refused: { readonly key: string; readonly code: unknown }[] = []
  const gloss = 'x'.repeat(1_900)
  const fill = async (n: number): Promise<void> => {
    for (let i = 0; refused.length < 12; i += 1) {
      const key = `fill ${n} ${i}`
      const response = await draft(urls()[n % 2] ?? '', token, key, key, { gloss })
      const body = JSON.parse(await response.text())
      if (response.status === 201) answered.push({ id: body.id, revision: body.revision, sync: '' })
      else refused.push({ key, code: `${response.status} ${body.code}` })
    }
  }
  await Promise.all([0, 1, 2, 3].map(fill))
  t.ok(answered.length > 20, `${answered.length} were answered before the disk was full`)
  t.same([...new Set(refused.map(({ code }) => code))], ['503 store-unavailable'])
  for (const { url } of nodes) {
    t.equal((await get(`${url}/v1/entries?limit=5`)).status, 200, 'queries go on')
    t.equal((await get(`${url}/v1/search?q=first`)).status, 200)
    t.equal((await get(`${url}/health/live`)).status, 200)
  }
  checkLog(t, folder, answered)

  t.ok(disk.remount('size=200m'), 'there is room again')
  for (const { key } of refused) {
    const response = await until('it is written now', async () => {
      const tried = await draft(nodes[0]?.url ?? '', token, key, key, { gloss })
      if (tried.status === 201) return tried
      await tried.arrayBuffer()
      return undefined
    })
    const body = JSON.parse(await response.text())
    answered.push({ id: body.id, revision: body.revision, sync: '' })
  }
  await checkAll(t, folder, nodes, token, answered)
  for (const node of nodes) t.equal(await node.stop(), 0)
})

withDisk(
  'killed on a full disk: it starts for reading, says why it writes nothing, and comes back by itself',
  12,
  async (t, disk) => {
    const { folder, remount } = disk
    const token = await tokenOf(folder, 'admin')
    const gloss = 'x'.repeat(1_900)
    const fill = (): void => {
      const file = openSync(join(folder, 'of-others'), 'a')
      for (const size of [1_048_576, 65_536, 4_096])
        try {
          for (;;) writeSync(file, Buffer.alloc(size, 1))
        } catch {
          // Full, as far as this size goes.
        }
      closeSync(file)
    }
    const answered: Answered[] = []
    const writing = async (url: string, what: string): Promise<void> => {
      const done = await insist(() => [url], token, what, what)
      if (done) answered.push(done)
    }
    const readsAlone = async (url: string, what: string): Promise<void> => {
      const page = await ask(`${url}/v1/entries?status=draft&limit=5`, {
        headers: { authorization: `Bearer ${token}` },
      })
      t.match(page, { status: 200, text: /"lemma":"first"/ }, 'queries go on')
      t.equal((await get(`${url}/health/ready`)).status, 200)
      const refused = await draft(url, token, what, what, { gloss })
      t.equal(refused.status, 503)
      t.match(JSON.parse(await refused.text()), { code: 'store-unavailable' })
      // A part that is asked while much else begins may answer too late for one look: it is asked again.
      const health = await until('health that tells why', async saw => {
        const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${token}` } })
        const report = Object(await answer.json())
        saw(report)
        return report.state === 'degraded' && report
      })
      t.match(health, { parts: { disk: { state: 'degraded', detail: { reason: /the disk is full/ } } } })
    }
    let node = await startService(t, folder)
    await writing(node.url, 'first')
    await listOf(node.url, token, answered.at(-1)?.sync)
    await until('room is kept', () => existsSync(join(folder, 'room')))
    fill()
    await node.stop('SIGKILL')
    fill()
    node = await startService(t, folder)
    await readsAlone(node.url, 'refused once')
    t.ok(remount('size=24m'), 'there is room again')
    await writing(node.url, 'second')
    await checkAll(t, folder, [node], token, answered)
    await until('room is kept again', () => existsSync(join(folder, 'room')))

    t.equal(await node.stop(), 0)
    fill()
    t.notOk(existsSync(join(folder, 'read.db-shm')), 'nor is there what a start makes to read')
    node = await startService(t, folder)
    t.notOk(existsSync(join(folder, 'room')), 'the room was given up')
    fill()
    await readsAlone(node.url, 'refused twice')
    await node.stop('SIGKILL')
    fill()
    node = await startService(t, folder)
    await readsAlone(node.url, 'refused thrice')
    rmSync(join(folder, 'of-others'))
    await writing(node.url, 'third')
    await checkAll(t, folder, [node], token, answered)
    t.equal(await node.stop(), 0)
  },
)

withDisk('a read-only disk: the start is refused in one sentence, and nothing is changed', 32, async (t, disk) => {
  const { folder, remount } = disk
  t.ok(remount('ro'))
  const empty = await runHere(folder, ['serve'])
  t.not(empty.code, 0)
  t.match(
    empty.err,
    /^lexichron: .*(read\.db|events\.db).*(not writable|cannot be opened)[^\n]*\n$/,
    'in an empty folder',
  )
  t.ok(remount('rw'))
  const token = await tokenOf(folder)
  const node = await startService(t, folder)
  const answered = await insist(() => [node.url], token, 'one', 'one')
  await node.stop('SIGKILL')
  t.ok(remount('ro'))
  const full = await lexichron(folder, ['serve'])
  t.not(full.code, 0)
  t.match(full.err, /^lexichron: [^\n]*not writable[^\n]*\n$/, 'on data that is there')
  t.ok(remount('rw'))
  const again = await startService(t, folder)
  await checkAll(t, folder, [again], token, answered ? [answered] : [])
  t.equal(await again.stop(), 0)
})

t.test('a log that is locked or deleted: writing is refused, reading goes on, and nothing is lost', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  const node = await startService(t, folder)
  await ready(node)
  const first = await insist(() => [node.url], token, 'first', 'first')
  await listOf(node.url, token, first?.sync)
  const holders = ['events.db', 'read.db'].map(name => {
    const db = new DatabaseSync(join(folder, name), { timeout: 5_000 })
    db.exec('BEGIN IMMEDIATE')
    return db
  })
  let under = true
  const refused = draft(node.url, token, 'waiting', 'waiting').finally(() => {
    under = false
  })
  let answered = 0
  for (let n = 0; n < 20; n += 1) {
    t.equal((await get(`${node.url}/v1/entries?limit=5`)).status, 200, 'a query is answered')
    t.equal((await get(`${node.url}/v1/search?q=first`)).status, 200)
    if (under) answered += 1
  }
  t.ok(answered > 0, `while a command waits for the lock (${answered} times)`)
  t.equal((await refused).status, 503)
  t.match(JSON.parse(await (await refused).text()), { code: 'store-unavailable' })
  for (const holder of holders) holder.close()
  const drafts = [first, await insist(() => [node.url], token, 'waiting', 'waiting')]

  const names = ['events.db', 'events.db-wal', 'events.db-shm']
  for (const name of names) renameSync(join(folder, name), join(folder, `${name}.away`))
  const gone = await draft(node.url, token, 'two', 'two')
  t.equal(gone.status, 503, 'nothing is answered that would be gone with the process')
  await gone.arrayBuffer()
  const health = () => get(`${node.url}/health/ready`)
  await until('it is not ready', async () => (await health()).status === 503)
  const aged = await until('an answer tells how old it is', async () => {
    const response = await fetch(`${node.url}/v1/entries?limit=5`)
    await response.arrayBuffer()
    t.equal(response.status, 200, 'queries go on without the log')
    return response.headers.get('age') ?? undefined
  })
  t.match(aged, /^[1-9]\d*$/)
  for (const name of names) renameSync(join(folder, `${name}.away`), join(folder, name))
  drafts.push(await insist(() => [node.url], token, 'two', 'two'))
  await checkAll(
    t,
    folder,
    [node],
    token,
    drafts.filter(written => written !== undefined),
  )
  await until('answers are of now again', async () => {
    const response = await fetch(`${node.url}/v1/entries?limit=5`)
    await response.arrayBuffer()
    return response.headers.get('age') === null
  })
  t.equal(await node.stop(), 0)
})

t.test('the files of another program are named and left alone', async t => {
  const start = async (name: string, make: (path: string) => void, sentence: string): Promise<void> => {
    const folder = temporaryFolder(t)
    const path = join(folder, name)
    make(path)
    const before = readFileSync(path)
    const { code, err } = await runHere(folder, ['serve'])
    t.equal(code, 1)
    t.match(err, new RegExp(`^lexichron: [^\\n]*${name}: ${sentence}[^\\n]*\\n$`))
    t.ok(before.equals(readFileSync(path)), 'untouched')
  }
  const database = (path: string): void => {
    const other = new DatabaseSync(path)
    other.exec('PRAGMA application_id = 77; CREATE TABLE theirs (a)')
    other.close()
  }
  const letter = (path: string): void =>
    writeFileSync(path, 'this is a letter and no database, and it is long enough to be taken for one\n'.repeat(50))
  await Promise.all([
    start('read.db', database, 'the database belongs to another program'),
    start('events.db', letter, 'the file is not a SQLite database'),
    start('jobs.db', letter, 'the file is not a SQLite database. It holds the mails that wait'),
  ])
})

t.test('a truncated write-ahead log: what is left is whole, and the loss of the log is known', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  const wal = (name: string): string => join(folder, `${name}-wal`)
  const cut = (name: string): void => truncateSync(wal(name), Math.floor(statSync(wal(name)).size * 0.6))
  let node = await startService(t, folder)
  let load = startLoad(() => [node.url], token, 4)
  await load.more(100)
  await load.stop()
  await listOf(node.url, token, load.answered.at(-1)?.sync)
  await node.stop('SIGKILL')
  cut('read.db')
  node = await startService(t, folder)
  t.ok(await listOf(node.url, token, load.answered.at(-1)?.sync), 'the read store may lose its end: it is folded again')
  checkLog(t, folder, load.answered)
  load = startLoad(() => [node.url], token, 4)
  await load.more(100)
  await load.stop()
  const last = load.answered.at(-1)
  await listOf(node.url, token, last?.sync)
  await node.stop('SIGKILL')
  const before = logOf(folder)
  cut('events.db')
  node = await startService(t, folder)
  const after = logOf(folder)
  t.ok(after.length < before.length, `${before.length - after.length} of ${before.length} events are lost`)
  t.same(after, before.slice(0, after.length), 'what is left is the beginning, whole')
  const said = (): boolean => (node.output.out + node.output.err).includes('the log has lost its end')
  await until('it is said', said)
  const stale = await fetch(`${node.url}/v1/entries`, { headers: { 'sync-token': last?.sync ?? '' } })
  t.equal(stale.status, 409, 'no token of before speaks for what is written from now on')
  t.match(JSON.parse(await stale.text()), { code: 'other-log' })
  await checkAll(t, folder, [node], await tokenOf(folder), [])
  t.equal(await node.stop(), 0)
})
