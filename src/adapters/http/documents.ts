/**
 * Documents that stay the same for as long as the process runs. They are the longest answers that strangers may ask for, so
 * their tag and their compressed bytes are made once, and who has one already is told so.
 */
import { hash } from 'node:crypto'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import Type from 'typebox'
import { defined } from '../../domain/defined.ts'
import { noneMatch } from './etags.ts'
import type { Encoding } from './negotiation.ts'
import { type Answer, type EdgeRequest, type Encoded, header, type Route } from './route.ts'

export type Document = (request: Pick<EdgeRequest, 'headers'>) => Answer

const compress: Readonly<Record<Encoding, (body: string) => Buffer>> = {
  // Made once, so that a better quality than that of other answers costs nobody anything: some 50 ms for a megabyte.
  br: body => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: body => gzipSync(body),
}

/** `body` is asked for once, at the first request. @throws {ProblemError} header-invalid. */
export const openDocument = (body: () => string, type?: string): Document => {
  let made: { readonly body: string; readonly etag: string; readonly encoded: Encoded } | undefined
  const make = () => {
    const text = body()
    const known = new Map<Encoding, Buffer>()
    const encoded: Encoded = encoding => {
      const bytes = known.get(encoding) ?? compress[encoding](text)
      known.set(encoding, bytes)
      return bytes
    }
    return { body: text, etag: `"c.${hash('sha256', text, 'base64url').slice(0, 22)}"`, encoded }
  }
  return request => {
    made ??= make()
    const { etag } = made
    if (noneMatch(header(request, 'if-none-match'), etag)) return { status: 304, etag }
    return { status: 200, ...made, ...defined({ type }) }
  }
}

/** A page names what of it may run and be used. */
export const underPolicy =
  (document: Document, policy: string): Document =>
  request => ({ ...document(request), headers: { 'content-security-policy': policy } })

/** The OpenAPI document. */
export const documentRoute = (document: () => string): Route => ({
  method: 'GET',
  path: '/v1/openapi.json',
  name: 'openapi',
  tag: 'Operation',
  summary: 'This document',
  rate: 'reads',
  querystring: Type.Object({}, { additionalProperties: false }),
  request: {},
  problems: [],
  answers: {
    200: {
      description: 'OpenAPI 3.1.',
      headers: ['ETag'],
      schema: Type.Object({ openapi: Type.String() }, { additionalProperties: true }),
      example: { openapi: '3.1.0', info: { title: 'Lexichron', version: '0.1.0' }, paths: {} },
    },
  },
  handle: openDocument(document),
})
