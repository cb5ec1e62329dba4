/** Answers of authenticators, verified by @simplewebauthn/server. It is loaded when the first answer comes. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { WebAuthn } from '../../ports/passkeys.ts'

/** Of one member: a key of 4,096 bits with everything about it is a quarter of that. */
const base64url = Type.String({ minLength: 1, maxLength: 16_384, pattern: '^[A-Za-z0-9_-]+$' })
const common = { id: base64url, rawId: base64url, type: Type.Literal('public-key') }
const Registration = Compile(
  Type.Object({ ...common, response: Type.Object({ clientDataJSON: base64url, attestationObject: base64url }) }),
)
const Assertion = Compile(
  Type.Object({
    ...common,
    response: Type.Object({
      clientDataJSON: base64url,
      authenticatorData: base64url,
      signature: base64url,
      userHandle: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Null()])),
    }),
  }),
)
const ClientData = Compile(Type.Object({ challenge: base64url }))

const library = () => import('@simplewebauthn/server')

/** ES256, EdDSA, RS256 (RFC 9053, RFC 8812). */
export const ALGORITHMS = [-7, -8, -257] as const

const challengeIn = (clientDataJSON: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
    return ClientData.Check(value) ? value.challenge : undefined
  } catch {
    return undefined
  }
}

/**
 * A certificate would have the library ask the servers it names. We ask for no attestation, and browsers then leave out
 * every statement but one without a certificate (level 3, 5.1.3).
 */
const isAttested = async (attestationObject: string): Promise<boolean> => {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers')
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
  const fmt = decoded.get('fmt')
  return fmt !== 'none' && (fmt !== 'packed' || decoded.get('attStmt').get('x5c') !== undefined)
}

/** `origin`: that of the pages, whose host is the domain that passkeys are of. */
export const openWebAuthn = (origin: string): WebAuthn => {
  const rpId = new URL(origin).hostname
  const expected = { expectedOrigin: origin, expectedRPID: rpId }
  return {
    rpId,
    read: answer => {
      if (!Assertion.Check(answer)) return undefined
      const { clientDataJSON, userHandle } = answer.response
      const challenge = challengeIn(clientDataJSON)
      if (challenge === undefined) return undefined
      const known = { credentialId: answer.id, challenge }
      return typeof userHandle === 'string' && userHandle !== '' ? { ...known, userHandle } : known
    },
    readChallenge: answer => (Registration.Check(answer) ? challengeIn(answer.response.clientDataJSON) : undefined),
    register: async (answer, expectedChallenge) => {
      if (!Registration.Check(answer)) return undefined
      const { verifyRegistrationResponse } = await library()
      try {
        const { clientDataJSON, attestationObject } = answer.response
        if (await isAttested(attestationObject)) return undefined
        const { verified, registrationInfo } = await verifyRegistrationResponse({
          response: { ...answer, response: { clientDataJSON, attestationObject }, clientExtensionResults: {} },
          ...expected,
          expectedChallenge,
          requireUserVerification: false,
          supportedAlgorithmIDs: [...ALGORITHMS],
        })
        if (!verified) return undefined
        const { credential, credentialBackedUp: backedUp } = registrationInfo
        const publicKey = Buffer.from(credential.publicKey).toString('base64url')
        return credential.id === answer.id
          ? { credentialId: credential.id, publicKey, counter: credential.counter, backedUp }
          : undefined
      } catch {
        // The library throws for whatever is wrong with an answer, and reads nothing but it.
        return undefined
      }
    },
    assert: async (answer, expectedChallenge, { credentialId: id, publicKey }) => {
      if (!Assertion.Check(answer) || answer.id !== id) return undefined
      const { verifyAuthenticationResponse } = await library()
      try {
        const { clientDataJSON, authenticatorData, signature } = answer.response
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          response: {
            ...answer,
            response: { clientDataJSON, authenticatorData, signature },
            clientExtensionResults: {},
          },
          ...expected,
          expectedChallenge,
          requireUserVerification: false,
          // The counter is decided on where it is kept, against that of the other nodes too.
          credential: { id, publicKey: new Uint8Array(Buffer.from(publicKey, 'base64url')), counter: 0 },
        })
        const { newCounter: counter, userVerified } = authenticationInfo
        return verified ? { counter, userVerified } : undefined
      } catch {
        return undefined
      }
    },
  }
}
