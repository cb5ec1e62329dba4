/**
 * kill -9 between every two steps of a mail: from the event in the log to the job that is done. Whatever is killed, there is one
 * message id an event, none is missing, and what went out twice went out with the same bytes.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { LOCK_MS } from '../../src/adapters/jobs/locks.ts'
import { type Finished, type Running, startProcess } from '../support/processes.ts'
import { environmentFor, lexichron, main, serviceProcess, startService, temporaryFolder } from '../support/service.ts'
import { type SmtpStep, startSmtp } from '../support/smtp.ts'
import { until } from '../support/until.ts'

const preload = new URL('../support/kill-at.mjs', import.meta.url).href

/** What the service asks of the file of jobs until there is a job, and then on its way to the mail server. */
const adding = ['add:before', 'add:after', 'checkpoint:before', 'checkpoint:after'] as const
const taking = ['take:after', 'begin:before', 'begin:after', 'held:before', 'held:after'] as const
/** Where the server is when the service ends; at `end` it has the text, and has not answered. */
const sending = ['mail', 'rcpt', 'text', 'end'] as const
/** The server has answered: before that is written down, and after. */
const ending = ['end:before', 'end:after'] as const

t.test('killed between every two steps: each mail comes, under one message id', async t => {
  const folder = temporaryFolder(t)
  let dying: Running | undefined
  let killAt: SmtpStep | undefined
  const killed = new Set<string>()
  const smtp = await startSmtp(t, {
    onStep: step => {
      if (step !== killAt) return
      killAt = undefined
      dying?.send('SIGKILL')
    },
  })
  const env = {
    LEXICHRON_MAIL: smtp.url,
    LEXICHRON_MAIL_FROM: 'Lexichron <mail@dictionary.example>',
    LEXICHRON_ALERT_MAIL: 'ops@example.org',
    NODE_OPTIONS: `--import=${preload}`,
  }
  const announce = async (): Promise<void> => {
    const { code, err } = await lexichron(folder, ['token', 'create', '--role', 'admin', '--for', 'tests'], env)
    if (code !== 0) throw new Error(err)
  }
  const jobs = <T>(work: (db: DatabaseSync) => T): T => {
    const db = new DatabaseSync(join(folder, 'jobs.db'))
    try {
      db.exec('PRAGMA busy_timeout = 5000')
      return work(db)
    } finally {
      db.close()
    }
  }
  /** As time does: the locks of who is gone are over. One mail meets more deaths here than the eight that would park it. */
  const letLocksLapse = (): void =>
    jobs(
      db =>
        void db.prepare('UPDATE job SET locked = locked - ?, failures = 0 WHERE locked IS NOT NULL').run(LOCK_MS + 1),
    )

  // So that the subscriber has begun before the first event: what was before is not sent.
  const first = await startService(t, folder, env)
  await until('the subscriber has begun', () =>
    jobs(db => db.prepare("SELECT 1 FROM checkpoint WHERE consumer = 'subscriber:mail'").get() !== undefined),
  )
  await first.stop()
  const die = async (name: string, more: Readonly<Record<string, string>>): Promise<void> => {
    const child = startProcess(t, ...(await serviceProcess([main, 'serve'], env.NODE_OPTIONS)), {
      env: environmentFor(folder, { ...env, ...more }),
    })
    dying = child
    let ended: Finished | undefined
    void child.ended.then(finished => {
      ended = finished
    })
    const finished = await until(`it is killed at ${name}`, saw => {
      saw(child.output.err.slice(-1_000))
      return ended
    })
    t.equal(finished.signal, 'SIGKILL', name)
    killed.add(name)
    letLocksLapse()
  }
  const settle = async (mails: number): Promise<void> => {
    const service = await startService(t, folder, env)
    await until('all is done', saw => {
      const owed =
        'SELECT key, failures, reason FROM job WHERE NOT (failures = 0 AND next_run IS NULL AND locked IS NULL)'
      const rows = jobs(db => db.prepare(owed).all())
      saw([rows, smtp.taken])
      return rows.length === 0 && new Set(smtp.taken).size === mails
    })
    t.equal(await service.stop(), 0)
  }

  for (const name of adding) {
    await announce()
    await die(name, { KILL_AT: name })
  }
  await settle(adding.length)
  const before = smtp.seen.length
  // One mail more, which dies at every step of its way.
  await announce()
  for (const name of taking) await die(name, { KILL_AT: name })
  for (const name of sending) {
    killAt = name
    await die(`smtp ${name}`, {})
  }
  for (const name of ending) await die(name, { KILL_AT: name })
  const mails = adding.length + 1
  await settle(mails)
  t.equal(killed.size, adding.length + taking.length + sending.length + ending.length)

  const ids = smtp.seen.map(({ mail }) => mail.messageId)
  t.equal(new Set(ids).size, mails, 'one message id an event, and none is missing')
  const made = jobs(db => db.prepare("SELECT count(*) AS made FROM job WHERE name = 'mail'").get())
  t.equal(made?.['made'], mails, 'one job')
  const last = smtp.seen.slice(before)
  // At `end` nobody had answered; at `end:before` it was not written down; after that it is done.
  t.equal(last.length, 3, 'it goes out again only where its answer is not known')
  t.equal(new Set(last.map(({ raw }) => raw)).size, 1, 'with the same bytes')
  for (const { mail, raw } of smtp.seen)
    t.equal(raw, smtp.seen.find(each => each.mail.messageId === mail.messageId)?.raw, 'the same bytes')
  t.comment(`${smtp.seen.length} texts of ${mails} mails, killed at ${[...killed].join(', ')}`)
})
