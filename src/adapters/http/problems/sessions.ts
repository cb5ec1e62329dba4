/** The problems of sessions, and of what is asked for beside a password. */

import type { PasskeyRefusal } from '../../../domain/session/passkeys.ts'
import type { FactorRefusal } from '../../../domain/session/second-factor.ts'
import type { SessionRefusal } from '../../../domain/session/session.ts'
import type { Problem } from '../problem.ts'

export const sessionProblems = {
  'session-ended': {
    status: 401,
    title: 'The session has ended',
    help: 'The refresh token is forged, used or too old, or its session was ended. Sign in. A token that is used twice ends its session, since one of the two who had it stole it.',
  },
  'session-not-found': { status: 404, title: 'No such session', help: 'There is no session of yours with this id.' },
  'step-up-required': {
    status: 401,
    title: 'Prove once more who you are',
    help: 'This is done within ten minutes of a sign-in or of POST /v1/sessions/step-up, by the same session. The session goes on: step up, and send the same request again.',
  },
  'second-factor-required': {
    status: 401,
    title: 'A code is needed too',
    help: 'The password is right, and the account has a second factor: send the same request with code, six digits of the authenticator or a recovery code.',
  },
  'code-wrong': {
    status: 401,
    title: 'The code is wrong',
    help: 'The code is none of this account, or was used: each is good once. Wait for the next one, and see that the clock of the authenticator is right to half a minute.',
  },
  'factor-on': {
    status: 409,
    title: 'There is an authenticator already',
    help: 'DELETE /v1/me/totp removes it, then another one can be added.',
  },
  'factor-off': {
    status: 409,
    title: 'There is no authenticator',
    help: 'POST /v1/me/totp offers one, for an hour.',
  },
  'password-short': {
    status: 409,
    title: 'The password is short',
    help: 'Without a second factor a password has 15 characters at least. POST /v1/me/password sets a longer one, then the factor can be removed.',
  },
  'passkey-wrong': {
    status: 401,
    title: 'The passkey was not taken',
    help: 'The answer of the authenticator is for another account, page or challenge, was used, came after five minutes, or its counter went back. Ask for options again.',
  },
  'passkey-refused': {
    status: 409,
    title: 'No more of this passkey',
    help: 'It is one of yours already, or you have twenty: remove one first.',
  },
  'passkey-not-found': { status: 404, title: 'No such passkey', help: 'There is no passkey of yours with this id.' },
  'passkeys-off': {
    status: 409,
    title: 'No passkeys here',
    help: 'Passkeys are of a domain: whoever runs the service has to set LEXICHRON_PUBLIC_URL.',
  },
} as const satisfies Record<SessionRefusal | FactorRefusal | PasskeyRefusal, Problem>

type SessionProblems = typeof sessionProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends SessionProblems {}
}
