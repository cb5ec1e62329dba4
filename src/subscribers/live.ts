/** What the hub of the live feed and its transports (WebSocket, server-sent events) agree on. */
import type { TSchema } from 'typebox'
import type { Actor, JsonObject } from '../domain/event.ts'
import type { Permission } from '../domain/roles.ts'

export const channelNames = ['entries', 'stories', 'activity', 'projections', 'events', 'me'] as const
export type ChannelName = (typeof channelNames)[number]

/** Who listens: a stranger has no actor. */
export type Viewer = { readonly actor?: Actor; readonly permissions: ReadonlySet<Permission> }

/** A channel as it is declared: the hub checks by it, and AsyncAPI is made of it. */
export type ChannelDeclaration = {
  readonly name: ChannelName
  readonly description: string
  /** Undefined: open to strangers. Which of its events each viewer gets is decided by `meta.route` besides. */
  readonly permission: Permission | undefined
  /** Strict object of optional members: what subscriptions may filter by. */
  readonly filter: TSchema
  /** The `data` of its messages by their `type`. */
  readonly messages: Readonly<Record<string, TSchema>>
  /** False for those that are not of the log (`activity`, `projections`): they begin with the next message. */
  readonly resumable: boolean
  /** A message for the documentation, sent in its tests. */
  readonly example: { readonly type: string; readonly data: JsonObject }
}

/** One message of a channel. Shared by all who receive it: never changed. */
export type LiveEvent = {
  readonly channel: ChannelName
  /** Resuming after it leaves it out. Of a channel that is not of the log: the log's position as far as the node knows it. */
  readonly position: bigint
  readonly type: string
  /** RFC 3339, UTC. */
  readonly at: string
  readonly data: JsonObject
  /** What transports have encoded of it, by a key of theirs: made once, sent to all. */
  readonly encoded: Map<string, Uint8Array>
}

/** One receiver. Calls never overlap and never wait, but for `drained`. */
export type LiveReceiver = {
  event(event: LiveEvent): void
  /** Everything up to the position has been handed over; again now and then while nothing matches. */
  caughtUp(position: bigint): void
  /** The subscription is over by the hub's side. */
  failed(refusal: LiveRefusal): void
  /** While it catches up, the hub waits for this between two pages of the log: resolves when there is room. */
  drained(): Promise<void>
}

export const liveCodes = [
  ...(['channel-unknown', 'filter-invalid', 'permission-denied', 'not-resumable'] as const),
  ...(['after-ahead', 'too-many-catching-up', 'log-unavailable', 'closing'] as const),
] as const
export type LiveCode = (typeof liveCodes)[number]
export type LiveRefusal = { readonly refused: LiveCode; readonly detail: string }

export type SubscribeRequest = {
  readonly channel: string
  /** As the client sent it: checked by the channel's schema. */
  readonly filter: JsonObject
  /** Undefined: from now on. The token was checked and read by the transport. */
  readonly after: bigint | undefined
  readonly viewer: Viewer
  readonly receiver: LiveReceiver
}

export type Subscription = {
  /** Where it begins: what comes after this position comes through it. */
  readonly from: bigint
  /** Nothing is handed over afterwards. Repeating it is harmless. */
  close(): void
}

export type LiveStats = {
  readonly subscriptions: number
  /** Messages handed to receivers since the start. */
  readonly handed: number
  /** Receivers that are catching up from the log now. */
  readonly catchingUp: number
}

export type LiveHub = {
  readonly channels: readonly ChannelDeclaration[]
  /** Answers before the first call of the receiver. Never throws for what a client sent. */
  subscribe(request: SubscribeRequest): Promise<Subscription | LiveRefusal>
  stats(): LiveStats
  /** Ends all subscriptions with `closing`. */
  close(): Promise<void>
}
