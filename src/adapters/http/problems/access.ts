/** The problems of tokens and blocks. */

import type { BlockRefusal } from '../../../domain/access/block.ts'
import type { TokenRefusal } from '../../../domain/access/token.ts'
import type { Problem } from '../problem.ts'

export const accessProblems = {
  'token-not-found': { status: 404, title: 'No such token', help: 'There is no access token with this id.' },
  'token-life': { status: 422, title: 'Too long a life', help: 'An access token lives 24 hours at most.' },
  'block-target-invalid': {
    status: 422,
    title: 'Nothing that can be blocked',
    help: 'target is an address (203.0.113.7, 2001:db8::1, which stands for its /64), a network (203.0.113.0/24, 2001:db8::/48) or the id of an account.',
  },
  'block-too-wide': {
    status: 422,
    title: 'Too wide a network',
    help: 'A /8 of IPv4 and a /19 of IPv6 are the widest that are blocked: whoever means everybody stops the service.',
  },
  'block-past': { status: 422, title: 'A block in the past', help: 'expiresAt is a time to come.' },
  'block-protected': {
    status: 409,
    title: 'Not that one',
    help: 'Not blocked are: yourself, where you come from, administrators, and proxies that everybody comes through.',
  },
  'block-not-found': { status: 404, title: 'No such block', help: 'There is no block with this id.' },
} as const satisfies Record<TokenRefusal | BlockRefusal, Problem>

type AccessProblems = typeof accessProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends AccessProblems {}
}
