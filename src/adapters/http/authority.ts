/** What the edge asks about tokens and roles; src/app/program answers it with the token verifier and the token follower. */
import type { Permission } from '../../domain/roles.ts'
import type { Credential, Requester } from './route.ts'

/** Longer than that without news of the log, in milliseconds, a node cannot say that a token still holds. */
export const DEAF_MS = 10_000

export type Authority = {
  /** Who an access token stands for, or undefined: forged, expired or revoked. Never throws for a bad token. */
  authenticate(token: string): Promise<Requester | undefined> | Requester | undefined
  /** Who a credential that was good once stands for now; undefined when it ended, or this node cannot say any more. */
  current(credential: Credential): Requester | undefined
  /** What strangers may do. */
  readonly strangers: ReadonlySet<Permission>
  /** Milliseconds since this node last heard from the log about tokens and roles. */
  deafFor(): number
  /** Waits until this node knows tokens and roles as of the position, two seconds at most; false when it did not. */
  reached(position: bigint): Promise<boolean>
}
