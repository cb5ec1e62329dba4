/** What the service makes of the declarations of its areas, and what it refuses of them. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { declaredEvents } from '../../scripts/event-catalogue.ts'
import { openProblems } from '../../src/adapters/http/problems.ts'
import { problemsOf } from '../../src/app/area.ts'
import { areas } from '../../src/app/areas.ts'
import { categoriesOf, openTransactors, projectionsOf, roleRightsOf, typesOf } from '../../src/app/declared.ts'
import type { Transactor } from '../../src/core/write/transact.ts'
import type { Aggregate } from '../../src/domain/decider.ts'
import type { DomainEvent } from '../../src/domain/event.ts'
import { isUnseen, type RefusalCode } from '../../src/domain/refusal.ts'
import { openRoleRights, type Permission } from '../../src/domain/roles.ts'
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

/** What the files of a folder export under names that end so, whichever they are. */
const tablesIn = async (folder: string, ending: string): Promise<readonly string[]> => {
  const found = sourcesBelow(root, folder).filter(({ text }) => text.includes(`${ending} =`))
  const modules = await Promise.all(found.map(({ path }) => import(pathToFileURL(join(root, path)).href)))
  return modules.flatMap((module: Readonly<Record<string, unknown>>) =>
    Object.entries(module).flatMap(([name, table]) => (name.endsWith(ending) ? Object.keys(Object(table)) : [])),
  )
}

/** Do both name the same? A union that took any text would be none. */
type Same<A, B> = [A, B] extends [B, A] ? true : false

t.test('every code that is refused with has a problem that says what it is', async t => {
  // The compiler takes no other code: the union is made of the tables. Here, that each table is one of an area.
  const closed: Same<RefusalCode | 'nobody-explains-it', RefusalCode> = false
  t.notOk(closed)
  const problems = openProblems(problemsOf(areas))
  const written = await tablesIn('src/adapters/http/problems', 'Problems')
  t.ok(written.length > 60, `${written.length} codes`)
  t.strictSame(written.toSorted(), problems.codes.toSorted())
  t.throws(() => problems.of('no-such-problem'), { message: 'nobody says what the problem no-such-problem is' })
  const same = { 'x-taken': { status: 409, title: 'Taken', help: 'Take another one.' } }
  t.throws(() => openProblems([same, same]), { message: 'the problem x-taken is declared twice' })
})

t.test('what is refused since there is nothing in the eyes of who asks is known by its name', async t => {
  const problems = openProblems(problemsOf(areas))
  const unseen = problems.codes.filter(code => isUnseen({ refused: code }))
  const absent = problems.codes.filter(code => problems.of(code).status === 404)
  for (const code of unseen) t.ok([403, 404].includes(problems.of(code).status), code)
  // Of what is there for them a part is not, or nothing was found.
  const others = absent.filter(code => !unseen.includes(code)).toSorted()
  t.strictSame(others, ['chapter-revision-unknown', 'chapter-unknown', 'day-unknown', 'not-found', 'nothing-found'])
})

t.test('every permission that is asked for is one of an area', async t => {
  const closed: Same<Permission | 'entries:nothing', Permission> = false
  t.notOk(closed)
  const { permissions } = roleRightsOf(areas)
  const written = await tablesIn('src/domain', 'Permissions')
  t.ok(written.length > 15, `${written.length} permissions`)
  t.strictSame(written.toSorted(), permissions.toSorted())
  t.throws(() => openRoleRights([{ 'a:b': [] }, { 'a:b': ['reader'] }]), { message: 'two areas have one permission' })
})

t.test('the transactor of an aggregate is opened once, when it is first asked for', t => {
  const [shelf, book] = [aggregate('shelf'), aggregate('book')]
  const { opened, open } = opener()
  const { transactor, forget } = openTransactors([{ name: 'shelves', aggregates: [shelf, book] }], open)
  t.strictSame(opened, [])
  t.equal(transactor(book), transactor(book))
  t.strictSame(opened, ['book'])
  t.doesNotThrow(() => forget('shelf-1'), 'what was never opened keeps nothing')
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
