/** Answers of authenticators (W3C Web Authentication, level 3): whether they are right. What that means is the domain's. */

/** Ids and keys in base64url, the key as COSE. */
export type Registered = {
  readonly credentialId: string
  readonly publicKey: string
  readonly counter: number
  readonly backedUp: boolean
}
/** `userVerified`: by PIN, finger or face, so that it stands for two factors. */
export type Asserted = { readonly counter: number; readonly userVerified: boolean }

/** What an answer says of itself, before anything is verified. */
export type Claimed = { readonly credentialId: string; readonly userHandle?: string; readonly challenge: string }

export type WebAuthn = {
  /** The domain that passkeys are of. */
  readonly rpId: string
  /** Reads what `PublicKeyCredential.toJSON()` of a sign-in gave; undefined where it is not of that form. */
  read(answer: object): Claimed | undefined
  /** The same of a registration. */
  readChallenge(answer: object): string | undefined
  /** Undefined for an answer that is not right: for another origin, another challenge, a key of another kind, attested. */
  register(answer: object, challenge: string): Promise<Registered | undefined>
  /** Undefined for an answer that is not right; its counter is not looked at. */
  assert(
    answer: object,
    challenge: string,
    credential: { readonly credentialId: string; readonly publicKey: string },
  ): Promise<Asserted | undefined>
}
