/** Any bit of the trees by which the embedded log is looked up, flipped: `repair` makes all of them again, in place or with the whole file. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { openSqliteEventStore, type SqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { fastClock } from '../support/clocks.ts'
import { damage, turned } from '../support/damage.ts'
import { codeOf, newEvent, readLog, readWhole, written } from '../support/event-stores.ts'
import { bytesOf, writeFlipped } from '../support/flipped.ts'
import { sample } from '../support/property.ts'

const clock = fastClock(1)
const signal = new AbortController().signal
const STREAMS = Array.from({ length: 700 }, (_, nth) => `entry-${nth}`)
const TREES = ['names', 'names_again', 'streams', 'events_stream', 'events_kind', 'events_large']
const PAGE_BYTES = 4_096

const filled = async (t: Test) => {
  const path = join(t.testdir(), 'events.db')
  const store = await openSqliteEventStore({ path, clock })
  const large = { text: 'x'.repeat(40_000) }
  await store.appendMany(
    STREAMS.map((stream, nth) => ({
      stream,
      expected: 'none' as const,
      events: [newEvent(nth % 9 === 0 ? 'Rare' : 'Noted', nth % 100 === 0 ? large : { text: 'x' }), newEvent()],
    })),
  )
  await store.close()
  const db = new DatabaseSync(path)
  const pages = db
    .prepare(`SELECT pageno FROM dbstat WHERE name IN (${TREES.map(tree => `'${tree}'`).join(', ')})`)
    .all()
    .map(row => Number(row['pageno']))
  db.close()
  return { path, pages, sound: readFileSync(path) }
}

const readEverything = async (store: SqliteEventStore) => ({
  log: (await readLog(store, 0n)).events,
  rare: (await readLog(store, 0n, { types: ['Rare'] })).events,
  streams: await Promise.all(['entry-0', 'entry-350', 'entry-699', 'entry-700'].map(name => readWhole(store, name))),
  head: await store.head(),
})
const opened = async (t: Test, path: string) => {
  const store = await openSqliteEventStore({ path, clock, busyTimeoutMs: 50 })
  t.teardown(() => store.close())
  return store
}
const keptBeside = (path: string): readonly string[] =>
  readdirSync(dirname(path)).filter(name => name.startsWith('events.db.damaged-'))

t.test('bits that are drawn from all of the pages', async t => {
  const { path, pages, sound } = await filled(t)
  const whole = await openSqliteEventStore({ path, clock })
  const expected = await readEverything(whole)
  await whole.close()
  const bits = sample(fc.record({ page: fc.constantFrom(...pages), byte: fc.nat(PAGE_BYTES - 1), bit: fc.nat(7) }), 24)
  // The head of a page is what makes a tree one that cannot be walked.
  const heads = sample(fc.record({ page: fc.constantFrom(...pages), byte: fc.nat(11), bit: fc.nat(7) }), 24, 1)
  const tallies = { sound: 0, inPlace: 0, remade: 0 }
  for (const { page, byte, bit } of [...bits, ...heads]) {
    const what = `bit ${bit} of byte ${byte} of page ${page}`
    writeFlipped(path, sound, { at: (page - 1) * PAGE_BYTES + byte, bit })
    const store = await openSqliteEventStore({ path, clock })
    try {
      const found = await store.lookAtLookups(signal)
      if (found.different === 0) tallies.sound += 1
      else {
        const { kept } = await store.repairLookups()
        tallies[kept === undefined ? 'inPlace' : 'remade'] += 1
        t.match(await store.lookAtLookups(signal), { different: 0 }, what)
      }
      t.same(await readEverything(store), expected, what)
      written(await store.append('entry-350', 1n, [newEvent()]))
    } catch (error) {
      t.fail(`${what}: ${String(error)}`)
    } finally {
      await store.close()
    }
  }
  t.ok(tallies.remade > 4 && tallies.inPlace > 4, JSON.stringify(tallies))
})

t.test('what cannot be walked is named', async t => {
  const { path, sound } = await filled(t)
  const called: Readonly<Record<string, string>> = {
    names: 'the table of names',
    names_again: 'the index of names',
    streams: 'the table of streams',
    events_stream: 'the index of revisions',
    events_kind: 'the index of types',
    events_large: 'the index of large events',
    sqlite_autoindex_kinds_1: 'the index of kinds',
  }
  const db = new DatabaseSync(path)
  const pages = Object.keys(called).map(tree => {
    const rows = db.prepare('SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno').all(tree)
    return [tree, rows.map(row => Number(row['pageno']))] as const
  })
  db.close()
  for (const [tree, numbers] of pages)
    for (const page of [numbers[0] ?? 0, numbers.at(-1) ?? 0]) {
      writeFlipped(path, sound, { at: (page - 1) * PAGE_BYTES, bit: 4 })
      const store = await openSqliteEventStore({ path, clock })
      const { differences } = await store.lookAtLookups(signal)
      t.same(differences, [`${called[tree]} cannot be read from end to end`], `page ${page} of ${tree}`)
      await store.close()
    }
})

t.test('the file is made again', async t => {
  const { path, pages, sound } = await filled(t)
  const [first = 0] = pages
  const flip = { at: (first - 1) * PAGE_BYTES, bit: 4 }

  await t.test('and what was is kept beside, its owner’s alone; a damaged event stays one', async t => {
    writeFileSync(path, sound)
    damage(path, `UPDATE events SET data = ${turned('data', 5)} WHERE position = 7`)
    const checkpointed = new DatabaseSync(path)
    checkpointed.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    checkpointed.close()
    writeFlipped(path, readFileSync(path), flip)
    const store = await opened(t, path)
    const before = (await readLog(store, 0n)).events
    const { kept } = await store.repairLookups()
    t.same(
      keptBeside(path).map(name => join(dirname(path), name)),
      [kept],
    )
    for (const file of [path, kept ?? '']) t.equal(statSync(file).mode & 0o777, 0o600)
    t.same((await readLog(store, 0n)).events, before)
    t.match(before[6], { position: 7n, damaged: true })
    t.equal(store.logId, (await opened(t, path)).logId, 'it is the same log')
    t.same(
      readdirSync(dirname(path)).filter(name => name.includes('remade')),
      [],
    )
  })

  await t.test('but not while another process has it open', async t => {
    const before = keptBeside(path)
    writeFlipped(path, sound, flip)
    const store = await opened(t, path)
    const other = await opened(t, path)
    await t.rejects(store.repairLookups(), { code: 'unavailable', message: /another process uses it: end the service/ })
    t.same(keptBeside(path), before)
    t.equal((await readLog(store, 0n)).events.length, 1_400, 'it is as it was')
    t.equal((await readLog(other, 0n)).events.length, 1_400)
  })

  await t.test('nor where a row of the events is none any more', async t => {
    writeFlipped(path, sound, flip)
    const db = new DatabaseSync(path)
    const [root] = db.prepare("SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' LIMIT 1").all()
    db.close()
    const at = (Number(root?.['pageno']) - 1) * PAGE_BYTES + 4
    writeFlipped(path, readFileSync(path), { at, bit: 0 })
    const store = await opened(t, path)
    t.equal(await codeOf(store.repairLookups()), 'corrupt')
    t.ok((await store.head()) > 0n, 'it is open as before')
  })
})

t.test('the kinds of events and their index, each where the other is whole', async t => {
  for (const [text, what] of [
    ['entryNoted', 'a number in the index'],
    ['Noted', 'a name in the table'],
  ] as const) {
    const { path, sound } = await filled(t)
    const whole = await openSqliteEventStore({ path, clock })
    const expected = await readEverything(whole)
    await whole.close()
    // The last record that has the text is the index's, the first one the table's; a number comes behind the text.
    const isIndex = text === 'entryNoted'
    const at = isIndex ? sound.lastIndexOf(text) + text.length : sound.indexOf(text) + 1
    writeFlipped(path, sound, { at, bit: 1 })
    const store = await opened(t, path)
    t.same(await readEverything(store), expected, `${what}: it is read as what it is`)
    t.ok((await store.lookAtLookups(signal)).different > 0, `${what}: it is named`)
    await store.repairLookups()
    t.match(await store.lookAtLookups(signal), { different: 0 }, `${what}: it is mended`)
    written(await store.append('entry-350', 1n, [newEvent('Noted')]))
    const [last] = (await readLog(store, (await store.head()) - 1n)).events
    t.match(last, { type: 'Noted', stream: 'entry-350' })
    t.notOk(last?.damaged)
    await store.close()
  }
})

t.test('each byte of the kinds and of their index, flipped: mended, and then nothing differs', async t => {
  const path = join(t.testdir(), 'events.db')
  const whole = await openSqliteEventStore({ path, clock })
  for (const type of ['Rare', 'Noted', 'Kept']) written(await whole.append(`entry-${type}`, 'none', [newEvent(type)]))
  const expected = (await readLog(whole, 0n)).events
  await whole.close()
  const sound = readFileSync(path)
  const tallies = { sound: 0, mended: 0, told: 0 }
  for (const tree of ['kinds', 'sqlite_autoindex_kinds_1'])
    for (const at of bytesOf(path, tree))
      for (const bit of [at % 2 === 0 ? 2 : 7]) {
        const what = `bit ${bit} of byte ${at} of ${tree}`
        writeFlipped(path, sound, { at, bit })
        let store: SqliteEventStore | undefined
        try {
          store = await openSqliteEventStore({ path, clock })
          if ((await store.lookAtLookups(signal)).different === 0) tallies.sound += 1
          else {
            await store.repairLookups()
            t.match(await store.lookAtLookups(signal), { different: 0 }, what)
            tallies.mended += 1
          }
          t.same((await readLog(store, 0n)).events, expected, what)
          written(await store.append('entry-Kept', 0n, [newEvent('Kept'), newEvent('New')]))
          t.notOk(
            (await readLog(store, 0n)).events.some(event => event.damaged),
            what,
          )
        } catch (error) {
          t.equal(error instanceof EventStoreError && error.code, 'corrupt', `${what}: ${String(error)}`)
          tallies.told += 1
        } finally {
          await store?.close()
        }
      }
  t.ok(tallies.mended > 100, JSON.stringify(tallies))
  t.ok(tallies.told * 10 < tallies.mended, JSON.stringify(tallies))
})
