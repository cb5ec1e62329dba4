/** What an entry shows beside its content, and who writes to it may repeat: the one list of these members. */
import Type from 'typebox'
import { PartOfSpeechSchema, StatusSchema } from './content.ts'

const text = Type.String()

/** By name, as they are read; who may see less of an entry than all of it is not shown the optional ones. */
export const StandingMembers = {
  id: text,
  language: text,
  lemma: text,
  partOfSpeech: PartOfSpeechSchema,
  homograph: Type.Integer(),
  status: StatusSchema,
  source: Type.Optional(text),
  licence: Type.Optional(text),
  replacedBy: Type.Optional(text),
  held: Type.Optional(Type.Array(text, { maxItems: 1_000, description: 'The decisions that hold it back.' })),
  rank: Type.Optional(Type.Integer()),
  author: Type.Optional(text),
  contributors: Type.Optional(Type.Array(text, { maxItems: 100_000 })),
  revision: text,
  createdAt: Type.Optional(text),
  updatedAt: Type.Optional(text),
}
export type StandingMember = keyof typeof StandingMembers
