/** Bodies and answers that several routes of accounts have. */
import Type from 'typebox'
import type { Answer } from '../route.ts'
import { strict } from './account-edge.ts'

export const LinkTokenBody = Type.Object({ token: Type.String() }, { ...strict, $id: 'LinkToken' })
export const AccountParams = Type.Object({ id: Type.String() }, strict)
export const GrantSchema = Type.Object(
  {
    role: Type.String(),
    expiresAt: Type.Optional(Type.String({ format: 'date-time' })),
    languages: Type.Optional(Type.Array(Type.String())),
  },
  { $id: 'Grant' },
)
const TakenSchema = Type.Object({ status: Type.Enum(['accepted']) }, { $id: 'Accepted' })

/** Whether or not anybody has the address. */
export const taken: Answer = { status: 202, body: JSON.stringify({ status: 'accepted' }) }
export const takenAnswer = {
  202: {
    description: 'Taken, whether or not the address is known.',
    schema: TakenSchema,
    example: { status: 'accepted' },
  },
}

export const restricted = Type.Boolean({
  description: 'The account is suspended: GET /v1/me/permissions says what may be done meanwhile.',
})
export const RightsSchema = Type.Object(
  {
    restricted,
    roles: Type.Array(GrantSchema),
    permissions: Type.Array(Type.String()),
    inLanguages: Type.Record(Type.String(), Type.Array(Type.String())),
  },
  { $id: 'Rights' },
)
