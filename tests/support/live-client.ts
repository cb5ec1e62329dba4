/** A client of the live feed: keeps every message, and checks each against its schema, an event against that of its data too. */
import { Compile } from 'typebox/compile'
import { WebSocket } from 'ws'
import { areas } from '../../src/app/areas.ts'
import { categoriesOf, channelsOf } from '../../src/app/declared.ts'
import { serverMessages } from '../../src/core/live/messages.ts'
import { liveEventSchemas } from '../../src/core/live/schemas.ts'
import { until } from './until.ts'

export type Message = Readonly<Record<string, unknown>>

const checks = new Map(Object.entries(serverMessages).map(([op, schema]) => [op, Compile(schema)]))
const eventChecks = new Map(
  liveEventSchemas(channelsOf(areas).all, categoriesOf(areas)).map(each => [
    `${each.channel}.${each.type}`,
    Compile(each.data),
  ]),
)
const isMessage = (value: unknown): value is Message => typeof value === 'object' && value !== null

/** Of the clients that were given it: what did not fit, and the channels of which events were held against their schemas. */
export type LiveChecks = { readonly faults: string[]; readonly channels: Set<string> }

/** Of one file's clients: files of the fast tier share a process, so that nothing here may be of the module. */
export const newLiveChecks = (): LiveChecks => ({ faults: [], channels: new Set() })

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
  options: {
    readonly headers?: Readonly<Record<string, string>>
    readonly query?: string
    readonly checks?: LiveChecks
  } = {},
): Promise<LiveClient> => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/live${options.query ?? ''}`, 'lexichron.v1', {
    headers: { ...options.headers },
  })
  const messages: Message[] = []
  const faults: string[] = []
  /** Of each subscription by its id. */
  const channels = new Map<unknown, string>()
  const state: { closed?: number; refused?: number } = {}
  ws.on('message', data => {
    const value: unknown = JSON.parse(String(data))
    if (!isMessage(value)) return
    messages.push(value)
    // Of those with a name of their own the schema is that of the kind.
    const channel = (channels.get(value['id']) ?? '').replace(/:.+/, ':{id}')
    const check = value['op'] === 'event' ? eventChecks.get(`${channel}.${value['type']}`) : undefined
    if (check) options.checks?.channels.add(channel)
    const fits = value['op'] !== 'event' || check?.Check(value['data']) === true
    if (fits && checks.get(String(value['op']))?.Check(value)) return
    faults.push(JSON.stringify(value))
    options.checks?.faults.push(JSON.stringify(value))
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
    ws,
    messages,
    faults,
    state,
    find: what =>
      until('a message', saw => {
        saw(messages.slice(-3))
        return messages.find(what)
      }),
    say: message => {
      if (isMessage(message) && message['op'] === 'subscribe') channels.set(message['id'], String(message['channel']))
      ws.send(JSON.stringify(message))
    },
    closed: () => until('the close', () => state.closed),
    end: () => ws.terminate(),
  }
}

/**
 * For what looks at the feed of a node right after a write: resolves once the node has heard of it. Takes the Sync-Token of a write
 * to an entry, which is the place that its last event is told with; `as` may see all entries.
 */
export const openHearing = async (url: string, as: string): Promise<(syncToken: string) => Promise<void>> => {
  const { say, find } = await connectLive(url, { headers: { authorization: `Bearer ${as}` } })
  say({ op: 'subscribe', id: 'hearing', channel: 'entries' })
  await find(({ op }) => op === 'caught-up')
  return async syncToken => void (await find(({ op, after }) => op === 'event' && after === syncToken))
}

/** The entries that a subscription was told of, in order. */
export const entriesTold = (messages: readonly Message[], subscription: string): readonly unknown[] =>
  messages
    .filter(message => message['op'] === 'event' && message['id'] === subscription)
    .map(message => Object(message['data'])['entryId'])
