/** The declaration of a command: what it takes, who may give it, which stream it decides on. */
import type { TSchema } from 'typebox'
import type { By, Deciding } from '../../domain/decider.ts'
import type { DomainEvent } from '../../domain/event.ts'
import type { Refusal } from '../../domain/refusal.ts'
import type { Permission } from '../../domain/roles.ts'
import type { Expected } from '../../ports/event-store.ts'

export type Command<Input, State, E extends DomainEvent> = {
  readonly name: string
  /** The body's schema: what the edge validates and OpenAPI shows. Absent: an empty body. */
  readonly body?: TSchema
  readonly permission: Permission
  /**
   * The language of what is decided on, where it has one: `permission` may then have been granted for it alone. It never changes,
   * so that it may be read before the decision; undefined: there is nothing yet. `where` stands after the name of the permission
   * in what those are told who miss it.
   */
  readonly language?: {
    readonly of: (input: Input, state: State) => string | undefined
    readonly where: string
  }
  /** If-Match must be stated (428 without): the command overwrites what somebody has read. */
  readonly needsRevision?: boolean
  /** The stream, or why there is none: an identity that is no identity. Of what is begun without one, the id follows from the command's. */
  readonly stream: (input: Input, commandId: string) => string | Refusal
  /** Streams that have to exist beforehand, and be as `holds` says, each with the refusal when it is not so. */
  readonly requires?: (
    input: Input,
  ) => readonly { readonly stream: string; readonly refusal: Refusal; readonly holds?: (state: State) => boolean }[]
  /** The refusal with what is of use beside it, where that takes a look at other streams: `revisionOf` says where one is. */
  readonly explain?: (
    refusal: Refusal,
    input: Input,
    revisionOf: (stream: string) => Promise<Expected>,
  ) => Promise<Refusal>
  /** A promise where other streams are looked at first: once, also where what comes of it is decided again after a conflict. */
  readonly decide: (input: Input, by: By) => Deciding<State, E> | Promise<Deciding<State, E>>
}
