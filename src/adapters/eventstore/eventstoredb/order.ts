/**
 * Keeps appends in the order of their calls. The client opens its batch call with the first append and lets those that come
 * in the same turn overtake it: so the first one goes alone, each time that a call is opened.
 */
import type { Connection, EsdbClient } from './connection.ts'

export type OpenCall = {
  readonly client: EsdbClient
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

export const openOrder = (connection: Connection): Order => {
  let held: Entry[] = []
  let call: OpenCall | undefined
  let opening = false

  const open = async (): Promise<void> => {
    const client = connection.client()
    // Asked for here: where it has to be fetched, the appends of a whole burst would wait for it side by side.
    try {
      await client.serverVersion()
    } catch (error) {
      connection.renew(client)
      throw error
    }
    const opened: OpenCall = {
      client,
      failed: error => {
        connection.failed(client, error)
        if (call === opened) call = undefined
      },
    }
    held.shift()?.run(opened)
    await new Promise<void>(resolve => setImmediate(resolve))
    const rest = held
    held = []
    call = opened
    for (const each of rest) each.run(opened)
  }

  const start = async (): Promise<void> => {
    opening = true
    try {
      await open()
    } catch (error) {
      const all = held
      held = []
      for (const each of all) each.fail(error)
    } finally {
      opening = false
    }
  }

  return {
    enter: entry => {
      if (call) return entry.run(call)
      held.push(entry)
      if (!opening) void start()
    },
  }
}
