/** A client of the live feed that comes back, as docs/live.md tells one to: with its last `after`, at the next node. */
import { type ClientOptions, WebSocket } from 'ws'
import { defined } from '../../src/domain/defined.ts'

export type Listener = {
  /** Ids of the entries that were drafted, in the order of their coming. */
  readonly drafted: readonly string[]
  /** Has it a position to come back with? What happens from then on it has to hear. */
  begun(): boolean
  /** How often it had to come back. */
  returns(): number
  /** What it met last, for who reads why a test failed. */
  story(): readonly string[]
  close(): void
}

const RETURN_MS = 100
const STORY_LINES = 40

/** `options` are those of the socket: an authority, a family of addresses. */
export const listen = (
  urls: () => readonly string[],
  token: string,
  from = 0,
  options: ClientOptions = {},
): Listener => {
  const drafted: string[] = []
  let story: readonly string[] = []
  let after: unknown
  let attempts = -1
  let closed = false
  let socket: WebSocket | undefined
  const met = (what: string): void => {
    story = [...story, what].slice(-STORY_LINES)
  }
  const open = (): void => {
    if (closed) return
    attempts += 1
    const all = urls()
    const url = all[(from + attempts) % all.length] ?? ''
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/live`, 'lexichron.v1', {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: 3_000,
      ...options,
    })
    socket = ws
    ws.on('open', () => {
      met(`connected to ${url}`)
      ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel: 'entries', ...defined({ after }) }))
    })
    ws.on('message', text => {
      const message = Object(JSON.parse(String(text)))
      if (message.after !== undefined) after = message.after
      if (message.op === 'event' && message.type === 'EntryDrafted') drafted.push(String(message.data?.entryId))
      met(message.op === 'event' ? `${message.type} ${message.data?.entryId}` : String(text))
    })
    ws.on('error', error => met(`${url}: ${error.message}`))
    ws.once('close', (code, reason) => {
      met(`closed by ${url}: ${code} ${reason}`)
      setTimeout(open, RETURN_MS)
    })
  }
  open()
  return {
    drafted,
    begun: () => after !== undefined,
    returns: () => attempts,
    story: () => story,
    close: () => {
      closed = true
      socket?.terminate()
    },
  }
}
