/** Lists of accounts, the same on every read store: which, in what order, and each once over the pages. */
import type { Test } from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { foundBy } from '../../src/domain/profile/display-name.ts'
import type { ReadStore } from '../../src/ports/read-store.ts'
import { type AccountDocument, accountsProjection, nameTerm } from '../../src/projections/accounts.ts'
import { openAccountPages } from '../../src/queries/account-lists.ts'
import { fillReadModel } from '../support/read-model.ts'

const secret = new Uint8Array(32).fill(7)
const states = ['active', 'active', 'suspended', 'erasing'] as const
const names = ['Ada', 'Adam', 'ádám', 'Bea', 'ADA LOVELACE', 'Ωδα']
const id = (n: number): string => `018f2c5a-7b1e-7cc2-8f43-${String(n).padStart(12, '0')}`

/** Two hundred, each younger than the one before, every third with a name. */
const accounts: readonly { readonly id: string; readonly body: AccountDocument }[] = Array.from(
  { length: 200 },
  (_, n) => {
    const state = states[n % states.length] ?? 'active'
    const name = n % 3 === 0 ? names[(n / 3) % names.length] : undefined
    return {
      id: id(n),
      body: {
        begun: n,
        state,
        suspended: state === 'suspended',
        roles: n % 10 === 0 ? ['editor', 'moderator'] : n % 10 === 5 ? ['moderator'] : [],
        ...defined({
          nameTerms:
            name === undefined
              ? undefined
              : [...foundBy(name)].map((_, at) => nameTerm(secret, foundBy(name).slice(0, at + 1))),
        }),
      },
    }
  },
)
type Filter = Parameters<ReturnType<typeof openAccountPages>>[0]

const wantedOf = ({ role, state, name }: Filter): readonly string[] => {
  const found = accounts.filter(
    ({ body }) =>
      (role === undefined || role === 'contributor' || body.roles.includes(role)) &&
      (state === undefined || body.state === state) &&
      (name === undefined || body.nameTerms?.includes(nameTerm(secret, name)) === true),
  )
  return found.toReversed().map(each => each.id)
}

export const accountListsContract = (
  t: Test,
  open: () => Promise<{ readonly store: ReadStore; readonly close: () => Promise<void> }>,
): void => {
  t.test('accounts are listed by every filter, each once, whatever the size of a page', async t => {
    const { store, close } = await open()
    t.teardown(close)
    const { view } = await fillReadModel(t, accountsProjection(secret), accounts, store)
    const page = openAccountPages(view, secret)
    const filters: readonly Filter[] = [
      {},
      { role: 'editor' },
      { role: 'contributor' },
      { role: 'auditor' },
      { state: 'suspended' },
      { state: 'erasing', role: 'moderator' },
      { name: 'ada' },
      { name: 'ÁDAM' },
      { name: 'ωδ' },
      { name: 'zoe' },
      { name: 'a', role: 'moderator' },
      { name: 'a', state: 'active', role: 'editor' },
    ]
    for (const filter of filters)
      for (const limit of [3, 7, 100]) {
        const ids: string[] = []
        let pages = 0
        let after: Parameters<typeof page>[1]
        do {
          const found = await page(filter, after, limit)
          ids.push(...found.ids)
          after = found.next ?? undefined
          pages += 1
        } while (after && pages < 200)
        t.strictSame(ids, wantedOf(filter), `${JSON.stringify(filter)}, ${limit} a page`)
      }
  })
}
