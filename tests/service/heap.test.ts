import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const heap = new URL('../../src/adapters/host/heap.ts', import.meta.url)

/** In a process of its own, whose heap is nobody else's: megabytes of the heap with work under way, and after its end. */
const script = `
  import { getHeapStatistics } from 'node:v8'
  import { collectHeap, growHeapSlowly } from ${JSON.stringify(heap.href)}
  const held = () => getHeapStatistics().total_heap_size / 1e6
  growHeapSlowly()
  const documents = Array.from({ length: 400_000 }, (_, n) => ({ n, text: 'document ' + n }))
  const during = held()
  documents.length = 0
  collectHeap()
  console.log(JSON.stringify({ during, after: held() }))`

t.test('what work has left behind is given back when it has ended', async t => {
  const args = ['--input-type=module', '--eval', script]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', heap)),
  })
  t.equal(status, 0, stderr)
  const { during, after }: { during: number; after: number } = JSON.parse(stdout)
  t.ok(during > 30, `${during} MB`)
  t.ok(after < during / 2, `${after} MB of ${during}`)
})
