/** What the edge asks of how the service does, and tells of what it answered. */
import type { JsonObject } from '../../domain/event.ts'

/** A part of the service: its state, the age of what it says in milliseconds, how far it is behind. */
export type HealthPart = {
  readonly state: 'ok' | 'degraded' | 'failed'
  readonly ageMs?: number
  readonly lag?: string
  readonly detail?: JsonObject
}
export type Health = {
  readonly state: 'ok' | 'degraded' | 'failed'
  /** May this node be sent requests? */
  readonly ready: boolean
  /** How much of the dictionary is there, in percent, while it is being filled. */
  readonly filling?: number
  readonly parts: Readonly<Record<string, HealthPart>>
}

/** What the edge tells the metrics after each answer, and where it reads them for /metrics. */
export type HttpMetrics = {
  request(method: string, route: string | undefined, status: number, ms: number): void
  /** What was refused since there is too much of it already. */
  refused(what: 'connection'): void
  render(): Promise<{ readonly type: string; readonly body: string }>
}
