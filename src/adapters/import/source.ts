/** What every format's parser offers the import. */

import type { SourceItem } from '../../domain/entry/import.ts'
import { OwnError } from '../../domain/own-error.ts'
import { withoutEnds } from '../../domain/text/text.ts'

/** How far the reading is: `done` of `total`, in bytes of the file that is read in order. */
export type Reading = { readonly done: number; readonly total: number }

/** An opened source. `items` is iterated once; `close` frees the files, also when it was not read to the end. */
export type Source = {
  readonly name: string
  readonly licence: string
  readonly items: AsyncIterable<SourceItem>
  reading(): Reading
  close(): Promise<void>
}

/** The source as a whole cannot be read: wrong folder, not this format, nothing said about its language or licence. */
export class SourceError extends OwnError {
  override readonly name = 'SourceError'
  /** `usage`: what was said about the source is wrong or missing, and the file may be right. */
  readonly kind: 'source' | 'usage'
  constructor(message: string, kind: 'source' | 'usage' = 'source') {
    super(message)
    this.kind = kind
  }
}

/** Why a source has no name that it can be imported under. */
export const nameless = (stated: string | undefined, path: string): string =>
  stated === undefined
    ? `Name the source of ${path} with --source: a-z, 0-9, "." and "-", 100 characters at most.`
    : `--source ${JSON.stringify(stated.slice(0, 100))} is not the name of a source: a-z, 0-9, "." and "-", 100 characters at most.`

/** A name that streams and entries can carry, made from the name of a file. */
export const nameOfFile = (file: string): string =>
  withoutEnds(
    file
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9.]+/g, '-'),
    /[^a-z0-9]/,
  ).slice(0, 100)
