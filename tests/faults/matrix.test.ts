/**
 * Two nodes on shared engines, each of which goes away and comes back; appends that are cut off; nodes that are
 * killed, paused for longer than their leases, and of another mind about the time; two nodes of one folder on a slow disk. After
 * each, at rest: every command that was begun is in the log once, both nodes show the same, who listens has missed nothing,
 * and health has told the truth; in the end read models are what a replay gives. Prints a table.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Cluster, openCluster } from '../support/cluster.ts'
import { openEventStoreDouble } from '../support/esdb/server.ts'
import { noMongo, startMongo } from '../support/mongodb.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/service.ts'
import { openProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

// Their waits may overlap.
t.jobs = 2

const CONSUMER = 'projection entries'
/** The node that works for the read models is killed: the other one takes over before it is replaced. */
const killed = async ({ row, nodes, holder, replace }: Cluster, more = {}): Promise<void> => {
  const at = await holder(CONSUMER)
  await row({
    name: `node ${at + 1}, which does the work, killed with -9`,
    strike: async () => {
      await nodes[at]?.stop('SIGKILL')
    },
    survivors: () => nodes.filter((_, other) => other !== at),
    mend: async () => {
      await replace(at, more)
    },
  })
}

/** The node that works for the read models sleeps for longer than its lease; it wakes when the other has taken over. */
const paused = async (t: Test, { row, nodes, holder }: Cluster): Promise<void> => {
  const at = await holder(CONSUMER)
  const pid = nodes[at]?.pid ?? 0
  t.teardown(() => {
    // It may have been replaced since.
    if (nodes[at]?.pid === pid) process.kill(pid, 'SIGCONT')
  })
  await row({
    name: `node ${at + 1}, which does the work, paused and woken`,
    strike: async () => {
      process.kill(pid, 'SIGSTOP')
    },
    survivors: () => nodes.filter((_, other) => other !== at),
    mend: async () => {
      process.kill(pid, 'SIGCONT')
    },
  })
}

const reason = noMongo() ?? noRedis()
t.test('two nodes on EventStoreDB, MongoDB and Redis', { skip: reason ?? false, buffered: true }, async t => {
  const double = await openEventStoreDouble()
  t.teardown(() => double.close())
  const mongo = await startMongo(t)
  const redis = await startRedis(t)
  const proxies = {
    events: await openProxy(t, double.url()),
    reads: await openProxy(t, mongo.url),
    cache: await openProxy(t, redis.url),
  }
  const cluster = await openCluster(t, {
    LEXICHRON_EVENT_STORE: proxies.events.through(double.url('defaultDeadline=2000')),
    LEXICHRON_CACHE: proxies.cache.through(redis.url),
    LEXICHRON_READ_STORE: proxies.reads.through(mongo.database()),
    LEXICHRON_KEYS: mongo.database(),
    LEXICHRON_MASTER_KEY: randomBytes(32).toString('base64'),
  })
  const { row, away, busy, more } = cluster
  // Until every node has had no news of the log for so long that it sends its listeners away.
  await away('EventStoreDB away', proxies.events, ['eventStore', 'tokens'])
  await away('MongoDB away', proxies.reads, ['readStore'])
  await away('Redis away', proxies.cache, ['cache'])
  await row({
    name: 'EventStoreDB cut off mid-append, five times',
    strike: async () => {
      for (let n = 0; n < 5; n += 1) {
        // What is on its way lies in the proxy for a moment.
        proxies.events.delay(50)
        await busy()
        const before = proxies.events.refused()
        proxies.events.cut()
        await until('a node to come back in vain', () => proxies.events.refused() > before)
        proxies.events.heal()
        await more(2)
      }
    },
  })
  await row({
    name: 'EventStoreDB answers nothing',
    said: ['eventStore'],
    strike: async () => proxies.events.hold(),
    mend: async () => proxies.events.heal(),
  })
  await killed(cluster)
  await paused(t, cluster)
  await cluster.clockAhead(1)
  await cluster.close()
})

const SLOW = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
static int late(const char *name, int fd) {
  int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
  usleep(60000);
  const char *mark = getenv("SLOW_MARK");
  if (mark) close(open(mark, O_CREAT | O_WRONLY, 0600));
  return real(fd);
}
int fsync(int fd) { return late("fsync", fd); }
int fdatasync(int fd) { return late("fdatasync", fd); }
`
const compiler = spawnSync('cc', ['--version']).error ? 'there is no C compiler: .ci/run installs one' : undefined
t.test(
  'two nodes of one folder: a slow disk, another clock, a kill',
  { skip: compiler ?? false, buffered: true },
  async t => {
    const tools = temporaryFolder(t)
    writeFileSync(join(tools, 'slow.c'), SLOW)
    execFileSync('cc', ['-shared', '-fPIC', '-o', join(tools, 'slow.so'), join(tools, 'slow.c'), '-ldl'])
    const cluster = await openCluster(t, {})
    const { nodes, row, replace, more } = cluster
    const slow = { LD_PRELOAD: join(tools, 'slow.so'), SLOW_MARK: join(tools, 'synced') }
    await row({
      name: 'each sync of node 1 takes 60 ms more',
      strike: async () => {
        await nodes[0]?.stop()
        await replace(0, slow)
        await more(50)
      },
    })
    t.ok(existsSync(join(tools, 'synced')), 'its syncs went by the slow way')
    // Pauses are in two-nodes.test.ts: who is stopped inside a transaction holds the file's lock (docs/faults.md).
    await killed(cluster, slow)
    await cluster.clockAhead(0)
    await cluster.close()
  },
)
