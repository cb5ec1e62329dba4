/** Entity tags (RFC 9110, section 8.8): `"<revision>.<representation>"`. Preconditions compare the revision alone. */
import type { Expected } from '../../ports/event-store.ts'
import { ProblemError } from './problems.ts'

export const etagOf = (revision: string | bigint, representation: string): string => `"${revision}.${representation}"`

const list = /^[ \t]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[ \t]*|$))+$/
const each = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g

const tagsOf = (header: string, name: string): readonly string[] => {
  if (header.length > 4096 || !list.test(header))
    throw new ProblemError('header-invalid', `The header ${name} is not a list of entity tags.`)
  return [...header.matchAll(each)].map(([, , opaque]) => opaque ?? '')
}

/** What If-Match states: any revision, or one of these; a bare revision will do. A tag that is not ours never matches: -1. */
export type Stated = 'any' | readonly bigint[]

/** @throws {ProblemError} header-invalid. */
export const parseIfMatch = (header: string | undefined): Stated | undefined => {
  if (header === undefined) return undefined
  if (header.trim() === '*') return 'any'
  return tagsOf(header, 'If-Match').map(tag => {
    const revision = /^(0|[1-9][0-9]{0,17})(?:\.|$)/.exec(tag)?.[1]
    return revision === undefined ? -1n : BigInt(revision)
  })
}

/** The one revision to hold the command to: the current one where it is among those stated, else one that is not. */
export const heldTo = (stated: readonly bigint[], current: Expected): bigint => {
  if (current === 'none') return -1n
  return stated.includes(current) ? current : (stated[0] ?? -1n)
}

/** Does If-None-Match name this tag? Compared weakly, so that a compressed answer revalidates the plain one. */
export const noneMatch = (header: string | undefined, etag: string): boolean => {
  if (header === undefined) return false
  if (header === etag || header === `W/${etag}`) return true
  if (header.trim() === '*') return true
  return tagsOf(header, 'If-None-Match').includes(etag.slice(1, -1))
}

/** Does a reader's If-Match hold: absent, `*`, or this tag, compared strongly (RFC 9110, 13.1.1)? @throws {ProblemError} header-invalid. */
export const anyMatch = (header: string | undefined, etag: string): boolean =>
  header === undefined ||
  header.trim() === '*' ||
  (tagsOf(header, 'If-Match').includes(etag.slice(1, -1)) && !header.includes(`W/${etag}`))
