/** Sign-in at OpenID providers (OpenID Connect Core 1.0), by the code flow with PKCE. */

/** What the provider has proved of somebody, by an id token that was checked. `issuer` and `subject` together are the identity. */
export type ProvenIdentity = {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** What the provider says of the address of mail; asked for when it is needed. @throws {OpenIdError} */
  address(): Promise<{ readonly email?: string; readonly verified: boolean }>
}

/** What only this flow knows: 256 bits each. */
export type FlowSecrets = { readonly state: string; readonly nonce: string; readonly verifier: string }

/**
 * `unavailable`: the provider is away or too slow. `refused`: it says that it does not sign in. `invalid`: what it says does
 * not pass the checks. `unknown`: there is no provider of this name. Messages name no person.
 */
export class OpenIdError extends Error {
  override readonly name = 'OpenIdError'
  readonly code: 'unavailable' | 'refused' | 'invalid' | 'unknown'
  constructor(code: OpenIdError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type OpenIdProviders = {
  readonly names: readonly string[]
  /** Is the provider known well enough to be used now? */
  isReady(name: string): boolean
  /** Where the browser is sent. @throws {OpenIdError} unknown, unavailable. */
  authorizationUrl(name: string, secrets: FlowSecrets): Promise<string>
  /** Takes the parameters that the browser came back with. @throws {OpenIdError} */
  exchange(name: string, parameters: URLSearchParams, secrets: FlowSecrets): Promise<ProvenIdentity>
  close(): Promise<void>
}
