/** What people are told by mail about their own account. Addresses are read from the account when the mail is made. */
import type { Account } from '../domain/account.ts'
import {
  AccountReinstated,
  AccountSuspended,
  accountCategory,
  PasswordSet,
  RoleGranted,
  RoleTaken,
} from '../domain/account.ts'
import {
  type AddressState,
  addressCategory,
  PasswordResetRequested,
  SignUpReceived,
  VerificationResent,
} from '../domain/address.ts'
import { AddressChangeRequested, AddressLeft, ownerOf } from '../domain/address-change.ts'
import { ErasureBegun, ErasureRequested } from '../domain/erasure.ts'
import type { Recorded } from '../domain/event.ts'
import type { Preferences } from '../domain/preferences.ts'
import type { MailRule, Recipient } from './mail.ts'

type LinkPurpose = 'verify' | 'reset' | 'email' | 'revert' | 'keep'

export type AccountMailDeps = {
  readonly publicUrl: string
  readonly address: (stream: string) => Promise<AddressState>
  readonly account: (stream: string) => Promise<Account | undefined>
  /** What the account's owner chose; undefined when nothing was. */
  readonly preferences: (accountId: string) => Promise<Preferences | undefined>
  /** The token of the link that the event is about. */
  readonly token: (purpose: LinkPurpose, claim: string, commandId: string) => string
  /** Where the owner of this account turns off the mails about roles, with one click. */
  readonly unsubscribe: (accountId: string) => string
  /** Where the receipt of an erasure is to be had. */
  readonly receipt: (accountId: string) => string
}

const minute = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`
const nobody: readonly Recipient[] = []
/** Of two mails that an event asks for one goes to who has the address, the other to who wants it. */
const isFree = ({ data }: Recorded): boolean => data['held'] !== true
const of = (known: { readonly address?: string; readonly locale: 'en' | 'es' } | undefined): readonly Recipient[] =>
  known?.address === undefined ? nobody : [{ address: known.address, locale: known.locale }]

/** Who waits at a screen comes before who reads tomorrow. */
const WAITING = 10
const NOTICE = 5

export const accountRules = (deps: AccountMailDeps): readonly MailRule[] => {
  const link = (purpose: LinkPurpose) => (event: Recorded) => ({
    url: `${deps.publicUrl}/account/${purpose}#${deps.token(purpose, event.stream, event.meta.commandId)}`,
  })
  const signedUp = { type: SignUpReceived.type, category: addressCategory, priority: WAITING }
  const toSigner = async ({ data, removed }: Recorded): Promise<readonly Recipient[]> =>
    removed ? nobody : [{ address: String(data['address']), locale: data['locale'] === 'es' ? 'es' : 'en' }]
  const owner = async ({ stream }: Recorded, isWanted: (chosen: Preferences) => boolean = () => true) => {
    const account = await deps.account(stream)
    const chosen = account && (await deps.preferences(account.id))
    if (chosen && !isWanted(chosen)) return nobody
    return of(account && chosen ? { ...account, locale: chosen.language } : account)
  }
  const unlessOff = async (event: Recorded): Promise<readonly Recipient[]> =>
    (await owner(event, ({ email }) => email.roles)).map(each => ({
      ...each,
      unsubscribe: deps.unsubscribe(event.stream.slice(accountCategory.length + 1)),
    }))
  const notice = { category: accountCategory, priority: NOTICE, to: (event: Recorded) => owner(event) }
  const changing = { category: addressCategory, priority: WAITING }
  const when = ({ meta, data }: Recorded) => ({ at: minute(meta.at), role: String(data['role'] ?? '-') })
  return [
    {
      ...{ ...signedUp, template: 'verify-email', data: link('verify'), always: isFree },
      // A later link has taken its place, or it was used: made at the command line, it is before anybody reads it.
      to: async event => {
        const { pending } = await deps.address(event.stream)
        return pending?.linkHash === event.data['linkHash'] ? toSigner(event) : nobody
      },
    },
    {
      ...{ ...signedUp, template: 'address-known', data: () => ({ url: `${deps.publicUrl}/account/reset` }) },
      to: async event => (event.data['held'] === true ? toSigner(event) : nobody),
    },
    {
      ...{ type: VerificationResent.type, category: addressCategory, priority: WAITING, template: 'verify-email' },
      always: () => true,
      to: async ({ stream, data }) => {
        const { pending } = await deps.address(stream)
        return pending?.accountId === data['accountId'] ? of(pending) : nobody
      },
      data: link('verify'),
    },
    {
      ...{
        type: PasswordResetRequested.type,
        category: addressCategory,
        priority: WAITING,
        template: 'reset-password',
      },
      always: () => true,
      to: async ({ stream, data }) => {
        const holder = ownerOf(await deps.address(stream))
        return holder?.accountId === data['accountId'] ? of(holder) : nobody
      },
      data: link('reset'),
    },
    {
      ...{ ...changing, type: AddressChangeRequested.type, template: 'confirm-new-address', data: link('email') },
      always: isFree,
      to: async event => {
        const { change } = await deps.address(event.stream)
        return change?.linkHash === event.data['linkHash'] ? toSigner(event) : nobody
      },
    },
    {
      ...{ ...changing, type: AddressChangeRequested.type, template: 'address-wanted', data: () => ({}) },
      // In the language of who has the address: who wants it chose another one for themselves.
      to: async ({ stream, data }) => (data['held'] === true ? of(ownerOf(await deps.address(stream))) : nobody),
    },
    {
      ...{ ...changing, type: AddressLeft.type, template: 'address-changed' },
      to: async ({ stream, data }) => {
        const { holder } = await deps.address(stream)
        return holder?.revertHash === data['linkHash'] ? of(holder) : nobody
      },
      data: event => ({ ...link('revert')(event), at: minute(event.meta.at) }),
    },
    {
      ...{ ...notice, type: PasswordSet.type, template: 'password-changed', data: when },
      to: async event => (event.data['reason'] === 'rehashed' ? nobody : owner(event)),
    },
    { ...notice, type: RoleGranted.type, template: 'role-granted', data: when, to: unlessOff },
    { ...notice, type: RoleTaken.type, template: 'role-taken', data: when, to: unlessOff },
    {
      ...{ ...notice, type: ErasureRequested.type, template: 'erasure-requested', priority: WAITING },
      // A later wish has a link of its own; one that was taken back has none.
      to: async event => {
        const account = await deps.account(event.stream)
        return account?.erasure?.linkHash === event.data['linkHash'] ? owner(event) : nobody
      },
      data: ({ data, meta }) => ({
        url: `${deps.publicUrl}/account/keep#${deps.token('keep', String(data['claim']), meta.commandId)}`,
        at: minute(String(data['due'])),
        receipt: deps.receipt(String(data['accountId'])),
      }),
    },
    {
      ...{ ...notice, type: ErasureBegun.type, template: 'account-erased', priority: WAITING },
      data: ({ data }) => ({ url: deps.receipt(String(data['accountId'])) }),
    },
    { ...notice, type: AccountSuspended.type, template: 'account-suspended', data: when },
    { ...notice, type: AccountReinstated.type, template: 'account-reinstated', data: when },
  ]
}
