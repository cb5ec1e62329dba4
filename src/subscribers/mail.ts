/**
 * Events become mails: a rule names the event, the template and who is told. The subscriber only puts a job into the queue, named by
 * event and recipient, so that whatever is repeated comes once. The job holds no address and no text: it leads to the event and
 * to the recipient, who are read when the mail is sent. Where the key of either is gone by then, so is the mail.
 */

import { createHash } from 'node:crypto'
import type { Log } from '../core/log/log.ts'
import type { Subscriber } from '../core/subscribe/define.ts'
import { accountCategory } from '../domain/account/account.ts'
import { AccountErased } from '../domain/account/erasure-events.ts'
import { defined } from '../domain/defined.ts'
import type { JsonObject, Recorded } from '../domain/event.ts'
import { OwnError } from '../domain/own-error.ts'
import type { Clock } from '../ports/clock.ts'
import { type JobKind, type Jobs, type NewJob, PermanentFailure, type RunningJob } from '../ports/jobs.ts'
import { type Mail, MailError, type Mailer } from '../ports/mailer.ts'
import { isOutage } from '../ports/outage.ts'
import type { Recipient, Recipients } from '../ports/recipients.ts'

/** What a template is given: texts, numbers, and instants (RFC 3339) that the reader is told in their own time zone. */
export type MailData = Readonly<Record<string, string | number | { readonly instant: string }>>

export type MailRule = {
  /** Of the event. */
  readonly type: string
  readonly category: string
  readonly template: string
  /** Higher ones first: who waits at a screen before who reads tomorrow. */
  readonly priority?: number
  /** Ids of the port of recipients. Of two rules that name one recipient of an event the first one counts. */
  readonly to: (event: Recorded) => readonly string[] | Promise<readonly string[]>
  /** Asked when it is sent: is it still to be? It always is, by default. */
  readonly still?: (event: Recorded, recipient: string) => Promise<boolean>
  /** BCP 47, where the event knows better than the recipient. */
  readonly locale?: (event: Recorded) => string | undefined
  /** What the template is given; undefined when what it would say is gone. */
  readonly data: (event: Recorded, locale: string) => MailData | undefined | Promise<MailData | undefined>
  /** Keys that what it says is sealed under, beside that of the event: where one is destroyed, the mail is forgotten. */
  readonly keys?: (event: Recorded) => Promise<readonly string[]>
  /** Where one who no longer wants mails of this kind goes: an address for mail, or a page that takes one click (RFC 8058). */
  readonly unsubscribe?: (recipient: string) => string
}

export type Rendered = Pick<Mail, 'subject' | 'text' | 'html'>

export type MailDeps = { readonly jobs: () => Promise<Pick<Jobs, 'addAll' | 'forgetAbout'>> }

export const MAIL_JOB = 'mail'
/** Eight tries over some half an hour: 15 s, 30 s, 1, 2, 4, 8 and 15 minutes. */
const PACE = { firstMs: 15_000, longestMs: 15 * 60_000 } as const
/** One try in all: a server that says a little now and then would hold the job for ever. */
const TRY_MS = 10 * 60_000
/** Jobs that are added in one go: there may be ten thousand of one event. */
const CHUNK = 1_000

const ACCOUNT = 'account:'

/** The account whose mail it is; undefined of what is told to others. */
const aboutOf = ({ data }: Recorded, recipient: string): string | undefined => {
  if (recipient.startsWith(ACCOUNT)) return recipient.slice(ACCOUNT.length)
  const { accountId } = data
  return typeof accountId === 'string' ? accountId : undefined
}

const jobsOf = async (rules: readonly MailRule[], event: Recorded): Promise<readonly NewJob[]> => {
  const { id: eventId, stream, revision, position } = event
  const found: NewJob[] = []
  for (const { type, template, priority = 0, to } of rules)
    if (type === event.type)
      for (const recipient of await to(event))
        found.push({
          kind: MAIL_JOB,
          key: `${eventId}:${recipient}`,
          data: { eventId, stream, revision: String(revision), recipient, template },
          priority,
          position,
          ...defined({ about: aboutOf(event, recipient) }),
        })
  return found
}

/** Of who was erased nothing waits any more, not even what would find nobody at its next try. */
const isEnd = ({ type }: Recorded): boolean => type === AccountErased.type

export const mailSubscriber = (rules: readonly MailRule[], { jobs }: MailDeps): Subscriber => ({
  name: 'mail',
  categories: [...new Set([...rules.map(({ category }) => category), accountCategory])],
  types: [...new Set([...rules.map(({ type }) => type), AccountErased.type])],
  // A service that is given mail later does not write to everybody about years gone by.
  from: 'now',
  outward: true,
  handle: async (events, signal) => {
    const due: NewJob[] = []
    const add = async (least: number): Promise<void> => {
      while (due.length >= Math.max(1, least)) await (await jobs()).addAll(due.splice(0, CHUNK))
    }
    for (const event of events) {
      due.push(...(await jobsOf(rules, event)))
      // What was to be told before is among what is forgotten.
      await add(isEnd(event) ? 1 : CHUNK)
      if (isEnd(event)) await (await jobs()).forgetAbout(event.stream.slice(accountCategory.length + 1))
      signal.throwIfAborted()
    }
    await add(1)
  },
})

type About = {
  readonly eventId: string
  readonly stream: string
  readonly revision: bigint
  readonly recipient: string
  readonly template: string
}

const parse = ({ eventId, stream, revision, recipient, template }: JsonObject): About => {
  if (
    typeof eventId !== 'string' ||
    typeof stream !== 'string' ||
    typeof recipient !== 'string' ||
    typeof template !== 'string' ||
    !/^\d+$/.test(String(revision))
  )
    throw new PermanentFailure('the job does not say which event it is about')
  return { eventId, stream, revision: BigInt(String(revision)), recipient, template }
}

const eventOf = async (
  log: SendingDeps['log'],
  { eventId, stream, revision }: About,
): Promise<Recorded | undefined> => {
  for await (const [event] of log.readStream(stream, { from: revision, limit: 1 }))
    return event?.id === eventId ? event : undefined
  return undefined
}

/** RFC 2369; RFC 8058 for a page that takes one click. */
const unsubscribing = (place: string | undefined): Readonly<Record<string, string>> => {
  if (place === undefined) return {}
  const header = { 'List-Unsubscribe': `<${place}>` }
  return place.startsWith('https:') ? { ...header, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } : header
}

/** Begins with the event's id; what follows tells its recipients apart. */
export const messageIdOf = (eventId: string, recipient: string, domain: string): string =>
  `${eventId}.${createHash('sha256').update(recipient).digest('hex').slice(0, 16)}@${domain}`

export type Refused = Pick<About, 'eventId' | 'recipient' | 'template'> & {
  readonly code?: number
  readonly reason: string
}

export type SendingDeps = {
  readonly log: Pick<Log, 'readStream'>
  readonly recipients: Recipients
  readonly mailer: Pick<Mailer, 'send' | 'forget'>
  readonly render: (template: string, reader: Pick<Recipient, 'locale' | 'timeZone'>, data: MailData) => Rendered
  /** Was this key destroyed? */
  readonly isDestroyed: (key: string) => Promise<boolean>
  /** The domain of message ids: that of the sender. */
  readonly domain: string
  readonly clock: Pick<Clock, 'sleep'>
  /** How many at once on this node. */
  readonly concurrency: number
  /** Writes down that a receiver has refused it for good. Repeating it is harmless. */
  readonly onRefused: (refused: Refused) => Promise<void>
  /** Told of each mail that was taken, without its address. */
  readonly onSent: (mail: { readonly key: string; readonly template: string; readonly trace?: string }) => void
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'an unknown error')

/** What is to be sent; undefined where there is nobody to be told, or nothing to tell, any more. */
const compose = async (
  rules: readonly MailRule[],
  deps: SendingDeps,
  event: Recorded,
  about: About,
): Promise<Mail | undefined> => {
  const rule = rules.find(({ type, template }) => type === event.type && template === about.template)
  if (!rule) throw new PermanentFailure(`no rule sends ${about.template} about ${event.type}`)
  const recipient = await deps.recipients.find(about.recipient)
  if (!recipient || (rule.still && !(await rule.still(event, about.recipient)))) return undefined
  const reader = { locale: rule.locale?.(event) ?? recipient.locale, timeZone: recipient.timeZone }
  try {
    const data = await rule.data(event, reader.locale)
    if (!data) return undefined
    const more = (await rule.keys?.(event)) ?? []
    return {
      ...deps.render(about.template, reader, data),
      messageId: messageIdOf(event.id, about.recipient, deps.domain),
      date: new Date(event.meta.at),
      to: recipient.address,
      headers: unsubscribing(rule.unsubscribe?.(about.recipient)),
      keys: [event.meta.key, recipient.key, ...more].flatMap(key => key ?? []),
    }
  } catch (error) {
    // What is away is waited for.
    if (isOutage(error)) throw error
    // Its message may say what it was given: the job, which is kept and shown, says which template it was.
    throw new PermanentFailure(`the template ${about.template} cannot be made of this event (${nameOf(error)})`, {
      cause: error,
    })
  }
}

/** Whose key was destroyed while the mail was written is not to be found in what is kept of it. */
const forgetDestroyed = async ({ mailer, isDestroyed }: SendingDeps, { keys }: Mail): Promise<void> => {
  if (!mailer.forget) return
  for (const key of keys) if (await isDestroyed(key)) await mailer.forget(key)
}

const sendInTime = async ({ mailer, clock }: SendingDeps, mail: Mail, signal: AbortSignal): Promise<void> => {
  const [tooLong, done] = [new AbortController(), new AbortController()]
  void clock.sleep(TRY_MS, done.signal).then(() => tooLong.abort())
  try {
    await mailer.send(mail, AbortSignal.any([signal, tooLong.signal]))
  } finally {
    done.abort()
  }
}

/** What is done with the jobs that the subscriber puts into the queue. */
export const mailJobs = (rules: readonly MailRule[], deps: SendingDeps): JobKind => ({
  name: MAIL_JOB,
  concurrency: deps.concurrency,
  ...PACE,
  handle: async ({ key, data, signal, held }: RunningJob) => {
    const about = parse(data)
    const event = await eventOf(deps.log, about)
    if (!event) throw new PermanentFailure('the event of this mail is not in the log')
    const mail = await compose(rules, deps, event, about)
    // Erased, done with, or no longer named since: nothing is to be sent, and that is all.
    if (!mail) return
    signal.throwIfAborted()
    // A node that slept through its lock is not to send what another one has sent meanwhile.
    if (!(await held())) throw new OwnError('another node has taken the job over')
    try {
      await sendInTime(deps, mail, signal)
    } catch (error) {
      if (!(error instanceof MailError && error.kind === 'permanent')) throw error
      const { eventId, recipient, template } = about
      const { code, message: reason } = error
      await deps.onRefused({ eventId, recipient, template, reason, ...defined({ code }) })
      throw new PermanentFailure(reason, { cause: error })
    }
    await forgetDestroyed(deps, mail)
    const { traceparent } = event.meta
    deps.onSent({ key, template: about.template, ...defined({ trace: traceparent }) })
  },
})
