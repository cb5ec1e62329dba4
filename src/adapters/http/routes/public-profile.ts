/** What somebody says of themselves, for whom they let see it. */
import Type from 'typebox'
import type { Refusal } from '../../../domain/refusal.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import type { Requester, Route } from '../route.ts'
import { type From, fromOf, nothing, tag } from './account-edge.ts'
import { AccountParams } from './account-schemas.ts'

/** What the route needs; src/app/profile.ts has it. */
export type PublicProfilePort = {
  /**
   * Undefined where there is nothing that this reader may see. That somebody saw what is shown to nobody is recorded first:
   * a refusal where it was not.
   */
  shown(id: string, reader: Requester, from: From): Promise<PublicProfile | Refusal | undefined>
}
export type PublicProfile = {
  readonly id: string
  readonly displayName?: string
  readonly bio?: string
  readonly languages: readonly string[]
}

const id = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
const orNull = Type.Union([Type.String(), Type.Null()])

export const publicProfileRoute = (port: PublicProfilePort): Route => ({
  tag,
  method: 'GET',
  path: '/v1/profiles/:id',
  name: 'read-profile',
  permission: 'entries:read',
  rate: 'reads',
  summary: 'What somebody says of themselves',
  description:
    'For whom its owner lets see it (privacy.profile of their preferences), for themselves, and with accounts:read (who sees one by that alone is in the log as AccountsRead). To all others there is none. Of who was erased, the name that stays with what they wrote.',
  params: AccountParams,
  querystring: nothing,
  request: { needs: 'an id that is keyed', params: { id } },
  problems: ['profile-not-found', 'store-unavailable', 'busy', 'conflict', 'outcome-unknown'],
  answers: {
    200: {
      description: 'The profile.',
      schema: Type.Object(
        { id: Type.String(), displayName: orNull, bio: orNull, languages: Type.Array(Type.String()) },
        { $id: 'Profile' },
      ),
      example: { id, displayName: 'Ada', bio: 'Reads dictionaries.', languages: ['en', 'es'] },
    },
  },
  handle: async request => {
    const found = await port.shown(request.params['id'] ?? '', request.requester, fromOf(request))
    if (!found) throw new ProblemError('profile-not-found', 'There is no such profile, or it is not for you to see.')
    if ('refused' in found) throw problemFrom(found)
    const { displayName = null, bio = null, languages } = found
    return { status: 200, cache: 'no-store', body: JSON.stringify({ id: found.id, displayName, bio, languages }) }
  },
})
