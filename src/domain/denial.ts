/** What is told to those who may not do what they ask: the same by every edge, whoever finds it out. */
import { type Refusal, refuse } from './refusal.ts'
import { type Permission, permissionsOf, permitsAll, type Rights } from './roles.ts'

/** What everybody has who has an account. */
const common: Rights = { permissions: permissionsOf('contributor') }

/**
 * Is somebody with these rights told what the permission is called that they miss? Those are who were given more than
 * everybody has, everywhere or in a language: they have an administrator to ask for it. To all others a name is of no use but
 * to find out what there is to be had.
 */
export const isToldPermissions = (rights: Rights): boolean => !permitsAll(common, rights)

/** That `permission` is missing to somebody with these rights; `where` it is, after its name, such as `for the language of the entry`. */
export const denied = (permission: Permission, rights: Rights, where = ''): Refusal =>
  refuse(
    'permission-denied',
    isToldPermissions(rights)
      ? `This needs the permission ${permission}${where === '' ? '' : ` ${where}`}.`
      : 'Your rights do not allow this.',
  )
