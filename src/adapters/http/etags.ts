/**
 * Entity tags (RFC 9110, section 8.8): `"<revision>.<mark>.<representation>"`. The mark is that of the event which led to the
 * revision (src/domain/mark.ts). Preconditions compare revision and mark: the same revision of another history is another state.
 */

import { defined } from '../../domain/defined.ts'
import { isStated, type StatedRevision } from '../../domain/mark.ts'
import type { Expected } from '../../ports/event-store.ts'
import { ProblemError } from './problems.ts'

export const etagOf = (revision: string | bigint, mark: string, representation: string): string =>
  `"${revision}.${mark}.${representation}"`

const list = /^[ \t]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[ \t]*|$))+$/
const each = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g

const tagsOf = (header: string, name: string): readonly string[] => {
  if (header.length > 4096 || !list.test(header))
    throw new ProblemError('header-invalid', `The header ${name} is not a list of entity tags.`)
  return [...header.matchAll(each)].map(([, , opaque]) => opaque ?? '')
}

/**
 * What If-Match states: any revision, or one of these. A bare revision will do, which says nothing of its history. A tag that is
 * not ours never matches (-1), nor does one of before there were marks, whose representation stands where the mark is now.
 */
export type Stated = 'any' | readonly StatedRevision[]

/** @throws {ProblemError} header-invalid. */
export const parseIfMatch = (header: string | undefined): Stated | undefined => {
  if (header === undefined) return undefined
  if (header.trim() === '*') return 'any'
  return tagsOf(header, 'If-Match').map(tag => {
    const [, revision, mark] = /^(0|[1-9][0-9]{0,17})(?:\.([^.]*)(?:\..*)?)?$/.exec(tag) ?? []
    return revision === undefined ? NONE : { revision: BigInt(revision), ...defined({ mark }) }
  })
}

const NONE: StatedRevision = { revision: -1n }

/** The one to hold the command to: one that is the current state where that is among those stated, else one that is not. */
export const heldTo = (
  stated: readonly StatedRevision[],
  { revision, mark }: { readonly revision: Expected; readonly mark: string },
): StatedRevision =>
  revision === 'none' ? NONE : (stated.find(each => isStated(each, revision, mark)) ?? stated[0] ?? NONE)

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
