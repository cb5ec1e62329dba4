/** What is told to those who may not do what they ask: the same by every edge, whoever finds it out. */
import { type CommonRefusal, type Refusal, refuse } from './refusal.ts'
import type { Permission, Rights } from './roles.ts'

/** That `permission` is missing to somebody with these rights; `where` it is, after its name, such as `for the language of the entry`. */
export const denied = (
  permission: Permission,
  { isTold = false }: Pick<Rights, 'isTold'>,
  where = '',
): Refusal<CommonRefusal> =>
  refuse(
    'permission-denied',
    isTold
      ? `This needs the permission ${permission}${where === '' ? '' : ` ${where}`}.`
      : 'Your rights do not allow this.',
  )
