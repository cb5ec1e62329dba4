/**
 * Display names, put into an answer as it is sent: a map from the ids of actors that it names to the names that this reader
 * may see. What is kept of an answer has no names, so that a name that is changed, hidden or erased is nowhere to be forgotten.
 */
import { hash } from 'node:crypto'
import Type from 'typebox'
import type { Reader } from '../../core/query/define.ts'
import { defined } from '../../domain/defined.ts'

/** Who has which name, as this node has heard; src/projections/people.ts has it. */
export type Names = {
  nameFor(id: string, reader: Reader): string | undefined
  /** Position up to which names are known. */
  position(): bigint
  reached(position: bigint, timeoutMs: number): Promise<boolean>
}

export const NamesSchema = Type.Record(Type.String(), Type.String(), {
  description: 'Display names by the ids of those that are named here, as far as you may see them.',
})

type Named = { readonly body: string; readonly etag?: string; readonly people?: readonly string[] }

/** The body and the entity tag with the names, where there are any. `body` is the JSON of an object that has members. */
export const withNames = (
  { body, etag, people = [] }: Named,
  names: Pick<Names, 'nameFor'> | undefined,
  reader: Reader,
): { readonly body: string; readonly etag?: string } => {
  const known = people.flatMap(id => {
    const name = names?.nameFor(id, reader)
    return name === undefined ? [] : [[id, name]]
  })
  if (known.length === 0) return { body, ...defined({ etag }) }
  const text = JSON.stringify(Object.fromEntries(known))
  const mark = hash('sha256', text, 'base64url').slice(0, 8)
  return {
    body: `${body.slice(0, -1)},"names":${text}}`,
    ...defined({ etag: etag && `${etag.slice(0, -1)}-${mark}"` }),
  }
}
