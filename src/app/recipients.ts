/**
 * The port of recipients, served by accounts, the claims of addresses, and the settings. An id is a kind and what names one of it:
 * `account:<id>`; `owner:`, `holder:` and `waiting:<claim>` for who has an address, left it lately, or waits to have it confirmed;
 * `named:<stream>#<revision>` for whom an event names itself; `operator:<mark>` for one of LEXICHRON_ALERT_MAIL.
 */
import { createHmac } from 'node:crypto'
import type { Config } from '../config/load.ts'
import type { Transactor } from '../core/write/transact.ts'
import { type AccountEvent, type AccountState, accountAggregate, accountStream } from '../domain/account/account.ts'
import { type AddressState, addressAggregate, ownerOf } from '../domain/address/address.ts'
import type { AddressEvent } from '../domain/address/address-events.ts'
import type { Recorded } from '../domain/event.ts'
import type { Preferences } from '../domain/profile/preferences.ts'
import type { Recipient, Recipients } from '../ports/recipients.ts'
import type { Core } from './core.ts'

/** An operator's address by a keyed hash: nobody reads it from a job. */
const markOf = (secret: Uint8Array, address: string): string =>
  createHmac('sha256', secret).update(address.normalize('NFC').toLowerCase()).digest('base64url').slice(0, 22)

export const operatorIds = ({ alertMail }: Pick<Config, 'alertMail'>, secret: Uint8Array): readonly string[] =>
  alertMail.map(address => `operator:${markOf(secret, address)}`)

/** Where they are looked up. */
export type RecipientSources = {
  readonly accounts: Pick<Transactor<AccountState, AccountEvent>, 'load'>
  readonly addresses: Pick<Transactor<AddressState, AddressEvent>, 'load'>
  /** What the account's owner chose. */
  readonly chosen: (accountId: string) => Promise<Preferences | undefined>
  readonly log: Pick<Core['log'], 'readStream'>
  readonly mailSecret: Uint8Array
}

export const recipientSources = (
  { transactor, log, mailSecret }: Core,
  chosen: RecipientSources['chosen'],
): RecipientSources => ({
  accounts: transactor(accountAggregate),
  addresses: transactor(addressAggregate),
  chosen,
  log,
  mailSecret,
})

type Known = { readonly accountId: string; readonly address?: string; readonly locale: string }
type Found = Promise<Recipient | undefined>

export const openRecipients = (sources: RecipientSources, config: Pick<Config, 'alertMail'>): Recipients => {
  const { accounts, addresses, log, mailSecret } = sources

  const reader = async ({ accountId, address, locale }: Known): Found => {
    if (address === undefined) return undefined
    const chosen = await sources.chosen(accountId)
    return {
      address,
      locale: chosen?.language ?? locale,
      timeZone: chosen?.timeZone ?? 'UTC',
      key: `subject:${accountId}`,
    }
  }
  const account = async (id: string): Found => {
    const { state } = await accounts.load(accountStream(id))
    return state && reader({ ...state, accountId: state.id })
  }
  const onClaim =
    (who: (state: AddressState) => Known | undefined) =>
    async (claim: string): Found => {
      const known = who((await addresses.load(claim)).state)
      return known && reader(known)
    }
  const eventAt = async (place: string): Promise<Recorded | undefined> => {
    const [, stream, revision] = /^(.+)#(\d+)$/.exec(place) ?? []
    if (stream === undefined || revision === undefined) return undefined
    for await (const [event] of log.readStream(stream, { from: BigInt(revision), limit: 1 })) return event
    return undefined
  }
  const named = async (place: string): Found => {
    const event = await eventAt(place)
    const { address, accountId, locale } = event?.data ?? {}
    if (!event || event.removed || typeof address !== 'string') return undefined
    return reader({
      accountId: String(accountId),
      address,
      locale: typeof locale === 'string' ? locale : 'en',
    })
  }
  const operators = new Map(config.alertMail.map(address => [markOf(mailSecret, address), address]))
  const operator = async (mark: string): Found => {
    const address = operators.get(mark)
    return address === undefined ? undefined : { address, locale: 'en', timeZone: 'UTC' }
  }

  const kinds: ReadonlyMap<string, (name: string) => Found> = new Map([
    ['account', account],
    ['owner', onClaim(ownerOf)],
    ['holder', onClaim(({ holder }) => holder)],
    ['waiting', onClaim(({ pending }) => pending.at(-1))],
    ['named', named],
    ['operator', operator],
  ])
  return {
    find: async id => {
      const colon = id.indexOf(':')
      return kinds.get(id.slice(0, Math.max(0, colon)))?.(id.slice(colon + 1))
    },
  }
}
