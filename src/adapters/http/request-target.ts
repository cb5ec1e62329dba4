/**
 * What a request is sent to (RFC 9112, 3.2), and the headers of which there is one. It is looked at before anything else, at
 * every address, since a proxy in front may have understood it otherwise.
 */
import type { FastifyRequest } from 'fastify'
import { ProblemError } from './problems.ts'

const ABSOLUTE = /^https?:\/\/([^/?#]*)([\s\S]*)/i
/** A host and perhaps a port (RFC 3986, 3.2.2). Nobody's name and password belong there. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::([0-9]*))?$/i
const MOST_PORT = 65_535

/** The last one that was good: nearly everybody asks for the same. */
let good = ''

const isHost = (authority: string): boolean => {
  if (authority === good) return true
  const found = HOST.exec(authority)
  if (found === null || Number(found[1] ?? 0) > MOST_PORT) return false
  good = authority
  return true
}

/** The target without scheme and host, which say to a proxy where to send it and nothing to us. */
export const originForm = (target: string): string => {
  if (target.startsWith('/')) return target
  const [, , rest] = ABSOLUTE.exec(target) ?? []
  if (rest === undefined) return target
  return rest.startsWith('/') ? rest : `/${rest}`
}

const malformed = (detail: string): ProblemError => new ProblemError('request-malformed', detail)

const checkTarget = (method: string, target: string): void => {
  if (target.includes('#')) throw malformed('The address of a request has no fragment.')
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) return
  if (target === '*') throw malformed('* stands for the whole service, and only OPTIONS may ask for that.')
  const [, authority] = ABSOLUTE.exec(target) ?? []
  if (authority === undefined || authority === '' || !isHost(authority))
    throw malformed('The address of a request is a path, or begins with http:// or https:// and a host.')
}

const single: ReadonlySet<string> = new Set(['host', 'authorization'])

/** Of these a proxy in front may believe another one than we do (RFC 9112, 3.2; RFC 9110, 5.3). */
const checkSingle = (rawHeaders: readonly string[]): void => {
  let seen: Set<string> | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    // Most names have other lengths: they are not even spelt small.
    if (name.length !== 4 && name.length !== 13) continue
    const small = name.toLowerCase()
    if (!single.has(small)) continue
    if (seen?.has(small)) throw new ProblemError('header-invalid', `The header ${name} is given more than once.`)
    seen ??= new Set()
    seen.add(small)
  }
}

/** @throws {ProblemError} request-malformed, header-invalid. */
export const checkRequest = ({
  headers,
  raw,
  method,
  originalUrl,
}: Pick<FastifyRequest, 'headers' | 'method' | 'originalUrl'> & {
  readonly raw: Pick<FastifyRequest['raw'], 'httpVersion' | 'rawHeaders'>
}): void => {
  checkTarget(method, originalUrl)
  // Without a socket (inject) the header is given by fastify.
  if (headers.host === undefined && raw.httpVersion === '1.1')
    throw malformed('A request of HTTP/1.1 has a header Host.')
  checkSingle(raw.rawHeaders)
  if (headers.host !== undefined && !isHost(headers.host))
    throw new ProblemError('header-invalid', 'The header Host is not a host, perhaps with a port.')
}
