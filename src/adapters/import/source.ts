/** What every format's parser offers the import. */
import type { SourceItem } from '../../domain/import.ts'

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
export class SourceError extends Error {
  override readonly name = 'SourceError'
}

/** A name that streams and entries can carry, made from the name of a file. */
export const nameOfFile = (file: string): string =>
  file
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 100)
