/** The problems of accounts and their addresses. */

import type { AccountRefusal } from '../../../domain/account/account.ts'
import type { AddressRefusal } from '../../../domain/address/address.ts'
import type { Problem } from '../problem.ts'

export const accountProblems = {
  'role-unknown': { status: 422, title: 'No such role', help: '/v1/roles lists the roles.' },
  'email-invalid': {
    status: 422,
    title: 'Not an address of mail',
    help: 'An address is of the form name@domain, without quotes and spaces, with 254 bytes at most.',
  },
  'password-weak': {
    status: 422,
    title: 'The password will not do',
    help: 'A password has 15 to 128 characters (8 where a second factor is on), is not among those that are tried first, and does not follow from your address or name. There are no other rules.',
  },
  'link-invalid': {
    status: 400,
    title: 'The link is no good',
    help: 'The token was not made here, only a part of it was copied, or it is not needed any more.',
  },
  'link-expired': { status: 410, title: 'The link is too old', help: 'Ask for another mail.' },
  'link-used': {
    status: 410,
    title: 'The link was used',
    help: 'A link works once. Sign in, or ask for another mail.',
  },
  'credentials-wrong': {
    status: 401,
    title: 'Address or password is wrong',
    help: 'No account with this address and password can sign in. The same is said of an address that is unknown or not confirmed.',
  },
  'account-not-found': { status: 404, title: 'No such account', help: 'There is no account with this id.' },
  'account-suspended': {
    status: 403,
    title: 'The account is suspended',
    help: 'The account may not be used for now, but to read what is its own and to leave: ask whoever runs the service.',
  },
  'account-erased': {
    status: 410,
    title: 'The account was erased',
    help: 'Nobody acts by it any more, and nothing is decided about it.',
  },
  'role-basic': {
    status: 422,
    title: 'A role that is not granted',
    help: 'Everybody with an account is a contributor, and reader is for services alone. Suspend an account that may do nothing.',
  },
  'role-not-held': {
    status: 409,
    title: 'Not a role of this account',
    help: 'The role was not granted, was taken back, or its grant has ended: there is nothing to take.',
  },
  'grant-beyond-own': {
    status: 409,
    title: 'Beyond your own grant',
    help: 'Who is an administrator for some time makes others administrators for that time at most: name an earlier expiresAt.',
  },
  'grant-suspended': {
    status: 409,
    title: 'The account is suspended',
    help: 'Nothing is granted to an account that may not act: reinstate it first.',
  },
  'own-role': {
    status: 409,
    title: 'Not on yourself',
    help: 'Nobody grants or takes their own roles or suspends themselves: another administrator has to.',
  },
  'last-administrator': {
    status: 409,
    title: 'The last administrator',
    help: 'Grant the role admin, without an end, to somebody else first.',
  },
  'erasure-begun': {
    status: 409,
    title: 'Too late',
    help: "The account is being erased: the day to change one's mind is over.",
  },
  'receipt-not-found': {
    status: 404,
    title: 'No such receipt',
    help: 'The link is not one of ours as a whole, or the account is not erased yet: it takes a day and some minutes.',
  },
  'grant-languages': {
    status: 422,
    title: 'A role that has no languages',
    help: 'Leave languages out, or grant a role whose work is on entries.',
  },
  'grant-past': { status: 422, title: 'A grant in the past', help: 'expiresAt is a time to come.' },
} as const satisfies Record<AccountRefusal | AddressRefusal, Problem>

type AccountProblems = typeof accountProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends AccountProblems {}
}
