/** What each role permits in this service, for tests of a part of it. */
import { areas } from '../../src/app/areas.ts'
import { roleRightsOf } from '../../src/app/declared.ts'

export const roleRights = roleRightsOf(areas)
export const { of: permissionsOf, strangers: anonymousPermissions, permissions } = roleRights
