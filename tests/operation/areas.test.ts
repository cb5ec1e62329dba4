/** What the service makes of the declarations of its areas, and what it refuses of them. */
import t from 'tap'
import { declaredEvents } from '../../scripts/event-catalogue.ts'
import { areas } from '../../src/app/areas.ts'
import { categoriesOf, openTransactors, projectionsOf, typesOf } from '../../src/app/declared.ts'
import type { Transactor } from '../../src/core/write/transact.ts'
import type { Aggregate } from '../../src/domain/decider.ts'
import type { DomainEvent } from '../../src/domain/event.ts'

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
    return { aggregate: declared, run: absent, load: absent, forget: () => undefined }
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
