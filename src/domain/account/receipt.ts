/** What somebody who was erased is given to keep: what is gone, what stays and why. */

import { defined } from '../defined.ts'
import type { Account } from './account.ts'

export type Receipt = {
  readonly version: 1
  /** The address of the service, or its name. */
  readonly service: string
  readonly logId: string
  /** Of the event in that log which ended the account; a decimal. */
  readonly position: string
  readonly account: string
  readonly requestedAt: string
  readonly erasedAt: string
  readonly content: 'kept' | 'anonymised'
  readonly attribution?: string
  readonly destroyed: readonly string[]
  readonly kept: readonly string[]
  readonly copies: string
}

const destroyed = [
  'the key under which address, password, profile, preferences, sessions and linked identities were sealed: what is left of them cannot be read by anybody',
  'the claims of the address and of identities at providers: both are free for anybody',
] as const

const kept = [
  'that the account was there and what it did, under an id that is in no list of people any more: the history has to stay provable',
  'what was written for the dictionary, under its licence',
] as const

export type ReceiptFacts = {
  readonly service: string
  readonly logId: string
  readonly position: bigint
  /** For so many days whoever runs the service keeps copies of keys, as they say. */
  readonly keyBackupDays: number
}

export const receiptOf = (
  account: Account,
  { service, logId, position, keyBackupDays }: ReceiptFacts,
): Receipt | undefined => {
  const { erased, erasure, id } = account
  if (!erased || !erasure) return undefined
  const { content, attribution, at } = erased
  return {
    version: 1,
    service,
    logId,
    position: String(position),
    account: id,
    requestedAt: erasure.requestedAt,
    erasedAt: at,
    content,
    ...defined({ attribution }),
    destroyed,
    kept: attribution === undefined ? kept : [...kept, 'the display name, by choice'],
    copies: `The service makes no copies of keys. Whoever runs it says that they copy keys apart from the log and keep such a copy for ${keyBackupDays} days at most: until then somebody with such a copy and the log could read what is gone.`,
  }
}
