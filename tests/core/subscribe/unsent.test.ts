/** Jobs that are lost, and the checkpoint with them: what may not have been sent is named, and sent when an operator says so. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openQueue } from '../../../src/adapters/jobs/queue.ts'
import { openSqliteJobs } from '../../../src/adapters/jobs/sqlite/backend.ts'
import type { Subscriber } from '../../../src/core/subscribe/define.ts'
import { runSubscriber } from '../../../src/core/subscribe/runner.ts'
import { beginOutward, begunAt, noteSent, UNSENT_JOB, unsentJobs } from '../../../src/core/subscribe/unsent.ts'
import type { Jobs } from '../../../src/ports/jobs.ts'
import { realClock } from '../../support/clocks.ts'
import { type MemoryLog, memoryLog } from '../../support/memory-log.ts'
import { openReadSide } from '../../support/projections.ts'
import { temporaryFolder } from '../../support/service.ts'
import { until } from '../../support/until.ts'

const JOB = 'letter'

/** A node of a service: its queue on the folder's file, its subscriber, which makes a job of each event. */
const startNode = async (
  t: Test,
  folder: string,
  {
    log,
    store,
    name,
  }: {
    readonly log: MemoryLog
    readonly store: Awaited<ReturnType<typeof openReadSide>>['store']
    readonly name: string
  },
  done: string[],
) => {
  const clock = realClock()
  const queue = await openQueue({
    backend: openSqliteJobs(join(folder, 'jobs.db')),
    nodeId: name,
    clock,
    random: () => 0.5,
    lookMs: 20,
    onError: () => undefined,
  })
  const jobs = async (): Promise<Jobs> => queue
  const subscriber: Subscriber = {
    name: 'post',
    categories: ['word'],
    types: ['WordSet'],
    from: 'now',
    outward: true,
    handle: async events => {
      await queue.addAll(
        events.map(({ id, position, data }) => ({ kind: JOB, key: id, position, data: { word: data['word'] ?? '' } })),
      )
    },
  }
  const unsent = { subscriber, log, records: store, jobs }
  const stopping = new AbortController()
  const handle = runSubscriber({
    subscriber,
    log,
    store: queue.consumers,
    clock,
    nodeId: name,
    signal: stopping.signal,
    beginAt: head => beginOutward(unsent, head),
  })
  let opened = true
  const close = async (): Promise<void> => {
    if (!opened) return
    opened = false
    stopping.abort()
    await handle.done
    await queue.close()
  }
  t.teardown(close)
  const work = (only: (word: string) => boolean = () => true): Promise<void> =>
    queue.work([
      unsentJobs([subscriber], log),
      {
        name: JOB,
        concurrency: 1,
        firstMs: 3_600_000,
        longestMs: 3_600_000,
        handle: async ({ data }) => {
          if (!only(String(data['word']))) throw new Error('not now')
          done.push(String(data['word']))
        },
      },
    ])
  await until('it follows', async saw => {
    const status = await handle.status()
    saw(status)
    return status.state === 'following'
  })
  return { queue, subscriber, close, work, handle, note: () => noteSent(unsent, JOB) }
}

t.test(
  'lost jobs: the span that may not have been sent is named, sent when asked for, and no longer than need be',
  async t => {
    const side = await openReadSide()
    t.teardown(() => side.close())
    const { store } = side
    const log = memoryLog()
    const folder = temporaryFolder(t)
    const done: string[] = []
    log.write('word-old', 'WordSet', { word: 'old' })
    const first = await startNode(t, folder, { log, store, name: 'one' }, done)
    t.equal(await begunAt(first.queue, first.subscriber), log.events[0]?.position, 'what was before is not sent')
    for (const word of ['a', 'b', 'c', 'd']) log.write(`word-${word}`, 'WordSet', { word })
    log.write('word-x', 'WordSeen', { word: 'x' })
    await first.work(word => word !== 'c')
    await until('three are done', () => done.length === 3)
    t.same(done, ['a', 'b', 'd'])
    await first.note()
    const at = (word: string) =>
      log.events.find(({ data, type }) => type === 'WordSet' && data['word'] === word)?.position ?? 0n
    t.same(
      [...(await store.records('sent:')).values()],
      [`${log.logId} ${at('c') - 1n} ${await log.head()} ${await log.markAt(await log.head())}`],
      'up to the first that is not done',
    )
    await first.close()

    log.write('word-e', 'WordSet', { word: 'e' })
    for (const name of ['jobs.db', 'jobs.db-wal', 'jobs.db-shm']) rmSync(join(folder, name), { force: true })
    const second = await startNode(t, folder, { log, store, name: 'two' }, done)
    const [lost, ...more] = await second.queue.list({ state: 'parked', limit: 10 })
    t.same(more, [])
    const to = log.events.at(-1)?.position
    t.match(lost, {
      kind: UNSENT_JOB,
      key: `post:${at('c') - 1n}-${to}`,
      reason: `of events after position ${at('c') - 1n}, up to ${to}, nothing may have been sent: the jobs were lost, or the log was put back`,
    })
    await second.work()
    log.write('word-f', 'WordSet', { word: 'f' })
    await until('what comes is sent', () => done.includes('f'))
    t.same(done, ['a', 'b', 'd', 'f'], 'and nothing of what was before')
    await second.note()
    t.equal(await second.queue.retry(lost?.key), 1)
    await until('all of the span', () => done.length === 7)
    t.same(done.slice(4).toSorted(), ['c', 'd', 'e'], 'each event of the span, those with it that had been sent')
    await until('the job is done', async () => (await second.queue.list({ limit: 10 })).length === 0)
    await second.note()
    await second.close()

    for (const name of ['jobs.db', 'jobs.db-wal', 'jobs.db-shm']) rmSync(join(folder, name), { force: true })
    const third = await startNode(t, folder, { log, store, name: 'three' }, done)
    t.same(await third.queue.list({ limit: 10 }), [], 'where nothing was owed nothing is named')
    t.equal(await begunAt(third.queue, third.subscriber), undefined)
    await third.close()

    const copy = memoryLog()
    for (const { stream, type, data } of log.events) copy.write(stream, type, data)
    for (const name of ['jobs.db', 'jobs.db-wal', 'jobs.db-shm']) rmSync(join(folder, name), { force: true })
    const fourth = await startNode(t, folder, { log: copy, store, name: 'four' }, done)
    t.same(await fourth.queue.list({ limit: 10 }), [], 'positions of another log name nothing')
    t.equal(await begunAt(fourth.queue, fourth.subscriber), await copy.head())
  },
)

t.test('what cannot be sent any more says so', async t => {
  const log = memoryLog()
  const { handle } = unsentJobs([], log)
  const running = { key: 'k', signal: new AbortController().signal, held: async () => true }
  const named: Subscriber = { name: 'post', categories: ['word'], handle: async () => undefined }
  const span = { subscriber: 'post', logId: log.logId, from: '0', to: '3' }
  await t.rejects(handle({ ...running, data: span }), { name: 'PermanentFailure' })
  for (const data of [
    { ...span, to: 'x' },
    { ...span, logId: 'other' },
    { ...span, mark: 'another.' },
  ])
    await t.rejects(unsentJobs([named], log).handle({ ...running, data }), { name: 'PermanentFailure' })
})

t.test('a log that was put back: it begins at the end, and what may not have been sent is named', async t => {
  const side = await openReadSide()
  t.teardown(() => side.close())
  const { store } = side
  const log = memoryLog()
  const folder = temporaryFolder(t)
  const done: string[] = []
  const first = await startNode(t, folder, { log, store, name: 'one' }, done)
  await first.work()
  const kept = log.write('word-kept', 'WordSet', { word: 'kept' })
  await until('it is sent', () => done.includes('kept'))
  await first.note()
  log.write('word-lost', 'WordSet', { word: 'lost' })
  await until('that as well', () => done.includes('lost'))
  await first.close()

  log.putBack(kept.position)
  const written = log.write('word-new', 'WordSet', { word: 'new' })
  const second = await startNode(t, folder, { log, store, name: 'two' }, done)
  await second.work()
  const [named, ...more] = await second.queue.list({ state: 'parked', limit: 10 })
  t.same(more, [])
  t.match(named, { kind: UNSENT_JOB, key: `post:${kept.position}-${written.position}` })
  log.write('word-next', 'WordSet', { word: 'next' })
  await until('what comes is sent', () => done.includes('next'))
  t.same(done, ['kept', 'lost', 'next'])
  t.equal(await second.queue.retry(named?.key), 1)
  await until('what was named', () => done.includes('new'))
  t.same(done, ['kept', 'lost', 'next', 'new'], 'and nothing twice')
  await second.note()
  const next = log.events.at(-1)
  await second.close()

  log.putBack(kept.position)
  for (const word of ['x', 'y', 'z']) log.write(`word-${word}`, 'WordSet', { word })
  t.ok((await log.head()) > (next?.position ?? 0n))
  const third = await startNode(t, folder, { log, store, name: 'three' }, done)
  t.same(await third.queue.list({ limit: 10 }), [], 'what was known of another history names nothing')
  t.equal(
    await begunAt(third.queue, third.subscriber),
    await log.head(),
    'so it says up to where nothing may have been sent',
  )
})
