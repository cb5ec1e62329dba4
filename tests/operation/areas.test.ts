/** What the service makes of the declarations of its areas, and what it refuses of them. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { declaredEvents } from '../../scripts/event-catalogue.ts'
import { openProblems } from '../../src/adapters/http/problems.ts'
import { problemsOf } from '../../src/app/area.ts'
import { areas } from '../../src/app/areas.ts'
import { categoriesOf, openTransactors, projectionsOf, roleRightsOf, typesOf } from '../../src/app/declared.ts'
import type { Transactor } from '../../src/core/write/transact.ts'
import type { Aggregate } from '../../src/domain/decider.ts'
import type { DomainEvent } from '../../src/domain/event.ts'
import { openRoleRights } from '../../src/domain/roles.ts'
import { sourcesBelow } from '../support/architecture.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const aggregate = (category: string): Aggregate<number, DomainEvent> => ({
  category,
  events: [],
  initial: 0,
  evolve: state => state,
  route: () => ({ visibility: 'public' }),
})

/** As the transactor of an aggregate is opened, and counted. */
const opener = () => {
  const opened: string[] = []
  const open = <State, E extends DomainEvent>(declared: Aggregate<State, E>): Transactor<State, E> => {
    opened.push(declared.category)
    const absent = async () => {
      throw new Error('nothing is written here')
    }
    const nothing = { run: absent, load: absent }
    return { aggregate: declared, run: absent, load: absent, unopened: nothing, forget: () => undefined }
  }
  return { opened, open }
}

t.test('no event that the domain declares is in no area, and none in two', t => {
  const types = typesOf(areas).map(({ type }) => type)
  t.strictSame(types.toSorted(), [...declaredEvents()].toSorted())
  t.equal(new Set(types).size, types.length)
  t.ok(categoriesOf(areas).length > 20, `${categoriesOf(areas).length} categories`)
  t.equal(new Set(projectionsOf(areas).map(({ name }) => name)).size, projectionsOf(areas).length)
  t.equal(new Set(areas.map(({ name }) => name)).size, areas.length, 'an area has a name of its own')
  t.end()
})

t.test('every code that is refused with has a problem that says what it is', t => {
  const problems = openProblems(problemsOf(areas))
  const said = sourcesBelow(root, 'src')
    .filter(({ text }) => /'[^']*(?:refusal|problems)\.ts'/.test(text))
    .flatMap(({ text }) =>
      [...text.matchAll(/\b(?:refuse|new ProblemError)\(\s*'([a-z-]+)'/g)].map(([, code]) => code ?? ''),
    )
  t.ok(new Set(said).size > 60, `${new Set(said).size} codes`)
  t.strictSame(
    said.filter(code => problems.find(code) === undefined),
    [],
  )
  t.throws(() => problems.of('no-such-problem'), { message: 'nobody says what the problem no-such-problem is' })
  const same = { 'x-taken': { status: 409, title: 'Taken', help: 'Take another one.' } }
  t.throws(() => openProblems([same, same]), { message: 'the problem x-taken is declared twice' })
  t.end()
})

t.test('every permission that is asked for is one of an area', t => {
  const { permissions } = roleRightsOf(areas)
  const resources = new Set(permissions.map(permission => permission.split(':')[0]))
  const asked = sourcesBelow(root, 'src').flatMap(({ text }) => [
    ...[...text.matchAll(/\b(?:permission: |has\(|needs: )'([^']+:[^']+)'/g)].map(([, permission]) => permission ?? ''),
    ...[...text.matchAll(/'(([a-z]+):[a-z-]+)'/g)].flatMap(([, permission, resource]) =>
      permission !== undefined && resources.has(resource) ? [permission] : [],
    ),
  ])
  t.ok(asked.length > 60, `${asked.length} places`)
  t.strictSame(
    asked.filter(permission => !permissions.some(known => known === permission)),
    [],
  )
  t.throws(() => openRoleRights([{ 'a:b': [] }, { 'a:b': ['reader'] }]), { message: 'two areas have one permission' })
  t.end()
})

t.test('the transactor of an aggregate is opened once, when it is first asked for', t => {
  const [shelf, book] = [aggregate('shelf'), aggregate('book')]
  const { opened, open } = opener()
  const transactor = openTransactors([{ name: 'shelves', aggregates: [shelf, book] }], open)
  t.strictSame(opened, [])
  t.equal(transactor(book), transactor(book))
  t.strictSame(opened, ['book'])
  t.throws(() => transactor(aggregate('page')), { message: 'the aggregate of page is in no area' })
  t.throws(
    () =>
      openTransactors(
        [
          { name: 'x', aggregates: [shelf] },
          { name: 'y', aggregates: [shelf] },
        ],
        open,
      ),
    {
      message: 'two aggregates of one category',
    },
  )
  t.end()
})
