/** What comments are about, and the name that its thread has. */
import Type from 'typebox'

export const targetKinds = ['story', 'chapter', 'entry'] as const
export type TargetKind = (typeof targetKinds)[number]
export type Target = { readonly kind: TargetKind; readonly id: string }

export const TargetKindSchema = Type.Enum([...targetKinds])

/** `story-<id>`: behind `thread-` it names the stream. */
export const threadOf = ({ kind, id }: Target): string => `${kind}-${id}`

const name = /^(story|chapter|entry)-(.+)$/

/** What the thread of this name is about; undefined: it is none. */
export const targetOf = (thread: string): Target | undefined => {
  const [, found, id] = name.exec(thread) ?? []
  const kind = targetKinds.find(known => known === found)
  return kind && id !== undefined ? { kind, id } : undefined
}
