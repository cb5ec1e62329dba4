/** Between the double's records and the messages of the protocol, which the client ships with its definitions. */
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import statusPb from '@eventstore/db-client/generated/status_pb.js'
import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import anyPb from 'google-protobuf/google/protobuf/any_pb.js'
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js'
import type { AppendOutcome, DoubleRecord, ExpectedVersion, Proposed } from './records.ts'

const { ReadResp, BatchAppendResp, AppendResp } = streamsPb

/** A failed call as the server says it: its kind in the metadata `exception`. */
export const serviceError = (
  code: status,
  details: string,
  exception?: string,
  more: Readonly<Record<string, string>> = {},
): ServiceError => {
  const metadata = new Metadata()
  if (exception !== undefined) metadata.set('exception', exception)
  for (const [name, value] of Object.entries(more)) metadata.set(name, value)
  return Object.assign(new Error(details), { code, details, metadata })
}

export const notLeader = (host: string, port: number): ServiceError =>
  serviceError(status.NOT_FOUND, 'Leader info available', 'not-leader', {
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  })
export const brokenHandler = (): ServiceError => serviceError(status.UNKNOWN, 'Exception was thrown by handler.')
export const accessDenied = (): ServiceError => serviceError(status.PERMISSION_DENIED, 'Access Denied', 'access-denied')
export const tooSlow = (): ServiceError =>
  serviceError(status.ABORTED, 'Consumer too slow to handle event while live. Client resubscription required.')

export const streamNameOf = (id: { getStreamName_asU8(): Uint8Array } | undefined): string =>
  Buffer.from(id?.getStreamName_asU8() ?? []).toString('utf8')

export const identifier = (name: string) => {
  const id = new sharedPb.StreamIdentifier()
  id.setStreamName(Buffer.from(name).toString('base64'))
  return id
}

type ProposedMessage = {
  getId(): { getString(): string } | undefined
  getMetadataMap(): { get(name: string): string | undefined }
  getData_asU8(): Uint8Array
  getCustomMetadata_asU8(): Uint8Array
}

export const proposedOf = (message: ProposedMessage): Proposed => ({
  id: message.getId()?.getString() ?? '',
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
})

export const eventMessage = (record: DoubleRecord) => {
  const event = new ReadResp.ReadEvent.RecordedEvent()
  const id = new sharedPb.UUID()
  id.setString(record.id)
  event.setId(id)
  event.setStreamIdentifier(identifier(record.stream))
  event.setStreamRevision(String(record.revision))
  event.setPreparePosition(String(record.position))
  event.setCommitPosition(String(record.position))
  event.getMetadataMap().set('type', record.type)
  event.getMetadataMap().set('content-type', record.contentType)
  event.getMetadataMap().set('created', String(record.created))
  event.setCustomMetadata(record.metadata)
  event.setData(record.data)
  const read = new ReadResp.ReadEvent()
  read.setEvent(event)
  read.setCommitPosition(String(record.position))
  const response = new ReadResp()
  response.setEvent(read)
  return response
}

export const confirmation = (id: string) => {
  const confirmed = new ReadResp.SubscriptionConfirmation()
  confirmed.setSubscriptionId(id)
  const response = new ReadResp()
  response.setConfirmation(confirmed)
  return response
}

export const checkpoint = (position: bigint) => {
  const reached = new ReadResp.Checkpoint()
  reached.setCommitPosition(String(position))
  // As the real server says it of some: N/0.
  reached.setPreparePosition('0')
  const response = new ReadResp()
  response.setCheckpoint(reached)
  return response
}

export const caughtUp = () => {
  const response = new ReadResp()
  response.setCaughtUp(new ReadResp.CaughtUp())
  return response
}

export const streamNotFound = (name: string) => {
  const missing = new ReadResp.StreamNotFound()
  missing.setStreamIdentifier(identifier(name))
  const response = new ReadResp()
  response.setStreamNotFound(missing)
  return response
}

type Packed = { serializeBinary(): Uint8Array }

/** A google.rpc.Status with the protocol's own message in it: how the batch path says what went wrong. */
const batchStatus = (code: number, message: string, name: string, detail: Packed) => {
  const any = new anyPb.Any()
  any.pack(detail.serializeBinary(), `event_store.client.${name}`)
  const error = new statusPb.Status()
  error.setCode(code)
  error.setMessage(message)
  error.setDetails(any)
  return error
}

export const batchErrors = {
  wrongVersion: (expected: ExpectedVersion, current: bigint) => {
    const wrong = new sharedPb.WrongExpectedVersion()
    if (current < 0n) wrong.setCurrentNoStream(new emptyPb.Empty())
    else wrong.setCurrentStreamRevision(String(current))
    if (expected === 'any') wrong.setExpectedAny(new emptyPb.Empty())
    else if (expected === 'exists') wrong.setExpectedStreamExists(new emptyPb.Empty())
    else if (expected < 0n) wrong.setExpectedNoStream(new emptyPb.Empty())
    else wrong.setExpectedStreamPosition(String(expected))
    return batchStatus(status.FAILED_PRECONDITION, '', 'WrongExpectedVersion', wrong)
  },
  deleted: (stream: string) => {
    const deleted = new sharedPb.StreamDeleted()
    deleted.setStreamIdentifier(identifier(stream))
    return batchStatus(status.FAILED_PRECONDITION, '', 'StreamDeleted', deleted)
  },
  tooLarge: (most: number) => {
    const large = new sharedPb.MaximumAppendSizeExceeded()
    large.setMaxappendsize(most)
    return batchStatus(status.INVALID_ARGUMENT, '', 'MaximumAppendSizeExceeded', large)
  },
  timeout: () => batchStatus(status.DEADLINE_EXCEEDED, 'Timeout', 'Timeout', new sharedPb.Timeout()),
  accessDenied: () => batchStatus(status.PERMISSION_DENIED, '', 'AccessDenied', new sharedPb.AccessDenied()),
  badRequest: (message: string) => {
    const bad = new sharedPb.BadRequest()
    bad.setMessage(message)
    return batchStatus(status.INVALID_ARGUMENT, message, 'BadRequest', bad)
  },
}

/** The answer to one append of a batch call. */
export const batchAnswer = (
  correlation: InstanceType<typeof sharedPb.UUID> | undefined,
  stream: string,
  result: Extract<AppendOutcome, { outcome: 'written' }> | InstanceType<typeof statusPb.Status>,
) => {
  const response = new BatchAppendResp()
  response.setCorrelationId(correlation)
  response.setStreamIdentifier(identifier(stream))
  if (!('outcome' in result)) {
    response.setError(result)
    return response
  }
  const success = new BatchAppendResp.Success()
  if (result.revision < 0n) success.setNoStream(new emptyPb.Empty())
  else success.setCurrentRevision(String(result.revision))
  if (result.position === undefined) success.setNoPosition(new emptyPb.Empty())
  else {
    const position = new sharedPb.AllStreamPosition()
    position.setCommitPosition(String(result.position))
    position.setPreparePosition(String(result.position))
    success.setPosition(position)
  }
  response.setSuccess(success)
  return response
}

/** The answer to a classic append. */
export const appendAnswer = (expected: ExpectedVersion, result: Exclude<AppendOutcome, { outcome: 'deleted' }>) => {
  const response = new AppendResp()
  if (result.outcome === 'written') {
    const success = new AppendResp.Success()
    if (result.revision < 0n) success.setNoStream(new sharedPb.Empty())
    else success.setCurrentRevision(String(result.revision))
    if (result.position === undefined) success.setNoPosition(new sharedPb.Empty())
    else {
      const position = new AppendResp.Position()
      position.setCommitPosition(String(result.position))
      position.setPreparePosition(String(result.position))
      success.setPosition(position)
    }
    response.setSuccess(success)
    return response
  }
  const wrong = new AppendResp.WrongExpectedVersion()
  if (result.current < 0n) wrong.setCurrentNoStream(new sharedPb.Empty())
  else wrong.setCurrentRevision(String(result.current))
  if (expected === 'any') wrong.setExpectedAny(new sharedPb.Empty())
  else if (expected === 'exists') wrong.setExpectedStreamExists(new sharedPb.Empty())
  else if (expected < 0n) wrong.setExpectedNoStream(new sharedPb.Empty())
  else wrong.setExpectedRevision(String(expected))
  response.setWrongExpectedVersion(wrong)
  return response
}
