/** A client of the live feed: keeps every message, and checks each against its schema. */
import { Compile } from 'typebox/compile'
import { WebSocket } from 'ws'
import { serverMessages } from '../../src/subscribers/live-messages.ts'
import { until } from './until.ts'

export type Message = Readonly<Record<string, unknown>>

const checks = new Map(Object.entries(serverMessages).map(([op, schema]) => [op, Compile(schema)]))
const isMessage = (value: unknown): value is Message => typeof value === 'object' && value !== null

export type LiveClient = {
  readonly ws: WebSocket
  readonly messages: readonly Message[]
  /** Messages that are not as their schema says. */
  readonly faults: readonly string[]
  /** The close code, and the status that the upgrade was refused with; undefined while there is none. */
  readonly state: { readonly closed?: number; readonly refused?: number }
  /** Waits for a message. */
  find(what: (message: Message) => boolean): Promise<Message>
  say(message: unknown): void
  /** Waits for the close code. */
  closed(): Promise<number>
  /** Leaves without a word. */
  end(): void
}

/** Resolves once it is connected, or refused. */
export const connectLive = async (
  url: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly query?: string } = {},
): Promise<LiveClient> => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/live${options.query ?? ''}`, 'lexichron.v1', {
    headers: { ...options.headers },
  })
  const messages: Message[] = []
  const faults: string[] = []
  const state: { closed?: number; refused?: number } = {}
  ws.on('message', data => {
    const value: unknown = JSON.parse(String(data))
    if (!isMessage(value)) return
    messages.push(value)
    if (!checks.get(String(value['op']))?.Check(value)) faults.push(JSON.stringify(value))
  })
  ws.on('close', code => {
    state.closed = code
  })
  ws.on('unexpected-response', (_request, response) => {
    state.refused = response.statusCode ?? 0
    ws.terminate()
  })
  ws.on('error', () => undefined)
  await until(
    'an answer to the upgrade',
    () => ws.readyState === ws.OPEN || state.refused !== undefined || state.closed !== undefined,
  )
  return {
    ...{ ws, messages, faults, state },
    find: what =>
      until('a message', saw => {
        saw(messages.slice(-3))
        return messages.find(what)
      }),
    say: message => ws.send(JSON.stringify(message)),
    closed: () => until('the close', () => state.closed),
    end: () => ws.terminate(),
  }
}

/** The entries that a subscription was told of, in order. */
export const entriesTold = (messages: readonly Message[], subscription: string): readonly unknown[] =>
  messages
    .filter(message => message['op'] === 'event' && message['id'] === subscription)
    .map(message => Object(message['data'])['entryId'])
