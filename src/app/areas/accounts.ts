/** Accounts: addresses, roles, erasure, and what administrators look up of them. */
import { accountAggregate } from '../../domain/account/account.ts'
import { administratorsAggregate } from '../../domain/account/administrators.ts'
import { lookupAggregate } from '../../domain/account/lookup.ts'
import { addressAggregate } from '../../domain/address/address.ts'
import { addressKeysAggregate } from '../../domain/address/keys.ts'
import { mailAggregate } from '../../domain/address/mail-refusal.ts'
import type { Declared } from '../declared.ts'

export const accounts: Declared = {
  name: 'accounts',
  aggregates: [
    addressAggregate,
    addressKeysAggregate,
    accountAggregate,
    administratorsAggregate,
    lookupAggregate,
    mailAggregate,
  ],
}
