/**
 * What was not sent. Jobs, and how far their subscriber has read, lie in one store that no read model can be made again from. If
 * it is lost the subscriber begins at the head of the log, since nobody wants the mails of years again; what lies between is
 * named, and waits for an operator as a job: retried it is read once more, dropped it is left alone. How far all was sent is
 * noted in the read store now and then, so that the span is no longer than it has to be.
 */

import { defined } from '../../domain/defined.ts'
import type { JsonObject } from '../../domain/event.ts'
import { NO_MARK } from '../../domain/mark.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import { type JobKind, type Jobs, PermanentFailure } from '../../ports/jobs.ts'
import type { ConsumerStore } from '../../ports/read-store.ts'
import type { Log, Place } from '../log/log.ts'
import { consumerOf, type Subscriber } from './define.ts'

export const UNSENT_JOB = 'unsent'

/** Events after `from`, up to `to`. */
export type Span = { readonly from: bigint; readonly to: bigint }

type Records = Pick<ConsumerStore, 'record' | 'swap'>
type SentLog = Pick<Log, 'logId' | 'readAll' | 'head' | 'markAt'>
/** `known`: where the subscriber was when that was known, with what stood there; records of before there were marks have none. */
type Sent = { readonly logId: string; readonly position: bigint; readonly known?: Place }

const sentRecord = (consumer: string): string => `sent:${consumer}`

const parse = (text: string | undefined): Sent | undefined => {
  const [, logId, position, at, mark = NO_MARK] = /^(\S+) (\d+)(?: (\d+) (\S*))?$/.exec(text ?? '') ?? []
  if (logId === undefined || position === undefined) return undefined
  return {
    logId,
    position: BigInt(position),
    ...defined({ known: at === undefined ? undefined : { position: BigInt(at), mark } }),
  }
}

/** Is it of this log, and of the history that the log has now? */
const isOf = async (log: SentLog, { logId, known }: Sent): Promise<boolean> =>
  logId === log.logId && (known === undefined || known.mark === (await log.markAt(known.position)))

const filterOf = ({ categories, types }: Subscriber): LogFilter => ({ categories, ...defined({ types }) })

/** Is there anything in it that the subscriber would have handled? */
const isOwed = async (log: SentLog, subscriber: Subscriber, { from, to }: Span): Promise<boolean> => {
  for await (const { events, position } of log.readAll(from, filterOf(subscriber))) {
    if (events.some(event => event.position <= to)) return true
    if (position >= to) return false
  }
  return false
}

export type UnsentDeps = {
  readonly subscriber: Subscriber
  readonly log: SentLog
  /** The read store's: it outlives the jobs. */
  readonly records: Records
  readonly jobs: () => Promise<Pick<Jobs, 'add' | 'firstPosition' | 'consumers'>>
}

/**
 * Notes how far everything was sent: up to the first event of which a job is not done, or where the subscriber is. Other nodes note
 * the same, and one that is a little behind names a little more.
 */
export const noteSent = async ({ subscriber, log, records, jobs }: UnsentDeps, kind: string): Promise<void> => {
  const { consumers, firstPosition } = await jobs()
  const consumer = consumerOf(subscriber)
  const checkpoint = await consumers.checkpoint(consumer)
  if (!checkpoint || checkpoint.logId !== log.logId) return
  const owed = await firstPosition(kind)
  const position = owed !== undefined && owed <= checkpoint.position ? owed - 1n : checkpoint.position
  const known = `${checkpoint.position} ${await log.markAt(checkpoint.position)}`
  const [before, now] = [await records.record(sentRecord(consumer)), `${log.logId} ${position} ${known}`]
  if (before !== now) await records.swap(sentRecord(consumer), before, now)
}

/**
 * Where the subscriber begins whose checkpoint is not there, or is of another history; `head` was the log's end when the node
 * started. Where it is known how far all was sent, a parked job names what may not have been. Else there may never have been one.
 */
export const beginOutward = async ({ subscriber, log, records, jobs }: UnsentDeps, head: bigint): Promise<bigint> => {
  const consumer = consumerOf(subscriber)
  const sent = parse(await records.record(sentRecord(consumer)))
  const { add, consumers } = await jobs()
  if (!sent || !(await isOf(log, sent))) {
    const begun = await consumers.record(begunRecord(consumer))
    if (head > 0n && (await isOwed(log, subscriber, { from: 0n, to: head })))
      await consumers.swap(begunRecord(consumer), begun, String(head))
    return head
  }
  const to = await log.head()
  if (sent.position >= to || !(await isOwed(log, subscriber, { from: sent.position, to }))) return to
  const [from, upTo] = [String(sent.position), String(to)]
  await add({
    kind: UNSENT_JOB,
    key: `${subscriber.name}:${from}-${upTo}`,
    data: { subscriber: subscriber.name, logId: log.logId, from, to: upTo, mark: await log.markAt(to) },
    parked: `of events after position ${from}, up to ${upTo}, nothing may have been sent: the jobs were lost, or the log was put back`,
  })
  return to
}

const begunRecord = (consumer: string): string => `begun:${consumer}`

/** Up to where nothing was sent, since nobody knew of the subscriber then. */
export const begunAt = async (
  { consumers }: Pick<Jobs, 'consumers'>,
  subscriber: Pick<Subscriber, 'name'>,
): Promise<bigint | undefined> => {
  const text = await consumers.record(begunRecord(consumerOf(subscriber)))
  return text === undefined || !/^\d+$/.test(text) ? undefined : BigInt(text)
}

export const spanOf = ({ from, to }: JsonObject): Span | undefined =>
  typeof from === 'string' && typeof to === 'string' && /^\d+$/.test(from) && /^\d+$/.test(to)
    ? { from: BigInt(from), to: BigInt(to) }
    : undefined

/** What is done when an operator says that it is to be sent after all. */
export const unsentJobs = (subscribers: readonly Subscriber[], log: SentLog): JobKind => ({
  name: UNSENT_JOB,
  concurrency: 1,
  firstMs: 15_000,
  longestMs: 15 * 60_000,
  handle: async ({ data, signal }) => {
    const subscriber = subscribers.find(({ name }) => name === data['subscriber'])
    const span = spanOf(data)
    if (!subscriber || !span) throw new PermanentFailure('the job does not say what was not sent')
    const { logId, mark } = data
    // A job of before there were marks has none, and is believed for its log.
    if (logId !== log.logId || (mark !== undefined && mark !== (await log.markAt(span.to))))
      throw new PermanentFailure('what was not sent stands in another log')
    for await (const { events, position } of log.readAll(span.from, filterOf(subscriber))) {
      const due = events.filter(event => event.position <= span.to)
      if (due.length > 0) await subscriber.handle(due, signal)
      signal.throwIfAborted()
      if (position >= span.to) return
    }
  },
})
