/** The mail of a service: which engine, which rules, what operators see of it and of the queue. */

import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Mails } from '../adapters/cli/app-port.ts'
import { localeOf, renderMail } from '../adapters/mail/render.ts'
import type { MailTemplate } from '../adapters/mail/template.ts'
import { mailTemplates, TEST_MAIL } from '../adapters/mail/templates.ts'
import { receiptToken } from '../commands/erasure.ts'
import { makeLink } from '../commands/identity.ts'
import type { Config } from '../config/load.ts'
import { eventsAt } from '../core/log/revisions.ts'
import { begunAt, noteSent, type Span, spanOf, UNSENT_JOB, unsentJobs } from '../core/subscribe/unsent.ts'
import { accountAggregate } from '../domain/account/account.ts'
import { addressAggregate } from '../domain/address/address.ts'
import { mailAggregate, mailStream, refuseMail } from '../domain/address/mail-refusal.ts'
import { defined } from '../domain/defined.ts'
import { entryStream } from '../domain/entry/entry.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import { actorId, commandIdOf } from '../domain/ids.ts'
import { wordsOf } from '../domain/own-error.ts'
import { type Preferences, preferencesAggregate, preferencesStream } from '../domain/profile/preferences.ts'
import { isRefusal } from '../domain/refusal.ts'
import { storyAggregate, storyStream } from '../domain/story/story.ts'
import { traceIdOf } from '../domain/trace.ts'
import { waitAtMost } from '../ports/clock.ts'
import { CLOCKS_APART_MS, type JobCounts, type JobFailure, type JobKind, type JobView } from '../ports/jobs.ts'
import { MailError, type Mailer } from '../ports/mailer.ts'
import { failureOf } from '../ports/outage.ts'
import { accountRules } from '../subscribers/account-mail.ts'
import { commentRules } from '../subscribers/comment-mail.ts'
import { decisionRules } from '../subscribers/decision-mail.ts'
import { factorRules } from '../subscribers/factor-mail.ts'
import { MAIL_JOB, type MailRule, mailJobs, mailSubscriber, type Refused } from '../subscribers/mail.ts'
import { operatorRules } from '../subscribers/mail-rules.ts'
import { proposalRules } from '../subscribers/proposal-mail.ts'
import { reportRules } from '../subscribers/report-mail.ts'
import { storyRules } from '../subscribers/story-mail.ts'
import { openCommentTelling } from './comment-notices.ts'
import type { Core } from './core.ts'
import { openMayBeTold } from './followers.ts'
import { openRecipients, operatorIds, recipientSources } from './recipients.ts'
import { unsentDeps } from './subscribers.ts'
import { openWants } from './wanted-notices.ts'

export const openMailer = async ({ mail, mailFrom: from }: Pick<Config, 'mail' | 'mailFrom'>): Promise<Mailer> => {
  if (mail.engine === 'files') {
    const { openOutbox } = await import('../adapters/mail/outbox.ts')
    return openOutbox({ folder: mail.path, from })
  }
  const { openSmtp } = await import('../adapters/mail/smtp.ts')
  return openSmtp({ url: mail.url, from })
}

/** The address in a sender such as `Lexichron <mail@dictionary.example>`. */
const addressOf = (sender: string): string => {
  const start = sender.lastIndexOf('<')
  return start >= 0 && sender.endsWith('>') ? sender.slice(start + 1, -1) : sender
}
const domainOf = ({ mailFrom }: Pick<Config, 'mailFrom'>): string => addressOf(mailFrom).split('@')[1] ?? 'localhost'

const chosenIn =
  ({ transactor }: Pick<Core, 'transactor'>) =>
  async (accountId: string): Promise<Preferences | undefined> =>
    (await transactor(preferencesAggregate).load(preferencesStream(accountId))).state.chosen

const keysIn = async ({ log }: Pick<Core, 'log'>, stream: string): Promise<readonly string[]> => {
  const keys = new Set<string>()
  for await (const page of log.readStream(stream)) for (const { meta } of page) if (meta.key) keys.add(meta.key)
  return [...keys]
}

/** `listening`: where this process listens, which a port that was picked by the system is known from alone. */
export const mailRules = (
  config: Config,
  core: Core,
  listening: () => string | undefined = () => undefined,
): readonly MailRule[] => {
  const publicUrl = (): string => config.publicUrl ?? listening() ?? `http://${config.host}:${config.port}`
  const operators = operatorIds(config, core.mailSecret)
  return [
    ...operatorRules({ operators, from: addressOf(config.mailFrom), publicUrl }),
    ...accountRules({
      publicUrl,
      address: async stream => (await core.transactor(addressAggregate).load(stream)).state,
      account: async stream => (await core.transactor(accountAggregate).load(stream)).state,
      token: (purpose, claim, commandId) => makeLink(core.linkSecret, purpose, claim, commandId).token,
      receipt: id => `${publicUrl()}/v1/receipts/${receiptToken(core.linkSecret, id)}`,
    }),
    ...factorRules,
    ...storyRules({
      publicUrl,
      from: addressOf(config.mailFrom),
      story: async id => (await core.transactor(storyAggregate).load(storyStream(id))).state,
      mayBeTold: openMayBeTold(core),
      keysOf: stream => keysIn(core, stream),
      streamOf: storyStream,
    }),
    ...commentRules({ publicUrl, from: addressOf(config.mailFrom), ...openCommentTelling(core) }),
    ...reportRules({ publicUrl, from: addressOf(config.mailFrom), wantsReports: openWants(core, 'reports') }),
    ...proposalRules({
      publicUrl,
      from: addressOf(config.mailFrom),
      wantsProposals: openWants(core, 'proposals'),
      entry: async id => (await core.transactor(entryAggregate).load(entryStream(id))).state.entry,
      eventAt: async (stream, revision) => (await eventsAt(core.log, stream, [revision])).get(revision),
      keysOf: stream => keysIn(core, stream),
    }),
    ...decisionRules({ publicUrl }),
  ]
}

const templateOf = (name: string): MailTemplate => {
  const template = mailTemplates.find(each => each.name === name)
  if (!template) throw new TypeError(`there is no mail ${name}`)
  return template
}

/** For those who want to see mails before they are sent, and whether they arrive. */
export const mails: Mails = {
  names: mailTemplates.map(({ name }) => name),
  localeOf,
  preview: (name, locale, timeZone = 'UTC') => {
    const template = templateOf(name)
    return renderMail(template, { locale, timeZone }, template.sample)
  },
  test: async (config, address, locale) => {
    const date = new Date()
    const messageId = `${randomUUID()}@${domainOf(config)}`
    const reader = { locale, timeZone: 'UTC' }
    const rendered = renderMail(templateOf(TEST_MAIL), reader, { at: { instant: date.toISOString() } })
    const mailer = await openMailer(config)
    try {
      await mailer.send({ ...rendered, messageId, date, to: address, headers: {}, keys: [] })
    } finally {
      await mailer.close()
    }
    return { messageId }
  },
}

export type MailReport = {
  readonly counts: JobCounts
  readonly failing?: string
  /** Parked ones, the first few. */
  readonly parked: readonly Pick<JobView, 'kind' | 'key' | 'reason'>[]
  /** What was not sent, as jobs were lost, and waits for an operator. */
  readonly unsent: readonly Span[]
  /** Where the mails began: nothing before was ever sent. */
  readonly begunAt?: bigint
  /** How far another node's clock is ahead, where that is too much; below 0: behind. */
  readonly clockMs?: number
}

/** Whether mail can be sent is asked again after so long, while something waits: another node may have done the sending. */
const CHECK_MS = 15_000
/** Between two notes of how far all was sent. */
const NOTE_MS = 10_000
const LAST_NOTE_MS = 500
const SHOWN_PARKED = 5
const MOST_PARKED = 1_000

const sender = { kind: 'system', id: actorId('system', 'mail') } as const

/** A mail that was refused for good is an event; written again it is the same. */
const recordRefused =
  ({ transactor, clock }: Pick<Core, 'transactor' | 'clock'>) =>
  async (refused: Refused): Promise<void> => {
    const stream = mailStream(refused.eventId, refused.recipient)
    const commandId = commandIdOf(sender, 'REFUSED', stream, refused.eventId)
    const envelope = { commandId, correlationId: refused.eventId, actor: sender, at: clock.now() }
    const result = await transactor(mailAggregate).run(stream, refuseMail(refused), envelope)
    if (isRefusal(result)) throw failureOf(result)
  }

/** A line for each failure of a job, without anybody's address. */
export const tellFailure =
  (logger: Pick<Logger, 'warn' | 'error'>) =>
  ({ kind, key, failures, reason, parked }: JobFailure): void => {
    const line = { part: 'jobs', kind, job: key, failures, reason }
    if (parked) logger.error(line, 'a job is parked: it waits for lexichron jobs retry')
    else logger.warn(line, 'a job has failed and is tried again')
  }

export type StartedMail = { report(): Promise<MailReport>; rest(): void; close(): Promise<void> }

/** Starts sending, and doing the `others` of the queue. A mail server that is away is no reason not to start: what is to be sent waits. */
export const startMail = async (
  core: Core,
  config: Config,
  { rules, others }: { readonly rules: readonly MailRule[]; readonly others: readonly JobKind[] },
  logger: Logger,
): Promise<StartedMail> => {
  const { log, clock, keys } = core
  const jobs = await core.jobs()
  const mailer = await openMailer(config)
  const subscriber = mailSubscriber(rules, { jobs: core.jobs })
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
        failing = refused ? undefined : wordsOf(error)
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
  await jobs.work(
    [
      ...others,
      unsentJobs([subscriber], log),
      mailJobs(rules, {
        log,
        recipients: openRecipients(recipientSources(core, chosenIn(core)), config),
        mailer: { ...mailer, send: attempt(mailer.send) },
        render: (name, reader, data) => renderMail(templateOf(name), reader, data),
        isDestroyed: async key => !(await keys.find(new Set([key]))).has(key),
        domain: domainOf(config),
        clock,
        concurrency: 5,
        onRefused: recordRefused(core),
        onSent: ({ key, template, trace }) =>
          logger.info(
            { job: key, template, ...defined({ traceId: trace === undefined ? undefined : traceIdOf('', trace) }) },
            'a mail was taken',
          ),
      }),
    ],
    tellFailure(logger),
  )
  check()

  const ending = new AbortController()
  const note = (): Promise<void> =>
    noteSent(unsentDeps(core, subscriber), MAIL_JOB).catch((err: unknown) =>
      logger.debug({ part: 'mail', err }, 'how far all was sent could not be noted'),
    )
  const noting = (async () => {
    while (!ending.signal.aborted) {
      await note()
      await clock.sleep(NOTE_MS, ending.signal)
    }
  })()
  const unsentOf = async (parked: readonly JobView[]): Promise<readonly Span[]> => {
    const found = await Promise.all(parked.filter(({ kind }) => kind === UNSENT_JOB).map(({ key }) => jobs.show(key)))
    return found.flat().flatMap(({ data }) => spanOf(data) ?? [])
  }
  let closing: Promise<void> | undefined
  return {
    report: async () => {
      const counts = await jobs.counts()
      if (failing !== undefined || counts.waiting > 0) check()
      const parked = counts.parked > 0 ? await jobs.list({ state: 'parked', limit: MOST_PARKED }) : []
      const begun = await begunAt(jobs, subscriber)
      const clockMs = jobs.clocksApart()
      return {
        counts,
        parked: parked.slice(0, SHOWN_PARKED),
        unsent: await unsentOf(parked),
        ...defined({ failing, begunAt: begun }),
        ...defined({ clockMs: Math.abs(clockMs) > CLOCKS_APART_MS ? clockMs : undefined }),
      }
    },
    rest: jobs.rest,
    close: () => {
      closing ??= (async () => {
        ending.abort()
        jobs.rest()
        // An engine that is away is not waited for: the note is then older, and names a little more.
        await waitAtMost(clock, LAST_NOTE_MS, noting.then(note))
        await jobs.close()
        await mailer.close()
      })()
      return closing
    },
  }
}
