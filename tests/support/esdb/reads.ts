/** The reading half of the double's Streams service: streams, the whole log, filtered subscriptions with checkpoints. */
import { randomUUID } from 'node:crypto'
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import { type ServerWritableStream, status } from '@grpc/grpc-js'
import type { Fault } from './faults.ts'
import {
  brokenHandler,
  caughtUp,
  checkpoint,
  confirmation,
  eventMessage,
  notLeader,
  serviceError,
  streamNameOf,
  streamNotFound,
  tooSlow,
} from './messages.ts'
import type { DoubleLog, DoubleRecord } from './records.ts'

export type Call = ServerWritableStream<streamsPb.ReadReq, streamsPb.ReadResp>
type Options = streamsPb.ReadReq.Options

export type Reading = {
  readonly log: DoubleLog
  readonly fault: (operation: 'read' | 'subscribe') => Fault | undefined
  readonly cut: () => void
  /** Whether the server says when a subscription has caught up: 23.10 and later do. */
  readonly saysCaughtUp: boolean
  readonly opened: (call: Call) => void
  /** Told of each event and checkpoint of a subscription. */
  readonly sent: () => void
}

/** Events of a live subscription that may wait for its client before it is dropped. */
const LIVE_BUFFER = 4_096
const WINDOW = 32

const over = (call: Call): boolean => call.cancelled || call.destroyed

/** Writes what the connection takes; false when the call is over. */
const send = async (call: Call, message: streamsPb.ReadResp): Promise<boolean> => {
  if (over(call)) return false
  if (call.write(message)) return true
  return new Promise(resolve => {
    const done = (): void => {
      call.off('drain', done)
      call.off('cancelled', done)
      call.off('close', done)
      resolve(!over(call))
    }
    call.on('drain', done)
    call.on('cancelled', done)
    call.on('close', done)
  })
}

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** What becomes of the call before anything is read; true when nothing does. */
const passes = async (call: Call, fault: Fault | undefined, cut: () => void): Promise<boolean> => {
  switch (fault?.kind) {
    case 'drop':
      cut()
      return false
    case 'delay':
      await later(fault.ms)
      return !over(call)
    case 'freeze':
      return false
    case 'not-leader':
      call.emit('error', notLeader(fault.host, fault.port))
      return false
    case 'overloaded':
      call.emit('error', serviceError(status.RESOURCE_EXHAUSTED, 'Server is too busy'))
      return false
    default:
      return true
  }
}

const compiled = (expression: string): RegExp | undefined => {
  try {
    return new RegExp(expression || '(?:)', 'v')
  } catch {
    return undefined
  }
}

/** Undefined: an expression that cannot be read. */
const passed = (options: Options): ((record: DoubleRecord) => boolean) | undefined => {
  const filter = options.getFilter()
  if (!filter) return () => true
  const byType = filter.hasEventType()
  const expression = byType ? filter.getEventType() : filter.getStreamIdentifier()
  const prefixes = expression?.getPrefixList() ?? []
  const regex = compiled(expression?.getRegex() ?? '')
  if (!regex) return undefined
  return record => {
    const text = byType ? record.type : record.stream
    return prefixes.length > 0 ? prefixes.some(each => text.startsWith(each)) : regex.test(text)
  }
}

async function* chosen(log: DoubleLog, options: Options): AsyncGenerator<DoubleRecord | 'not-found' | 'broken'> {
  const backwards = options.getReadDirection() === 1
  const most = Number(options.getCount())
  const byStream = options.getStream()
  if (byStream) {
    const records = log.stream(streamNameOf(byStream.getStreamIdentifier()))
    if (!records) return yield 'not-found'
    const first = records[0]?.revision ?? 0n
    const from = byStream.hasEnd()
      ? records.length - 1
      : byStream.hasStart()
        ? 0
        : Number(BigInt(byStream.getRevision()) - first)
    const step = backwards ? -1 : 1
    let index = backwards ? Math.min(from, records.length - 1) : Math.max(from, 0)
    for (let left = most; left > 0 && index >= 0 && index < records.length; left -= 1, index += step) {
      const record = records[index]
      if (record) yield record
    }
    return
  }
  const all = options.getAll()
  const at = all?.getPosition()
  const place = at && log.indexAt(BigInt(at.getCommitPosition()))
  if (at && !place) return yield 'broken'
  // Backwards, a position is where the reading ends: the record that begins there is not in it.
  let index = place ? place.index - (backwards ? 1 : 0) : all?.hasEnd() ? log.all.length - (backwards ? 1 : 0) : 0
  if (backwards && all?.hasStart()) return
  for (let left = most; left > 0 && index >= 0 && index < log.all.length; left -= 1, index += backwards ? -1 : 1) {
    const record = log.all[index]
    if (record) yield record
  }
}

const readOnce = async ({ log, fault, cut }: Reading, call: Call, options: Options): Promise<void> => {
  const ordered = fault('read')
  if (!(await passes(call, ordered, cut))) return
  const name = streamNameOf(options.getStream()?.getStreamIdentifier())
  if (options.getStream() && log.isTombstoned(name)) {
    const more = { 'stream-name': name }
    call.emit(
      'error',
      serviceError(status.FAILED_PRECONDITION, `Event stream '${name}' is deleted.`, 'stream-deleted', more),
    )
    return
  }
  let sent = 0
  for await (const each of chosen(log, options)) {
    if (each === 'broken') return void call.emit('error', brokenHandler())
    if (ordered?.kind === 'drop-after' && sent >= ordered.after) return cut()
    if (!(await send(call, each === 'not-found' ? streamNotFound(name) : eventMessage(each)))) return
    sent += 1
  }
  call.end()
}

const follow = async (reading: Reading, call: Call, options: Options): Promise<void> => {
  const { log, fault, cut } = reading
  const ordered = fault('subscribe')
  if (!(await passes(call, ordered, cut))) return
  const all = options.getAll()
  const at = all?.getPosition()
  const place = at && log.indexAt(BigInt(at.getCommitPosition()))
  if (at && !place) return void call.emit('error', brokenHandler())
  // After a position that was scavenged the real server passes over one event that is still there.
  let index = place ? place.index + 1 : all?.hasEnd() ? log.all.length : 0
  const passesFilter = passed(options)
  if (!passesFilter) return void call.emit('error', brokenHandler())
  const filter = options.getFilter()
  const window = (filter?.hasMax() ? filter.getMax() : WINDOW) * (filter?.getCheckpointintervalmultiplier() ?? 1)
  let considered = 0
  let sent = 0
  let live = false
  let wake = (): void => undefined
  const unlisten = log.onWritten(() => wake())
  call.on('cancelled', () => wake())
  call.on('close', () => wake())
  call.on('error', () => wake())
  try {
    if (!(await send(call, confirmation(randomUUID())))) return
    while (!over(call)) {
      const record = log.all[index]
      if (!record) {
        if (!live && reading.saysCaughtUp && !(await send(call, caughtUp()))) return
        live = true
        if (index < log.all.length) continue
        await new Promise<void>(resolve => {
          wake = resolve
          if (index < log.all.length || over(call)) resolve()
        })
        continue
      }
      if (live && log.all.length - index > LIVE_BUFFER) return void call.emit('error', tooSlow())
      index += 1
      considered += 1
      if (passesFilter(record)) {
        if (ordered?.kind === 'too-slow' && sent >= ordered.after) return void call.emit('error', tooSlow())
        if (ordered?.kind === 'drop-after' && sent >= ordered.after) return cut()
        const times = ordered?.kind === 'duplicates' ? 2 : 1
        reading.sent()
        for (let time = 0; time < times; time += 1) if (!(await send(call, eventMessage(record)))) return
        sent += 1
      }
      if (filter && considered >= window) {
        considered = 0
        reading.sent()
        if (!(await send(call, checkpoint(record.position)))) return
      }
    }
  } finally {
    unlisten()
  }
}

export const read =
  (reading: Reading) =>
  (call: Call): void => {
    const options = call.request.getOptions()
    call.on('error', () => undefined)
    reading.opened(call)
    if (!options) return void call.emit('error', serviceError(status.INVALID_ARGUMENT, 'no options'))
    void (options.hasSubscription() ? follow : readOnce)(reading, call, options)
  }
