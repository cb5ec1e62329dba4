/** The queue and the mail of a service: which engines, which rules, what operators see of them. */
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import type { Mails } from './adapters/cli/app-port.ts'
import { renderMail } from './adapters/mail/render.ts'
import { type MailTemplate, mailTemplates } from './adapters/mail/templates.ts'
import type { Closing, Core } from './app-core.ts'
import { receiptToken } from './commands/erasure.ts'
import { makeLink } from './commands/identity.ts'
import { unsubscribeToken } from './commands/unsubscribe.ts'
import type { Config } from './config.ts'
import { preferencesStream } from './domain/preferences.ts'
import { traceIdOf } from './domain/trace.ts'
import type { Clock } from './ports/clock.ts'
import type { JobCounts, JobKind, Jobs } from './ports/jobs.ts'
import { MailError, type Mailer } from './ports/mailer.ts'
import { accountRules } from './subscribers/account-mail.ts'
import { factorRules } from './subscribers/factor-mail.ts'
import { type MailRule, mailJobs } from './subscribers/mail.ts'
import { operatorRules } from './subscribers/mail-rules.ts'

export type JobsDeps = {
  readonly nodeId: string
  readonly clock: Clock
  readonly random: () => number
  readonly onError: (error: unknown) => void
  readonly onFailure?: (
    job: { readonly kind: string; readonly key: string; readonly failures: number },
    error: Error,
  ) => void
}

/** Where the jobs of an embedded read store lie: beside it, so that deleting it loses none. */
export const jobsPath = (readStorePath: string): string => join(dirname(readStorePath), 'jobs.db')

/** @throws {JobsError} unavailable. */
export const openJobs = async ({ readStore }: Config, deps: JobsDeps): Promise<Jobs> => {
  const { openQueue } = await import('./adapters/jobs/queue.ts')
  if (readStore.engine === 'sqlite') {
    const { openSqliteJobs } = await import('./adapters/jobs/sqlite/backend.ts')
    return openQueue({ ...deps, backend: openSqliteJobs(jobsPath(readStore.path)) })
  }
  const { openMongoJobs } = await import('./adapters/jobs/mongodb/backend.ts')
  return openQueue({ ...deps, backend: await openMongoJobs(readStore.url, 'READ_STORE') })
}

export const openMailer = async ({ mail, mailFrom: from }: Pick<Config, 'mail' | 'mailFrom'>): Promise<Mailer> => {
  if (mail.engine === 'files') {
    const { openOutbox } = await import('./adapters/mail/outbox.ts')
    return openOutbox({ folder: mail.path, from })
  }
  const { openSmtp } = await import('./adapters/mail/smtp.ts')
  return openSmtp({ url: mail.url, from })
}

/** The address in a sender such as `Lexichron <mail@dictionary.example>`. */
export const addressOf = (sender: string): string => /<([^>]*)>$/.exec(sender)?.[1] ?? sender

export const mailRules = (config: Config, core: Core): readonly MailRule[] => {
  const publicUrl = config.publicUrl ?? `http://${config.host}:${config.port}`
  const account = async (stream: string) => (await core.accounts.load(stream)).state
  const preferences = async (id: string) => (await core.preferences.load(preferencesStream(id))).state.chosen
  return [
    ...operatorRules({ addresses: config.alertMail, from: addressOf(config.mailFrom), publicUrl }),
    ...accountRules({
      publicUrl,
      address: async stream => (await core.addresses.load(stream)).state,
      ...{ account, preferences },
      token: (purpose, claim, commandId) => makeLink(core.linkSecret, purpose, claim, commandId).token,
      unsubscribe: id => `${publicUrl}/v1/mail/unsubscribe/${unsubscribeToken(core.linkSecret, id)}`,
      receipt: id => `${publicUrl}/v1/receipts/${receiptToken(core.linkSecret, id)}`,
    }),
    ...factorRules({ account, preferences }),
  ]
}

const templateOf = (name: string): MailTemplate => {
  const template = mailTemplates.find(each => each.name === name)
  if (!template) throw new TypeError(`there is no mail ${name}`)
  return template
}

/** For those who want to see mails before they are sent. */
export const mails: Mails = {
  names: mailTemplates.map(each => each.name),
  preview: (name, locale) => {
    const template = templateOf(name)
    return renderMail(template, locale, template.sample)
  },
}

export type MailReport = { readonly counts: JobCounts; readonly failing?: string }

/** Whether mail can be sent is asked again after so long, while something waits: another node may have done the sending. */
const CHECK_MS = 15_000

/** Starts sending, and doing the `others` of the queue. A mail server that is away is no reason not to start: what is to be sent waits. */
export const startMail = async (
  core: Core,
  config: Config,
  { rules, others }: { readonly rules: readonly MailRule[]; readonly others: readonly JobKind[] },
  logger: Logger,
  opened: Closing[],
) => {
  const { log, clock, mailSecret: secret } = core
  const jobs = await core.jobs()
  const mailer = await openMailer(config)
  opened.push(mailer)
  let failing: string | undefined
  let asked = Number.NEGATIVE_INFINITY
  const attempt =
    <A extends readonly unknown[]>(work: (...given: A) => Promise<void>) =>
    async (...given: A): Promise<void> => {
      try {
        await work(...given)
        failing = undefined
      } catch (error) {
        // Who refuses one mail for good is there, and takes others.
        const refused = error instanceof MailError && error.kind === 'permanent'
        failing = refused ? undefined : error instanceof Error ? error.message : String(error)
        throw error
      }
    }
  const check = (): void => {
    if (clock.monotonic() - asked < CHECK_MS) return
    asked = clock.monotonic()
    void attempt(mailer.check)().catch((error: unknown) =>
      logger.warn({ part: 'mail', err: error }, 'mail cannot be sent now: it waits'),
    )
  }
  await jobs.work([
    ...others,
    mailJobs(rules, {
      ...{
        log,
        secret,
        render: (name, locale, data) => renderMail(templateOf(name), locale, data),
        now: () => clock.now(),
      },
      ...{ mailer: { send: attempt(mailer.send) }, domain: addressOf(config.mailFrom).split('@')[1] ?? 'localhost' },
      concurrency: 5,
      onSent: ({ key, template, trace }) =>
        logger.info(
          { job: key, template, ...(trace !== undefined && { traceId: traceIdOf('', trace) }) },
          'a mail was taken',
        ),
    }),
  ])
  check()
  return {
    report: async (): Promise<MailReport> => {
      const counts = await jobs.counts()
      if (failing !== undefined || counts.waiting > 0) check()
      return { counts, ...(failing !== undefined && { failing }) }
    },
  }
}
