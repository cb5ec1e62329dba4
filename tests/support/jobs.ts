/** Nodes with a queue each, on one engine, for what every engine of the queue promises. */
import type { Test } from 'tap'
import type { JobBackend } from '../../src/adapters/jobs/backend.ts'
import { openQueue } from '../../src/adapters/jobs/queue.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { JobKind, Jobs } from '../../src/ports/jobs.ts'
import { realClock } from './clocks.ts'
import { until } from './until.ts'

/** Opens the same queue again at each call: a node each. */
export type OpenNode = () => Promise<JobBackend>
export type Engine = (t: Test) => Promise<OpenNode>

export const LOOK_MS = 20
export const kindOf = (name: string, handle: JobKind['handle'], more: Partial<JobKind> = {}): JobKind => ({
  name,
  handle,
  concurrency: 5,
  firstMs: 20,
  longestMs: 100,
  ...more,
})
export const job = (key: string, more: object = {}) => ({ kind: 'letter', key, data: { to: key }, ...more })
export const ignore = (): void => undefined

/** Opens when it is told to. */
export const gate = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { passed: promise, open: () => resolve() }
}

export type Node = {
  readonly jobs: Jobs
  readonly backend: JobBackend
  /** How often it has looked for what is due. */
  readonly looks: () => number
}

export const startNode = async (
  t: Test,
  open: OpenNode,
  nodeId: string,
  clock: Clock = realClock(),
  more: Partial<JobBackend> = {},
): Promise<Node> => {
  const backend = { ...(await open()), ...more }
  let looks = 0
  const { getNextJobToRun } = backend.repository
  const repository = Object.assign(Object.create(backend.repository), {
    getNextJobToRun: (...given: Parameters<typeof getNextJobToRun>) => {
      looks += 1
      return getNextJobToRun.apply(backend.repository, given)
    },
  })
  const jobs = await openQueue({
    backend: { ...backend, repository },
    nodeId,
    clock,
    random: () => 0.5,
    lookMs: LOOK_MS,
    onError: ignore,
  })
  t.teardown(() => jobs.close())
  return { jobs, backend, looks: () => looks }
}

/** So often has the node looked since, that it would have seen what there was. */
export const looked = async (node: Node): Promise<void> => {
  const before = node.looks()
  await until('two looks more', () => node.looks() >= before + 2)
}
