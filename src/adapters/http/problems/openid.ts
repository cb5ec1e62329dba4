/** The problems of sign-in at OpenID providers. */

import type { OpenIdRefusal } from '../../../domain/openid/linked-identities.ts'
import type { OpenIdFlowRefusal } from '../../../domain/openid/sign-up.ts'
import type { Problem } from '../problem.ts'

export const openIdProblems = {
  'identity-in-use': {
    status: 409,
    title: 'Linked elsewhere',
    help: 'This identity belongs to another account. Sign in with it and unlink it there first.',
  },
  'identity-not-found': { status: 404, title: 'No such identity', help: 'There is no identity of yours with this id.' },
  'identity-last': {
    status: 409,
    title: 'The last way in',
    help: 'Nothing else signs you in. Set a password first: ask for a reset.',
  },
  'identity-limit': { status: 409, title: 'Too many identities', help: 'Unlink one of them first.' },
  'openid-address-taken': {
    status: 409,
    title: 'The address has an account',
    help: 'The provider says that an address is yours which an account here has. Sign in to that account and link the identity: accounts are never merged because of an address.',
  },
  'openid-address-missing': {
    status: 422,
    title: 'No address',
    help: 'The provider named no address of mail that can be written to. Sign up with one, then link the identity.',
  },
  'openid-unconfirmed': {
    status: 403,
    title: 'Confirm your address first',
    help: 'The provider has not verified your address, so a mail was sent to it. Use its link, sign in with the password that you set there, and link the identity.',
  },
  'openid-flow-invalid': {
    status: 400,
    title: 'Not begun here',
    help: 'This answer belongs to no sign-in that was begun in this browser with this provider within ten minutes, or it was used. Begin again.',
  },
  'openid-refused': {
    status: 403,
    title: 'The provider refused',
    help: 'The provider did not sign you in, or you did not let it.',
  },
  'openid-answer-invalid': {
    status: 502,
    title: 'The provider cannot be believed',
    help: 'What the provider answered did not pass the checks, so nobody was signed in.',
  },
  'openid-unavailable': {
    status: 503,
    title: 'The provider is away',
    help: 'The provider does not answer at the moment. Try again, or sign in in another way.',
    retryAfter: 5,
  },
} as const satisfies Record<OpenIdRefusal | OpenIdFlowRefusal, Problem>

type OpenIdProblems = typeof openIdProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends OpenIdProblems {}
}
