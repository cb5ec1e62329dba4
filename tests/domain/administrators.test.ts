/** Who of the administrators stays: accept, refuse, repeat. */
import t from 'tap'
import { administratorsAggregate, restore, withdraw } from '../../src/domain/account/administrators.ts'
import { scenario } from '../support/scenario.ts'

const administrators = scenario(administratorsAggregate)
const gone = (accountId: string) => ({ type: 'AdministratorWithdrawn' as const, data: { accountId, by: 'x' } })

t.test('one that was not withdrawn is left', async () => {
  administrators
    .given()
    .when(withdraw('a', ['a', 'b'], 'b'))
    .then('AdministratorWithdrawn')
    .again()
    .thenNothing()
    .again(withdraw('b', ['a', 'b'], 'a'))
    .thenRefused('last-administrator')
    .again(restore('a'))
    .then('AdministratorRestored')
    .again()
    .thenNothing()
    .again(withdraw('b', ['a', 'b'], 'a'))
    .then('AdministratorWithdrawn')
  for (const standing of [[], ['a'], ['a', 'b'], ['b']])
    administrators
      .given(gone('b'))
      .when(withdraw('a', standing, 'service'))
      .thenRefused('last-administrator')
  administrators
    .given(gone('b'))
    .when(withdraw('a', ['a', 'b', 'c'], 'b'))
    .then('AdministratorWithdrawn')
  administrators.given().when(restore('a')).thenNothing()
})
