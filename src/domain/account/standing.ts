/** What the state of an account allows at all, whoever decides: asked before every decision about it. */
import { type Refusal, refuse } from '../refusal.ts'
import type { Erased, Erasure } from './erasure-events.ts'
import type { Grant } from './grants.ts'

/** What is looked at of an account. */
type Standing = { readonly suspended: boolean; readonly erasure?: Erasure; readonly erased?: Erased }

export type EndRefusal = 'account-not-found' | 'account-erased' | 'erasure-begun'

/** Why nothing is decided about an account any more; undefined where something may be. */
export const endFault = (account: Standing | undefined): Refusal<EndRefusal> | undefined => {
  if (!account) return refuse('account-not-found', 'There is no such account.')
  if (account.erased) return refuse('account-erased', 'The account was erased.')
  return account.erasure?.begunAt === undefined ? undefined : refuse('erasure-begun', 'The erasure has begun.')
}

/** How an account stands, in a word: what is on its way to its end is that before anything else. */
export const accountStates = ['active', 'suspended', 'erasing', 'erased'] as const
export type StateOfAccount = (typeof accountStates)[number]
export const stateOf = ({ suspended, erasure, erased }: Standing): StateOfAccount =>
  erased ? 'erased' : erasure ? 'erasing' : suspended ? 'suspended' : 'active'

/** Does nobody act by it now: is it suspended, at its end, or not there? */
export const isIdle = (account: Standing | undefined): boolean =>
  account === undefined || account.suspended || endFault(account) !== undefined

/** An administrator for good: one who may act, and whose grant has no end. */
export const staysAdministrator = (account: (Standing & { readonly grants: readonly Grant[] }) | undefined): boolean =>
  account !== undefined &&
  !isIdle(account) &&
  account.grants.some(({ role, expiresAt }) => role === 'admin' && expiresAt === undefined)
