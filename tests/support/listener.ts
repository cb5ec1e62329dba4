/** A client of the live feed that comes back, as docs/live.md tells one to: with its last `after`, at the next node. */
import { WebSocket } from 'ws'

export type Listener = {
  /** Ids of the entries that were drafted, in the order of their coming. */
  readonly drafted: readonly string[]
  /** How often it had to come back. */
  returns(): number
  close(): void
}

export const listen = (urls: () => readonly string[], token: string, from = 0): Listener => {
  const drafted: string[] = []
  let after: unknown
  let attempts = -1
  let closed = false
  let socket: WebSocket | undefined
  const open = (): void => {
    if (closed) return
    attempts += 1
    const all = urls()
    const url = all[(from + attempts) % all.length] ?? ''
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/live`, 'lexichron.v1', {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: 3_000,
    })
    socket = ws
    ws.on('open', () =>
      ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel: 'entries', ...(after !== undefined && { after }) })),
    )
    ws.on('message', text => {
      const message = Object(JSON.parse(String(text)))
      if (message.after !== undefined) after = message.after
      if (message.op === 'event' && message.type === 'EntryDrafted') drafted.push(String(message.data?.entryId))
    })
    ws.on('error', () => undefined)
    ws.once('close', () => setTimeout(open, 100))
  }
  open()
  return {
    drafted,
    returns: () => attempts,
    close: () => {
      closed = true
      socket?.terminate()
    },
  }
}
