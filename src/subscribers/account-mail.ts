/** What people are told by mail about their own account. Who they are is an id here; the port of recipients knows the rest. */
import type { Account } from '../domain/account/account.ts'
import {
  AccountReinstated,
  AccountSuspended,
  accountCategory,
  PasswordSet,
  RoleGranted,
  RoleTaken,
} from '../domain/account/account.ts'
import { ErasureBegun, ErasureHeld, ErasureRequested } from '../domain/account/erasure-events.ts'
import { SessionsEnded } from '../domain/account/session-end-events.ts'
import { type AddressState, addressCategory, changeBy, ownerOf, pendingBy } from '../domain/address/address.ts'
import { PasswordResetRequested, SignUpReceived, VerificationResent } from '../domain/address/address-events.ts'
import { AddressChangeRequested, AddressLeft } from '../domain/address/change-events.ts'
import type { Recorded } from '../domain/event.ts'
import { SessionEnded, sessionCategory } from '../domain/session/session.ts'
import type { MailData, MailRule } from './mail.ts'

type LinkPurpose = 'verify' | 'reset' | 'email' | 'revert' | 'keep'

export type AccountMailDeps = {
  /** Where the service is reached now. */
  readonly publicUrl: () => string
  readonly address: (stream: string) => Promise<AddressState>
  readonly account: (stream: string) => Promise<Account | undefined>
  /** The token of the link that the event is about. */
  readonly token: (purpose: LinkPurpose, claim: string, commandId: string) => string
  /** Where the receipt of an erasure is to be had. */
  readonly receipt: (accountId: string) => string
}

/** Who waits at a screen comes before who reads tomorrow. */
const WAITING = 10
const NOTICE = 5

const idOf = ({ stream }: Recorded): string => stream.slice(accountCategory.length + 1)
const account = (event: Recorded): readonly string[] => [`account:${idOf(event)}`]
/** Whoever the event itself names by address. */
const named = ({ stream, revision }: Recorded): readonly string[] => [`named:${stream}#${revision}`]
/** Whoever has the claim; nobody, very often, which the work is not to show. */
const owner = ({ stream }: Recorded): readonly string[] => [`owner:${stream}`]
const nobody: readonly string[] = []
const isHeld = ({ data }: Recorded): boolean => data['held'] === true
/** Was asked for too often, by whomever: nobody is told. */
const unlessQuiet =
  (to: (event: Recorded) => readonly string[]) =>
  (event: Recorded): readonly string[] =>
    event.data['quiet'] === true ? nobody : to(event)
const language = ({ data }: Recorded): string | undefined =>
  typeof data['locale'] === 'string' ? data['locale'] : undefined
const when = ({ meta, data }: Recorded): MailData => ({
  at: { instant: meta.at },
  role: String(data['role'] ?? '-'),
})

/** Undefined once the reason is gone with its key. */
const ended = ({ meta, data: { reason } }: Recorded): MailData | undefined =>
  typeof reason === 'string' ? { at: { instant: meta.at }, reason } : undefined

/** What an administrator did, why, and on which terms. A dash stands for what is not said. */
const administered = (event: Recorded): MailData => {
  const { reason = '-', expiresAt, languages } = event.data
  return {
    ...when(event),
    reason: String(reason),
    until: typeof expiresAt === 'string' ? { instant: expiresAt } : '-',
    languages: Array.isArray(languages) ? languages.join(', ') : '-',
  }
}

export const accountRules = (deps: AccountMailDeps): readonly MailRule[] => {
  // The page speaks the language of the mail.
  const page = (purpose: LinkPurpose, locale: string): string =>
    `${deps.publicUrl()}/account/${purpose}?lang=${/^es\b/.test(locale) ? 'es' : 'en'}`
  const link = (purpose: LinkPurpose) => (event: Recorded, locale: string) => ({
    url: `${page(purpose, locale)}#${deps.token(purpose, event.stream, event.meta.commandId)}`,
  })
  const address = ({ stream }: Recorded): Promise<AddressState> => deps.address(stream)
  const claim = { category: addressCategory, priority: WAITING } as const
  const notice = { category: accountCategory, priority: NOTICE, to: account } as const
  return [
    {
      ...claim,
      type: SignUpReceived.type,
      template: 'verify-email',
      to: unlessQuiet(event => (isHeld(event) ? nobody : named(event))),
      // It may be used: made at the command line, it is before anybody reads it.
      still: async event => pendingBy(await address(event), String(event.data['linkHash'])) !== undefined,
      locale: language,
      data: link('verify'),
    },
    {
      ...claim,
      type: SignUpReceived.type,
      template: 'address-known',
      to: unlessQuiet(event => (isHeld(event) ? named(event) : nobody)),
      locale: language,
      data: (_, locale) => ({ url: page('reset', locale) }),
    },
    {
      ...claim,
      type: VerificationResent.type,
      template: 'verify-email',
      to: unlessQuiet(({ stream }) => [`waiting:${stream}`]),
      still: async event => pendingBy(await address(event), String(event.data['linkHash'])) !== undefined,
      data: link('verify'),
    },
    {
      ...claim,
      type: PasswordResetRequested.type,
      template: 'reset-password',
      to: unlessQuiet(owner),
      still: async event => ownerOf(await address(event))?.accountId === event.data['accountId'],
      data: link('reset'),
    },
    {
      ...claim,
      type: AddressChangeRequested.type,
      template: 'confirm-new-address',
      to: unlessQuiet(event => (isHeld(event) ? nobody : named(event))),
      still: async event => changeBy(await address(event), String(event.data['linkHash'])) !== undefined,
      locale: language,
      data: link('email'),
    },
    {
      ...claim,
      type: AddressChangeRequested.type,
      template: 'address-wanted',
      // In the language of who has the address: who wants it chose another one for themselves.
      to: unlessQuiet(event => (isHeld(event) ? owner(event) : nobody)),
      data: () => ({}),
    },
    {
      ...claim,
      type: AddressLeft.type,
      template: 'address-changed',
      to: ({ stream }) => [`holder:${stream}`],
      still: async event => (await address(event)).holder?.revertHash === event.data['linkHash'],
      data: (event, locale) => ({ ...link('revert')(event, locale), at: { instant: event.meta.at } }),
    },
    {
      ...notice,
      type: PasswordSet.type,
      template: 'password-changed',
      to: event => (event.data['reason'] === 'rehashed' ? nobody : account(event)),
      data: when,
    },
    { ...notice, type: RoleGranted.type, template: 'role-granted', data: administered },
    { ...notice, type: RoleTaken.type, template: 'role-taken', data: administered },
    {
      ...notice,
      type: ErasureRequested.type,
      template: 'erasure-requested',
      priority: WAITING,
      // A later wish has a link of its own; one that was taken back has none.
      still: async ({ stream, data }) => (await deps.account(stream))?.erasure?.linkHash === data['linkHash'],
      data: ({ data, meta }, locale) => ({
        url: `${page('keep', locale)}#${deps.token('keep', String(data['claim']), meta.commandId)}`,
        at: { instant: String(data['due']) },
        receipt: deps.receipt(String(data['accountId'])),
      }),
    },
    {
      ...notice,
      type: ErasureHeld.type,
      template: 'erasure-waits',
      still: async ({ stream }) => {
        const { erasure } = (await deps.account(stream)) ?? {}
        return erasure?.heldAt !== undefined && erasure.begunAt === undefined
      },
      data: when,
    },
    {
      ...notice,
      type: ErasureBegun.type,
      template: 'account-erased',
      priority: WAITING,
      data: ({ data }) => ({ url: deps.receipt(String(data['accountId'])) }),
    },
    {
      ...notice,
      type: SessionsEnded.type,
      template: 'sessions-ended',
      to: event => (event.data['cause'] === 'administrator' ? account(event) : nobody),
      data: ended,
    },
    {
      ...notice,
      category: sessionCategory,
      type: SessionEnded.type,
      template: 'session-ended',
      to: ({ data }) => (data['cause'] === 'administrator' ? [`account:${String(data['accountId'])}`] : nobody),
      data: ended,
    },
    { ...notice, type: AccountSuspended.type, template: 'account-suspended', data: administered },
    { ...notice, type: AccountReinstated.type, template: 'account-reinstated', data: administered },
  ]
}
