/**
 * Keeps appends in the order of their calls. The client opens its batch call with the first append and lets those that come
 * in the same turn overtake it: so the first one goes alone, each time that a call is opened.
 */
import type { Clock } from '../../../ports/clock.ts'
import { EventStoreError } from '../../../ports/event-store.ts'
import type { EsdbClient } from './client.ts'
import type { Connection } from './connection.ts'
import type { History } from './history.ts'
import { SilentError, within } from './silence.ts'

export type OpenCall = {
  readonly client: EsdbClient
  /** Of the client when it was opened. */
  readonly over: number
  /** What an append on it failed with, other than its own revision: the next one opens another call. */
  failed(error: unknown): void
}

export type Entry = {
  /** Sends it, in this turn. */
  run(call: OpenCall): void
  /** There is no call: nothing was sent. */
  fail(error: unknown): void
}

export type Order = { enter(entry: Entry): void }

export type OrderOptions = {
  readonly connection: Connection
  readonly clock: Pick<Clock, 'sleep'>
  /** How long a server may take to say that it is there. */
  readonly patienceMs: number
  /** Asked each time that a call is opened: what is found then may be another log. */
  readonly history: Pick<History, 'look'>
}

export const openOrder = ({ connection, clock, patienceMs, history }: OrderOptions): Order => {
  let held: Entry[] = []
  let call: OpenCall | undefined
  let opening = false

  const open = async (): Promise<void> => {
    const client = connection.client()
    // Asked for here: where it has to be fetched, the appends of a whole burst would wait for it side by side.
    try {
      await within(patienceMs, clock, async () => {
        await client.serverVersion()
        await history.look()
      })
    } catch (error) {
      connection.failed(client, error)
      if (!(error instanceof SilentError || error instanceof EventStoreError)) connection.renew(client)
      throw error
    }
    let sound = true
    const opened: OpenCall = {
      client,
      over: client.appendCallsOver,
      failed: error => {
        connection.failed(client, error)
        sound = false
        if (call === opened) call = undefined
      },
    }
    held.shift()?.run(opened)
    await new Promise<void>(resolve => setImmediate(resolve))
    // What is held begins anew, with another call.
    if (!sound) return
    const rest = held
    held = []
    call = opened
    for (const entry of rest) entry.run(opened)
  }

  const start = async (): Promise<void> => {
    opening = true
    try {
      do await open()
      while (held.length > 0)
    } catch (error) {
      const all = held
      held = []
      for (const entry of all) entry.fail(error)
    } finally {
      opening = false
    }
  }

  return {
    enter: entry => {
      if (call && call.over === call.client.appendCallsOver) return entry.run(call)
      call = undefined
      held.push(entry)
      if (!opening) void start()
    },
  }
}
