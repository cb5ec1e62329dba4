import t from 'tap'
import { rightsOf } from '../../src/domain/account/grants.ts'
import { denied } from '../../src/domain/denial.ts'
import { isRole, type Permission, permitsAll, type Role, roles } from '../../src/domain/roles.ts'
import { anonymousPermissions, permissions, permissionsOf, roleRights } from '../support/roles.ts'

const includes = (wider: Role, narrower: Role): boolean => permissionsOf(narrower).isSubsetOf(permissionsOf(wider))

t.test('each role holds what the ones it builds on hold', async t => {
  const pairs: readonly (readonly [Role, Role])[] = [
    ['contributor', 'reader'],
    ['editor', 'contributor'],
    ['moderator', 'contributor'],
    ['auditor', 'reader'],
    ...roles.map(role => ['admin', role] as const),
  ]
  for (const [wider, narrower] of pairs) t.ok(includes(wider, narrower), `${wider} includes ${narrower}`)
  for (const role of roles)
    t.ok(anonymousPermissions.isSubsetOf(permissionsOf(role)), `${role} reads what strangers read`)
  t.same([...permissionsOf('admin')], [...permissions])
})

t.test('who holds the permissions that take something away or let somebody in', async t => {
  const holders = (permission: Permission) => roles.filter(role => permissionsOf(role).has(permission))
  t.same(holders('entries:redact'), ['moderator', 'admin'])
  t.same(holders('entries:publish'), ['editor', 'admin'])
  t.same(holders('entries:edit'), ['editor', 'admin'])
  t.same(holders('entries:retire'), ['editor', 'moderator', 'admin'])
  t.same(holders('entries:draft'), ['contributor', 'editor', 'moderator', 'admin'])
  t.same(holders('entries:import'), ['admin'])
  t.same(holders('tokens:manage'), ['admin'])
  t.same(holders('projections:manage'), ['admin'])
  t.same(holders('accounts:read'), ['moderator', 'admin'])
  t.same(holders('accounts:manage'), ['admin'])
  t.same(holders('events:read'), ['auditor', 'admin'])
  t.same(holders('decisions:take'), ['moderator', 'admin'])
  t.same(holders('decisions:overturn'), ['admin'])
  t.same(
    [...anonymousPermissions],
    ['entries:read', 'stories:read', 'comments:read', 'proposals:read', 'transparency:read'],
  )
  // Beside what is their own.
  const harmless = [
    'entries:review',
    'stories:review',
    'account:use',
    'account:leave',
    'stories:leave',
    'comments:delete',
    'shelf:write',
    'ratings:write',
    'relations:write',
    'reports:write',
    'appeals:file',
  ]
  const writing = [...permissionsOf('auditor')].filter(
    permission => !permission.includes(':read') && !harmless.includes(permission),
  )
  t.same(writing, [], 'an auditor changes nothing')
})

t.test('permissions are resource:action, once each; a role is one of the six', async t => {
  t.equal(new Set(permissions).size, permissions.length)
  for (const permission of permissions) t.match(permission, /^[a-z]+:[a-z]+(-[a-z]+)*$/)
  for (const role of roles) t.ok(isRole(role))
  for (const other of ['Admin', '', 'root', '__proto__', 5, null, undefined]) t.notOk(isRole(other))
})

t.test('what somebody began with is still there, everywhere and in each language', async t => {
  const of = (role: Role) => permissionsOf(role)
  const spanish = { permissions: of('contributor'), inLanguages: new Map([['es', of('editor')]]) }
  const mexican = { permissions: of('contributor'), inLanguages: new Map([['es-MX', of('editor')]]) }
  const editor = { permissions: of('editor') }
  t.ok(permitsAll(spanish, spanish))
  t.ok(permitsAll(editor, spanish), 'everywhere is in each language')
  t.ok(permitsAll(spanish, mexican), 'es covers es-MX')
  t.notOk(permitsAll(mexican, spanish))
  t.notOk(permitsAll(spanish, editor))
  t.notOk(permitsAll({ permissions: of('contributor') }, spanish))
})

t.test('what a suspended account may do is a closed set, within what everybody with an account may', async t => {
  t.same([...roleRights.suspended].toSorted(), [
    'account:leave',
    'account:read',
    'appeals:file',
    'comments:delete',
    'comments:read',
    'entries:read',
    'proposals:read',
    'stories:leave',
    'stories:read',
    'transparency:read',
  ])
  t.ok(roleRights.suspended.isSubsetOf(permissionsOf('contributor')))
  t.ok(anonymousPermissions.isSubsetOf(roleRights.suspended), 'it reads what strangers read')
})

t.test('which permission is missing is told to those who were given more than everybody has', async t => {
  const told = roles.filter(role => roleRights.rights(permissionsOf(role)).isTold)
  t.same(told, ['editor', 'moderator', 'auditor', 'admin'])
  t.notOk(roleRights.rights(anonymousPermissions).isTold, 'strangers')
  t.notOk(roleRights.rights(roleRights.suspended).isTold, 'who is suspended')
  const spanish = rightsOf([{ role: 'contributor' }, { role: 'editor', languages: ['es'] }], roleRights)
  t.ok(spanish.isTold, 'in one language is more, too')
  t.match(denied('events:read', spanish), {
    refused: 'permission-denied',
    detail: 'This needs the permission events:read.',
  })
  t.equal(denied('events:read', spanish, 'somewhere').detail, 'This needs the permission events:read somewhere.')
  t.match(denied('events:read', roleRights.rights(permissionsOf('contributor'))), {
    refused: 'permission-denied',
    detail: 'Your rights do not allow this.',
  })
})
