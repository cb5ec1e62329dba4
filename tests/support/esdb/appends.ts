/** The writing half of the double's Streams service: append, batch append, delete, tombstone. */
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import {
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import type { Fault } from './faults.ts'
import {
  appendAnswer,
  batchAnswer,
  batchErrors,
  notLeader,
  proposedOf,
  serviceError,
  streamNameOf,
} from './messages.ts'
import type { DoubleLog, ExpectedVersion, Proposed } from './records.ts'

type AppendReq = streamsPb.AppendReq
type BatchAppendReq = streamsPb.BatchAppendReq

export const MAX_APPEND_SIZE = 1_048_576
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export type Appending = {
  readonly log: DoubleLog
  /** The order for this append, if there is one. */
  readonly fault: () => Fault | undefined
  /** Cuts every connection. */
  readonly cut: () => void
  /** Counts appends as they come in. */
  readonly seen: (events: number) => void
}

/** What is wrong with the request itself, as the server says it on both paths. */
const badRequest = (stream: string, events: readonly Proposed[]): string | undefined => {
  if (stream === '') return 'A stream name is required'
  if (events.some(each => each.type === '')) return 'An event type is required'
  if (events.some(each => !UUID.test(each.id))) return 'Could not parse UUID'
  return undefined
}

const sizeOf = (events: readonly Proposed[]): number =>
  events.reduce((sum, each) => sum + each.data.length + each.metadata.length + each.type.length * 2, 0)

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

type Batch = { stream: string; expected: ExpectedVersion; events: Proposed[] }

const batchExpected = (options: streamsPb.BatchAppendReq.Options | undefined): ExpectedVersion => {
  if (!options || options.hasAny()) return 'any'
  if (options.hasStreamExists()) return 'exists'
  return options.hasNoStream() ? -1n : BigInt(options.getStreamPosition())
}

const appendExpected = (options: streamsPb.AppendReq.Options | undefined): ExpectedVersion => {
  if (!options || options.hasAny()) return 'any'
  if (options.hasStreamExists()) return 'exists'
  return options.hasNoStream() ? -1n : BigInt(options.getRevision())
}

export const batchAppend =
  ({ log, fault, cut, seen }: Appending) =>
  (call: ServerDuplexStream<BatchAppendReq, streamsPb.BatchAppendResp>) => {
    const open = new Map<string, Batch>()
    const execute = ({ stream, expected, events }: Batch) => {
      const bad = badRequest(stream, events)
      if (bad !== undefined) return batchErrors.badRequest(bad)
      if (sizeOf(events) > MAX_APPEND_SIZE) return batchErrors.tooLarge(MAX_APPEND_SIZE)
      const result = log.append(stream, expected, events)
      if (result.outcome === 'deleted') return batchErrors.deleted(stream)
      return result.outcome === 'written' ? result : batchErrors.wrongVersion(expected, result.current)
    }
    call.on('error', () => undefined)
    call.on('end', () => call.end())
    call.on('data', (request: BatchAppendReq) => {
      const correlation = request.getCorrelationId()
      const id = correlation?.getString() ?? ''
      const batch = open.get(id) ?? {
        stream: streamNameOf(request.getOptions()?.getStreamIdentifier()),
        events: [],
        expected: batchExpected(request.getOptions()),
      }
      batch.events.push(...request.getProposedMessagesList().map(proposedOf))
      if (!request.getIsFinal()) return void open.set(id, batch)
      open.delete(id)
      seen(batch.events.length)
      const answer = (result: ReturnType<typeof execute>): void => {
        if (!call.cancelled) call.write(batchAnswer(correlation, batch.stream, result))
      }
      const ordered = fault()
      switch (ordered?.kind) {
        case undefined:
          return answer(execute(batch))
        case 'drop':
          return cut()
        case 'lose-answer':
          execute(batch)
          return cut()
        case 'delay': {
          const result = execute(batch)
          return void later(ordered.ms).then(() => answer(result))
        }
        case 'hold': {
          const result = execute(batch)
          return void ordered.until.then(() => answer(result))
        }
        case 'freeze':
          return undefined
        case 'not-leader':
          return void call.emit('error', notLeader(ordered.host, ordered.port))
        case 'overloaded':
          return void call.emit('error', serviceError(status.RESOURCE_EXHAUSTED, 'Server is too busy'))
        case 'timeout':
          if (ordered.written) execute(batch)
          return answer(batchErrors.timeout())
        default:
          throw new Error(`an append knows no fault ${ordered?.kind}`)
      }
    })
  }

export const append =
  ({ log, fault, cut, seen }: Appending) =>
  (
    call: ServerReadableStream<AppendReq, streamsPb.AppendResp>,
    callback: sendUnaryData<streamsPb.AppendResp>,
  ): void => {
    let stream = ''
    let expected: ExpectedVersion = 'any'
    const events: Proposed[] = []
    call.on('data', (request: AppendReq) => {
      if (request.hasOptions()) {
        stream = streamNameOf(request.getOptions()?.getStreamIdentifier())
        expected = appendExpected(request.getOptions())
      }
      const message = request.getProposedMessage()
      if (message) events.push(proposedOf(message))
    })
    const execute = () => {
      const bad = badRequest(stream, events)
      if (bad !== undefined) return callback(serviceError(status.INVALID_ARGUMENT, bad))
      if (sizeOf(events) > MAX_APPEND_SIZE)
        return callback(
          serviceError(status.INVALID_ARGUMENT, 'Maximum Append Size Exceeded', 'maximum-append-size-exceeded', {
            'maximum-append-size': String(MAX_APPEND_SIZE),
          }),
        )
      const result = log.append(stream, expected, events)
      if (result.outcome === 'deleted')
        return callback(
          serviceError(status.FAILED_PRECONDITION, 'deleted', 'stream-deleted', { 'stream-name': stream }),
        )
      callback(null, appendAnswer(expected, result))
    }
    call.on('end', () => {
      seen(events.length)
      const ordered = fault()
      if (ordered?.kind === 'drop') return cut()
      if (ordered?.kind === 'freeze') return
      if (ordered?.kind === 'lose-answer') {
        log.append(stream, expected, events)
        return cut()
      }
      if (ordered?.kind === 'not-leader') return callback(notLeader(ordered.host, ordered.port))
      if (ordered?.kind === 'overloaded') return callback(serviceError(status.RESOURCE_EXHAUSTED, 'Server is too busy'))
      if (ordered?.kind === 'delay') return void later(ordered.ms).then(execute)
      execute()
    })
  }

type Removal = {
  getOptions():
    | {
        getStreamIdentifier(): { getStreamName_asU8(): Uint8Array } | undefined
        hasRevision(): boolean
        getRevision(): string
        hasNoStream(): boolean
      }
    | undefined
}

/** Delete and tombstone: this project does neither, and its tests show what happens to who does. */
export const remove =
  <Req extends Removal, Resp>(log: DoubleLog, hard: boolean, answer: () => Resp) =>
  ({ request }: ServerUnaryCall<Req, Resp>, callback: sendUnaryData<Resp>) => {
    const options = request.getOptions()
    const stream = streamNameOf(options?.getStreamIdentifier())
    const expected = options?.hasRevision() ? BigInt(options.getRevision()) : options?.hasNoStream() ? -1n : 'any'
    const { outcome } = log.delete(stream, expected, hard)
    if (outcome === 'written') return callback(null, answer())
    const exception = outcome === 'deleted' ? 'stream-deleted' : 'wrong-expected-version'
    const more = { 'stream-name': stream, 'expected-version': '-1', 'actual-version': '-2' }
    callback(serviceError(status.FAILED_PRECONDITION, exception, exception, more))
  }
