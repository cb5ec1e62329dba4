/** Who is let in without an account, and who is not let in: tokens of services, blocks. */
import { blockAggregate } from '../../domain/access/block.ts'
import { tokenAggregate } from '../../domain/access/token.ts'
import type { Declared } from '../declared.ts'

export const access: Declared = {
  name: 'access',
  aggregates: [tokenAggregate, blockAggregate],
}
