/**
 * Events become mails: a rule names the event, the template and who gets it. The subscriber only puts a job into the queue,
 * known by event and recipient, so that whatever is repeated comes once. The job holds no address and no text: it leads to
 * the event, which is opened when the mail is sent. Where the key of its subject is gone by then, so is the mail.
 */
import { createHash, createHmac } from 'node:crypto'
import type { JsonObject, Recorded } from '../domain/event.ts'
import type { Log } from '../log/log.ts'
import { type JobKind, type Jobs, PermanentFailure, type RunningJob } from '../ports/jobs.ts'
import { type Locale, type Mail, MailError, type Mailer } from '../ports/mailer.ts'
import type { Subscriber } from './define.ts'

/** `unsubscribe`: where this one turns off mails of this kind, if they may be turned off. */
export type Recipient = { readonly address: string; readonly locale: Locale; readonly unsubscribe?: string }

export type MailRule = {
  /** Of the event. */
  readonly type: string
  readonly category: string
  readonly template: string
  /** Higher ones first: who waits at a screen before who reads tomorrow. */
  readonly priority?: number
  /** Nobody: there is none to be told, or no more. */
  readonly to: (event: Recorded) => Promise<readonly Recipient[]>
  /** True of an event that is to make a job also where there is nobody to be told: the work is not to show whether there is. */
  readonly always?: (event: Recorded) => boolean
  /** What the template is given; undefined when what it would say is gone. */
  readonly data: (event: Recorded) => JsonObject | undefined
  /** Where one who no longer wants mails of this kind goes: an address for mail, or a page that takes one click (RFC 8058). */
  readonly unsubscribe?: (recipient: Recipient) => string
}

export type Rendered = Pick<Mail, 'subject' | 'text' | 'html'>

export type MailDeps = {
  readonly log: Pick<Log, 'readStream'>
  readonly jobs: () => Promise<Pick<Jobs, 'add'>>
  /** Under which recipients are hashed: an address cannot be guessed from a job. */
  readonly secret: Uint8Array
}

export const MAIL_JOB = 'mail'
/** Eight tries over some half an hour: 15 s, 30 s, 1, 2, 4, 8 and 15 minutes. */
const TRIES = { firstMs: 15_000, longestMs: 15 * 60_000 } as const

const markOf = (secret: Uint8Array, address: string): string =>
  createHmac('sha256', secret).update(address.normalize('NFC').toLowerCase()).digest('base64url').slice(0, 22)

export const mailSubscriber = (rules: readonly MailRule[], deps: MailDeps): Subscriber => ({
  name: 'mail',
  categories: [...new Set(rules.map(each => each.category))],
  types: [...new Set(rules.map(each => each.type))],
  // A service that is given mail later does not write to everybody about years gone by.
  from: 'now',
  handle: async events => {
    for (const event of events)
      for (const rule of rules) {
        if (rule.type !== event.type) continue
        const marks = (await rule.to(event)).map(({ address }) => markOf(deps.secret, address))
        // No address has the mark of an id, so that this job finds nobody when its turn comes.
        if (marks.length === 0 && rule.always?.(event)) marks.push(markOf(deps.secret, event.id))
        if (marks.length === 0) continue
        const jobs = await deps.jobs()
        for (const mark of marks)
          await jobs.add({
            ...{ kind: MAIL_JOB, key: `${event.id}:${rule.template}:${mark}`, priority: rule.priority ?? 0 },
            data: { stream: event.stream, revision: String(event.revision), template: rule.template, mark },
          })
      }
  },
})

type Parsed = { readonly stream: string; readonly revision: bigint; readonly template: string; readonly mark: string }

const parse = ({ stream, revision, template, mark }: JsonObject): Parsed => {
  if (![stream, revision, template, mark].every(each => typeof each === 'string') || !/^\d+$/.test(String(revision)))
    throw new PermanentFailure('the job does not say which event it is about')
  return {
    ...{ stream: String(stream), revision: BigInt(String(revision)) },
    ...{ template: String(template), mark: String(mark) },
  }
}

const eventOf = async (log: MailDeps['log'], { stream, revision }: Parsed): Promise<Recorded | undefined> => {
  for await (const [event] of log.readStream(stream, { from: revision, limit: 1 })) return event
  return undefined
}

/** RFC 2369; RFC 8058 for a page that takes one click. */
const unsubscribing = (place: string | undefined): Readonly<Record<string, string>> => {
  if (place === undefined) return {}
  const header = { 'List-Unsubscribe': `<${place}>` }
  return place.startsWith('https:') ? { ...header, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } : header
}

export type SendingDeps = Pick<MailDeps, 'log' | 'secret'> & {
  readonly mailer: Pick<Mailer, 'send'>
  readonly render: (template: string, locale: Locale, data: JsonObject) => Rendered
  readonly now: () => Date
  /** The domain of message ids: that of the sender. */
  readonly domain: string
  /** How many at once on this node. */
  readonly concurrency: number
  /** Told of each mail that was taken, without its address. */
  readonly onSent: (mail: { readonly key: string; readonly template: string; readonly trace?: string }) => void
}

/** What is done with the jobs that the subscriber puts into the queue. */
export const mailJobs = (rules: readonly MailRule[], deps: SendingDeps): JobKind => ({
  ...{ name: MAIL_JOB, concurrency: deps.concurrency, ...TRIES },
  handle: async ({ key, data, held }: RunningJob) => {
    const about = parse(data)
    const event = await eventOf(deps.log, about)
    const rule = rules.find(each => each.type === event?.type && each.template === about.template)
    if (!event || !rule) throw new PermanentFailure('the event or the rule of this mail is not there')
    const recipient = (await rule.to(event)).find(each => markOf(deps.secret, each.address) === about.mark)
    const content = rule.data(event)
    // Erased, unsubscribed or no longer named since: nothing is to be sent, and that is all.
    if (!recipient || !content) return
    const rendered = deps.render(rule.template, recipient.locale, content)
    const mail: Mail = {
      ...{ ...rendered, to: recipient.address, date: deps.now() },
      messageId: `${createHash('sha256').update(key).digest('hex').slice(0, 32)}@${deps.domain}`,
      headers: unsubscribing(recipient.unsubscribe ?? rule.unsubscribe?.(recipient)),
    }
    // A node that slept through its lock is not to send what another one has sent meanwhile.
    if (!(await held())) throw new Error('another node has taken the job over')
    try {
      await deps.mailer.send(mail)
    } catch (error) {
      if (error instanceof MailError && error.kind === 'permanent')
        throw new PermanentFailure(error.message, { cause: error })
      throw error
    }
    const { traceparent } = event.meta
    deps.onSent({ key, template: rule.template, ...(traceparent !== undefined && { trace: traceparent }) })
  },
})
