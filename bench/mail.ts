/**
 * Mails a second: jobs on SQLite, each taken, rendered and handed to an SMTP server of this process, against nodemailer's pool
 * alone sending the same mails to the same server.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openQueue } from '../src/adapters/jobs/queue.ts'
import { openSqliteJobs } from '../src/adapters/jobs/sqlite/backend.ts'
import { renderMail } from '../src/adapters/mail/render.ts'
import { openSmtp } from '../src/adapters/mail/smtp.ts'
import { mailTemplates } from '../src/adapters/mail/templates.ts'
import { systemClock } from '../src/app/core.ts'
import type { Mail } from '../src/ports/mailer.ts'
import { startSmtp } from '../tests/support/smtp.ts'
import {
  type Bench,
  type BenchRow,
  inFolder,
  interleave,
  main,
  median,
  ratioOf,
  short,
  type Timing,
  timed,
} from './bench.ts'

const from = 'Lexichron <mail@dictionary.example>'
const AT_ONCE = 5

const mailOf = (n: number): Mail => {
  const [template] = mailTemplates
  if (!template) throw new Error('there is no template')
  return {
    ...renderMail(template, { locale: 'en', timeZone: 'UTC' }, template.sample),
    to: `reader${n}@example.org`,
    date: new Date(),
    messageId: `${randomUUID()}@dictionary.example`,
    headers: {},
    keys: [],
  }
}

export const run: Bench['run'] = ({ quick }) =>
  inFolder(async folder => {
    const ends: (() => unknown)[] = []
    const smtp = await startSmtp({ teardown: end => void ends.push(end) })
    const count = quick ? 20 : 500
    try {
      const ours = (round: number): Promise<Timing> => {
        const mailer = openSmtp({ url: smtp.url, from })
        let sent = 0
        return timed(async () => {
          const backend = openSqliteJobs(join(folder, `jobs-${round}.db`))
          const queue = await openQueue({
            backend,
            nodeId: 'bench',
            clock: systemClock,
            random: Math.random,
            onError: error => void process.stderr.write(`${String(error)}\n`),
          })
          const { promise, resolve } = Promise.withResolvers<void>()
          for (let n = 0; n < count; n += 1) await queue.add({ kind: 'mail', key: String(n), data: { n } })
          const handle = async ({ data }: { readonly data: { readonly [name: string]: unknown } }): Promise<void> => {
            await mailer.send(mailOf(Number(data['n'])))
            sent += 1
            if (sent === count) resolve()
          }
          await queue.work([{ name: 'mail', concurrency: AT_ONCE, firstMs: 1_000, longestMs: 1_000, handle }])
          await promise
          await queue.close()
          await mailer.close()
        })
      }
      const peer = (): Promise<Timing> =>
        timed(async () => {
          const mailer = openSmtp({ url: smtp.url, from })
          let next = 0
          const lane = async (): Promise<void> => {
            for (let n = next++; n < count; n = next++) await mailer.send(mailOf(n))
          }
          await Promise.all(Array.from({ length: AT_ONCE }, lane))
          await mailer.close()
        })
      const times = await interleave<Timing>(quick ? 1 : 3, { ours, peer })
      return (['elapsed', 'cpu'] as const).map((measure): BenchRow => {
        const [mine = [], theirs = []] = ['ours', 'peer'].map(name =>
          (times.get(name) ?? []).map(each => each[measure]),
        )
        const rate = (all: readonly number[]): string => `${short((count * 1_000) / median(all))}/s`
        return {
          work: `mail jobs (${measure === 'cpu' ? 'CPU' : 'wall'})`,
          against: "nodemailer's pool alone",
          ours: rate(mine),
          peer: rate(theirs),
          ratio: ratioOf(theirs, mine),
          reach: 'reported',
          met: null,
        }
      })
    } finally {
      for (const end of ends) await end()
    }
  })

await main(import.meta, run)
