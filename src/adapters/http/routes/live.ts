/** The live feed's edge: the WebSocket, its tickets, and the same channels as server-sent events. */
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import Type from 'typebox'
import type { WebSocket } from 'ws'
import { type Channels, type ListenedTo, listeningFault } from '../../../core/live/channels.ts'
import type { LiveFilter } from '../../../core/live/filter-members.ts'
import { FilterFault, type ReadFilter } from '../../../core/live/filters.ts'
import type { LiveFault, ResetMessage } from '../../../core/live/messages.ts'
import type { Place } from '../../../core/log/log.ts'
import { defined } from '../../../domain/defined.ts'
import type { JsonObject } from '../../../domain/event.ts'
import type { Authority } from '../authority.ts'
import { openDocument, underPolicy } from '../documents.ts'
import { formatOf } from '../negotiation.ts'
import type { Page } from '../pages/frame.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type Answer, type EdgeRequest, header, type Requester, type Route, type Upgrading } from '../route.ts'
import type { Admission } from '../security.ts'
import { LIVE_PATH, SUBPROTOCOL } from '../websocket.ts'

/** What the routes need of the live feed; src/adapters/ws has it. */
export type LivePort = {
  readonly channels: Channels
  /** Takes a place among the connections of `counted`, or says whose places are all taken. Give it back once. */
  place(counted: string): (() => void) | 'listener' | 'node'
  /** Whose places are all taken, now. */
  full(counted: string): 'listener' | 'node' | undefined
  connect(ws: WebSocket, socket: Socket, listener: Requester & { readonly counted: string }, release: () => void): void
  stream(
    asked: {
      readonly channel: ListenedTo
      readonly filter: LiveFilter
      readonly after?: Place
      readonly reset?: Omit<ResetMessage, 'op' | 'id'>
    },
    listener: Requester & { readonly counted: string },
    release: () => void,
  ): Readable | 'too-many-replays'
  /** Before a subscription begins: what has to be in the log about it. Rejects when it cannot be written there. */
  recorded(listener: Requester, channel: ListenedTo, filter: LiveFilter, after: Place | undefined): Promise<void>
  readAfter(token: string): Promise<Place | LiveFault>
  /** Where the log ends now, as a token. */
  now(): Promise<{ readonly token: string; readonly place: Place }>
  readonly readFilter: ReadFilter
  readonly tickets: {
    issue(credential: string): { readonly ticket: string; readonly expiresAt: string }
    redeem(ticket: string): Promise<string | undefined>
  }
  /** The AsyncAPI document of the feed. */
  readonly document: JsonObject
  /** The same as a page to read. */
  readonly page: Page
  close(): Promise<void>
}

const VERSION = '13'
const KEY = /^[+/0-9A-Za-z]{22}==$/
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const EVENTS = 'text/event-stream'
const tag = 'Live feed'
const refusePlace = (full: 'listener' | 'node'): ProblemError =>
  full === 'node'
    ? new ProblemError('node-full', 'This node has as many live connections as it takes.')
    : new ProblemError('too-many-connections', 'Too many live connections are open for you.')

/**
 * A page of another origin may not come with cookies (they are sent without its asking). Ours are those at the address that
 * was asked, at LEXICHRON_PUBLIC_URL, and the listed ones; what a browser calls `null` is nobody's.
 */
const checkOrigin = ({ headers }: Upgrading, origins: readonly string[], own: string | undefined): void => {
  const { origin, cookie, host } = headers
  if (cookie === undefined || origin === undefined || origins.includes(origin)) return
  const from = URL.parse(origin)
  if (!from || (from.host !== host && from.origin !== (own && URL.parse(own)?.origin)))
    throw new ProblemError('origin-refused', 'This origin is not among those that may use cookies here.')
}

/** RFC 9110, 7.8: who names Upgrade names it in Connection too; RFC 6455, 4.4: and says which version there is. */
const upgradeRequired = (detail: string): ProblemError =>
  new ProblemError('upgrade-required', detail, {
    headers: { connection: 'Upgrade, close', upgrade: 'websocket', 'sec-websocket-version': VERSION },
  })

/** What the library would refuse with a page of its own (RFC 6455, 4.2.1). @throws {ProblemError} */
const checkHandshake = ({ headers }: Upgrading): void => {
  const { 'sec-websocket-version': version, 'sec-websocket-key': key, 'sec-websocket-protocol': offered = '' } = headers
  if (version !== VERSION) throw upgradeRequired(`Sec-WebSocket-Version has to be ${VERSION}.`)
  if (typeof key !== 'string' || !KEY.test(key))
    throw new ProblemError('header-invalid', 'Sec-WebSocket-Key is not base64 of 16 bytes.')
  const protocols = offered.split(',').map(each => each.trim())
  if (!protocols.includes(SUBPROTOCOL))
    throw new ProblemError('header-invalid', `Sec-WebSocket-Protocol has to offer ${SUBPROTOCOL}.`)
  if (!protocols.every(each => TOKEN.test(each)) || new Set(protocols).size < protocols.length)
    throw new ProblemError('header-invalid', 'Sec-WebSocket-Protocol is a list of names, each of them once.')
}

const identify =
  (live: LivePort, authority: Authority, origins: readonly string[], own: string | undefined) =>
  async (request: Upgrading): Promise<Requester | undefined> => {
    checkOrigin(request, origins, own)
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') throw upgradeRequired('This is a WebSocket.')
    checkHandshake(request)
    const ticket = new URLSearchParams(request.url.split('?')[1] ?? '').get('ticket')
    if (ticket === null) return undefined
    const credential = await live.tickets.redeem(ticket).catch((cause: unknown) => {
      throw new ProblemError('store-unavailable', 'The ticket cannot be checked now: ask for another one later.', {
        cause,
      })
    })
    const found = credential === undefined ? undefined : authority.current({ id: credential })
    if (found) return found
    throw new ProblemError('ticket-invalid', 'The ticket is forged, expired or used.', {
      headers: { 'www-authenticate': 'Bearer realm="lexichron"' },
    })
  }

/**
 * Whoever resumes at what is none begins at the end of the log, and is told so in the stream: a browser gives up for good where
 * the answer has an error (HTML Living Standard, 9.2.3), and would ask with the same Last-Event-ID whenever it is told to come back.
 */
const beginning = async (live: LivePort, token: string | undefined) => {
  const after = token === undefined ? undefined : await live.readAfter(token)
  if (!after || !('code' in after)) return { after }
  const { code, detail } = after
  const now = await live.now()
  return {
    after: now.place,
    reset: { code: code === 'other-log' ? code : ('after-invalid' as const), detail, after: now.token },
  }
}

const openStream =
  (live: LivePort) =>
  async (request: EdgeRequest): Promise<Answer> => {
    const channel = live.channels.find(request.params['channel'] ?? '')
    if (!channel) throw new ProblemError('not-found', 'There is no channel of this name.')
    formatOf(header(request, 'accept'), [EVENTS], `The feed is offered as ${EVENTS}.`)
    const { requester } = request
    const fault = listeningFault(channel, requester)
    if (fault)
      throw requester.actor
        ? problemFrom(fault)
        : new ProblemError('unauthenticated', `The channel ${channel.name} needs an access token.`, {
            headers: { 'www-authenticate': 'Bearer realm="lexichron"' },
          })
    const { after: asked, ...rest }: Record<string, unknown> = { ...Object(request.query) }
    const filter = live.readFilter(channel.channel, rest)
    if (filter instanceof FilterFault) {
      const { member, message: detail } = filter
      const errors = member === undefined ? [] : [{ pointer: `/${member}`, code: 'filter', detail }]
      throw new ProblemError('validation', detail, { errors })
    }
    const token = header(request, 'last-event-id') ?? (typeof asked === 'string' ? asked : undefined)
    const { after, reset } = await beginning(live, token)
    const headers = { 'x-accel-buffering': 'no' }
    const cache = 'private, no-store, no-transform'
    if (request.method === 'HEAD') return { status: 200, type: EVENTS, headers, cache }
    await live.recorded(requester, channel, filter, after).catch((cause: unknown) => {
      throw new ProblemError('store-unavailable', 'It cannot be recorded now that you read: try again.', { cause })
    })
    const release = live.place(request.counted)
    if (typeof release === 'string') throw refusePlace(release)
    const body = live.stream(
      { channel, filter, ...defined({ after, reset }) },
      { ...requester, counted: request.counted },
      release,
    )
    if (body === 'too-many-replays')
      throw new ProblemError(body, 'As many subscriptions of yours are read up from the log as may be at once.')
    return { status: 200, type: EVENTS, body, headers, cache }
  }

export const liveRoutes = (
  live: LivePort,
  authority: Authority,
  settings: { readonly allowedOrigins: readonly string[]; readonly publicUrl?: string },
): readonly Route[] => {
  const described = JSON.stringify(live.document)
  const word = Type.Optional(Type.String({ minLength: 1, maxLength: 4096 }))
  const shown = live.channels.all.find(({ needs }) => needs === undefined)?.name ?? 'none'
  const members = Object.fromEntries(
    live.channels.all.flatMap(({ filters }) => Object.keys(filters)).map(member => [member, word]),
  )
  return [
    {
      method: 'GET',
      path: LIVE_PATH,
      name: 'live',
      tag,
      summary: 'The live feed as a WebSocket',
      description: `Upgrades to a WebSocket of the subprotocol ${SUBPROTOCOL}; docs/live.md has its messages.`,
      permission: 'entries:read',
      rate: 'reads',
      request: { needs: 'a listener' },
      querystring: Type.Object({ ticket: word }, { additionalProperties: false }),
      answers: { 101: { description: 'The WebSocket.' } },
      problems: [
        'upgrade-required',
        'origin-refused',
        'ticket-invalid',
        'header-invalid',
        'too-many-connections',
        'node-full',
        'store-unavailable',
      ],
      identify: identify(live, authority, settings.allowedOrigins, settings.publicUrl),
      admit: counted => {
        const full = live.full(counted)
        if (full) throw refusePlace(full)
      },
      handle: () => {
        throw upgradeRequired('This is a WebSocket.')
      },
      upgrade: (ws, request) => {
        const { requester, counted } = request.getDecorator<Admission>('admission')
        // The plugin's own listener would keep the whole request for as long as the connection lasts.
        ws.removeAllListeners('error')
        ws.on('error', () => undefined)
        const release = live.place(counted)
        // Places may have gone between the guard and here, where the upgrade is done.
        if (typeof release === 'string') ws.close(1013, 'too many connections')
        else live.connect(ws, request.raw.socket, { ...requester, counted }, release)
      },
    },
    {
      method: 'POST',
      path: '/v1/live/tickets',
      name: 'create-live-ticket',
      tag,
      summary: 'A ticket for one connection',
      description: 'For clients that cannot send Authorization with a WebSocket: good for 30 s, once.',
      permission: 'entries:read',
      rate: 'writes',
      request: { as: 'reader', body: {} },
      positionless: true,
      body: Type.Object({}, { additionalProperties: false }),
      querystring: Type.Object({}, { additionalProperties: false }),
      answers: {
        201: {
          description: 'The ticket, to be sent as ?ticket=.',
          schema: Type.Object({ ticket: Type.String(), expiresAt: Type.String() }, { $id: 'LiveTicket' }),
          example: { ticket: 'WyI0...', expiresAt: '2026-11-23T08:00:30.000Z' },
        },
      },
      problems: ['validation', 'unauthenticated'],
      handle: ({ requester }) => {
        const id = requester.credential?.id
        if (id === undefined)
          throw new ProblemError('unauthenticated', 'A ticket stands for an access token: send one.', {
            headers: { 'www-authenticate': 'Bearer realm="lexichron"' },
          })
        return { status: 201, body: JSON.stringify(live.tickets.issue(id)), cache: 'private, no-store' }
      },
    },
    {
      method: 'GET',
      path: '/v1/live/:channel',
      name: 'live-channel',
      tag,
      summary: 'A channel of the live feed as server-sent events',
      description:
        'Filters and after are query parameters; Last-Event-ID wins over after. One that cannot be resumed after is told by an event reset, and the stream begins at the end of the log.',
      permission: 'entries:read',
      rate: 'reads',
      request: { needs: 'a listener', params: { channel: shown } },
      params: Type.Object({ channel: Type.String() }),
      querystring: Type.Object(
        {
          after: word,
          ...members,
        },
        { additionalProperties: false },
      ),
      answers: {
        200: {
          description: 'Server-sent events; id is the token to resume after.',
          type: EVENTS,
          schema: Type.String(),
          example: `id: WyI0\nevent: caught-up\ndata: {"op":"caught-up","id":"${shown}","after":"WyI0"}\n\n`,
        },
      },
      problems: [
        'validation',
        'not-acceptable',
        'too-many-connections',
        'too-many-replays',
        'node-full',
        'permission-denied',
        'not-found',
        'store-unavailable',
        'origin-refused',
      ],
      identify: request => {
        checkOrigin(request, settings.allowedOrigins, settings.publicUrl)
        return undefined
      },
      handle: openStream(live),
    },
    {
      method: 'GET',
      path: '/v1/asyncapi.json',
      name: 'asyncapi',
      tag,
      summary: 'The live feed, described',
      rate: 'reads',
      querystring: Type.Object({}, { additionalProperties: false }),
      request: {},
      problems: [],
      answers: {
        200: {
          description: 'AsyncAPI 3.0.',
          headers: ['ETag'],
          schema: Type.Object({ asyncapi: Type.String() }, { additionalProperties: true }),
          example: { asyncapi: '3.0.0', info: { title: 'Lexichron live feed', version: '0.1.0' }, channels: {} },
        },
      },
      handle: openDocument(() => described),
    },
    {
      method: 'GET',
      path: '/docs/live',
      name: 'live-page',
      tag,
      summary: 'The live feed, to read and to watch',
      rate: 'reads',
      querystring: Type.Object({}, { additionalProperties: false }),
      request: {},
      problems: [],
      answers: {
        200: {
          description: 'A page.',
          headers: ['ETag'],
          type: 'text/html',
          schema: Type.String(),
          example: '<!doctype html>',
        },
      },
      handle: underPolicy(
        openDocument(() => live.page.html, 'text/html; charset=utf-8'),
        live.page.policy,
      ),
    },
  ]
}
