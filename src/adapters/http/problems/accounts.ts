/** The problems of accounts and sessions; part of the one table in problems.ts. */

export const accountEdgeCodes = ['not-an-account', 'passwords-busy', 'csrf-invalid', 'profile-not-found'] as const

export const accountProblems = {
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
  'profile-not-found': {
    status: 404,
    title: 'No such profile',
    help: 'Nobody has this id, or its owner lets only others see the profile: sign in, where you have not.',
  },
  'account-suspended': {
    status: 403,
    title: 'The account is suspended',
    help: 'The password or the link is right, and the account may not be used for now: ask whoever runs the service.',
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
  'name-invalid': {
    status: 422,
    title: 'Not a display name',
    help: 'A display name has 2 to 40 letters and digits of one alphabet, with single signs between them, and is not one of those that are kept for the service.',
  },
  'name-taken': {
    status: 409,
    title: 'The name is taken',
    help: 'Somebody has this display name, or one that readers would take for it: case, accents, signs and letters that look alike make no other name. A name that was given up can be had after fifteen minutes.',
  },
  'time-zone-unknown': {
    status: 422,
    title: 'The time zone is not known',
    help: 'Name one of the IANA table, such as Europe/Madrid or UTC; offsets are no zones.',
  },
  'not-an-account': {
    status: 403,
    title: 'Not an account',
    help: 'This is for people with an account; the token belongs to a service.',
  },
  'csrf-invalid': {
    status: 403,
    title: 'No proof against forged requests',
    help: 'A change that comes with cookies sends back, as X-CSRF-Token, the csrfToken of the sign-in, which the cookie __Host-csrf holds too.',
  },
  'passwords-busy': {
    status: 429,
    title: 'Too many sign-ins at once',
    help: 'More passwords wait to be checked than can be checked soon. Nothing was tried; try again as Retry-After says.',
    retryAfter: 2,
  },
} as const
