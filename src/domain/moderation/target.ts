/** What is reported and decided about: what people write, entries, and accounts themselves. */
import Type from 'typebox'

export const moderatedKinds = ['comment', 'story', 'chapter', 'entry', 'account'] as const
export type ModeratedKind = (typeof moderatedKinds)[number]
export type Moderated = { readonly kind: ModeratedKind; readonly id: string }

export const ModeratedSchema = Type.Object(
  { kind: Type.Enum([...moderatedKinds]), id: Type.String({ minLength: 1, maxLength: 64 }) },
  { additionalProperties: false },
)

/** `comment-<id>`: behind the area of a stream it names the stream of this one. */
export const moderatedKey = ({ kind, id }: Moderated): string => `${kind}-${id}`

/**
 * What stands there, whoever looks. `authors`: whose it is; of an entry all who contributed, of an account itself. `revision`: of its stream, when it was
 * looked at. `text`: what it says now, as its author wrote it, empty where it is gone. `language`: where it is known, for moderators of a language.
 */
export type ModeratedWork = {
  readonly target: Moderated
  readonly authors: readonly string[]
  readonly revision: string
  readonly text: string
  readonly language?: string
  readonly isGone: boolean
}

/** Finds it by its streams; undefined: there never was such a thing. */
export type ModeratedWorks = (target: Moderated) => Promise<ModeratedWork | undefined>
