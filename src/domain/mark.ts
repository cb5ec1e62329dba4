/**
 * What stands at a place of the log, told by a few characters. Positions and revisions come again when an older copy of the log is
 * put back, or a follower takes over that had less; events do not. Whoever keeps a position or a revision keeps the mark of its
 * event with it, and believes neither where another mark is found.
 */
import { hash } from 'node:crypto'

/** 48 bits in base64url. */
const LENGTH = 8

/** Of a place where no event stands: the log's beginning, or beyond its end. */
export const NO_MARK = ''

/**
 * The mark of an event by its id and `meta.at`. The id alone would not do: a command that is sent again with its Idempotency-Key,
 * as clients are asked to after a restore, has the id that it had in the history which was lost.
 */
export const markOf = (id: string, at: string): string => hash('sha256', `${id} ${at}`, 'base64url').slice(0, LENGTH)

/** A state that somebody says they have seen: its revision, and the mark of the event that led to it where they know it. */
export type StatedRevision = { readonly revision: bigint; readonly mark?: string }

export const isStated = (stated: StatedRevision, revision: bigint | 'none', mark: string): boolean =>
  stated.revision === revision && (stated.mark === undefined || stated.mark === mark)
