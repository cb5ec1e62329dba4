/** The pace of the first filling. */
import t from 'tap'
import { pacing } from '../../src/app/sample.ts'
import { ProjectionError } from '../../src/core/project/errors.ts'

const log = { head: async () => 1_000n }

t.test('who fills waits for what is read, and not after the end', async t => {
  const ending = new AbortController()
  const asked: bigint[] = []
  const { promise: never } = Promise.withResolvers<void>()
  const waitFor = (position: bigint): Promise<void> => {
    asked.push(position)
    return never
  }
  const pace = pacing({ log }, [{ waitFor }], ending.signal)
  let isOver = false
  const paced = pace().then(() => {
    isOver = true
  })
  for (let turn = 0; turn < 10; turn += 1) await null
  t.strictSame(asked, [1_000n - 128n])
  t.notOk(isOver, 'it is waited for')
  ending.abort()
  await paced
  await pace()
  t.equal(asked.length, 1, 'nothing is asked any more')
})

t.test('one that stands still is not waited for again', async t => {
  let count = 0
  const waitFor = async (): Promise<void> => {
    count += 1
    throw new ProjectionError('projection-behind', 'It stands still.')
  }
  const pace = pacing({ log }, [{ waitFor }], new AbortController().signal)
  await pace()
  await pace()
  t.equal(count, 1)
})
