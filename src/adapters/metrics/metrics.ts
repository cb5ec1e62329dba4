/**
 * Metrics in the Prometheus text format, by prom-client. Every label has few values, all of them ours: routes as they are
 * declared, never an address that a client made up.
 */
import { performance } from 'node:perf_hooks'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { SnapshotResult } from '../../core/write/snapshots.ts'
import type { Snapshot } from './sources.ts'

/** Told by the HTTP server after each answer. `route` is as declared; undefined where none matched. */
export type ObserveRequest = (method: string, route: string | undefined, status: number, ms: number) => void

export type Metrics = {
  readonly request: ObserveRequest
  /** One append, or several that were sent together. */
  readonly append: (outcome: 'written' | 'conflict' | 'unknown' | 'failed', ms: number) => void
  /** How many appends a transaction committed. */
  readonly batch: (appends: number) => void
  readonly cache: (result: 'hit' | 'miss') => void
  /** A page of an index ended since it had examined as many keys as it may. */
  cut(): void
  /** What was refused since there is too much of it already. */
  refused(what: 'connection'): void
  /** A stored snapshot of a long stream was looked for, or was to be kept. */
  readonly snapshot: (result: SnapshotResult) => void
  /** The answer to a scrape. Those that come while one is made share it. */
  render(): Promise<{ readonly type: string; readonly body: string }>
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const consumerStates = ['starting', 'following', 'building', 'stopped', 'waiting-for-lease'] as const
const healthStates = ['ok', 'degraded', 'failed'] as const

const openInstruments = (registry: Registry) => {
  const on = { registers: [registry] }
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ ...on, name: `lexichron_${name}`, help, labelNames: [...labelNames] })
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ ...on, name: `lexichron_${name}_total`, help, labelNames: [...labelNames] })
  const histogram = (name: string, help: string, buckets: readonly number[], labelNames: readonly string[] = []) =>
    new Histogram({ ...on, name: `lexichron_${name}`, help, buckets: [...buckets], labelNames: [...labelNames] })
  return {
    requests: histogram(
      'http_request_duration_seconds',
      'Time from the first byte of a request to the end of its answer, or to the beginning of one that is a stream',
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      ['method', 'route', 'status'],
    ),
    appends: histogram(
      'append_duration_seconds',
      'Time until an append was durable, or refused',
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      ['outcome'],
    ),
    batches: histogram(
      'append_batch_appends',
      'Appends that one transaction committed',
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    ),
    cut: counter('queries_cut_short', 'Pages that ended since they had examined as many keys as they may'),
    refused: counter('refused', 'Refused since one address had too much of it already', ['what']),
    waiting: gauge('append_queue', 'Appends that are not answered yet; at 4096 commands are refused as busy'),
    events: counter('append_events', 'Events written by this process'),
    conflicts: counter('append_conflicts', 'Appends at a revision that was no longer the last'),
    repeats: counter('append_repeats', 'Appends that were there already'),
    failures: counter('append_failures', 'Appends that failed or whose outcome is unknown'),
    restarts: counter('append_writer_restarts', 'How often the thread that writes the log was started again'),
    position: gauge('log_position', 'Position of the last event'),
    lag: gauge('consumer_lag', 'Positions behind the head of the log', ['kind', 'name']),
    state: gauge('consumer_state', '1 for the state it is in', ['kind', 'name', 'state']),
    parked: gauge('consumer_parked', 'Documents or keys that wait for projections retry', ['kind', 'name']),
    rate: gauge('projection_events_per_second', 'Events folded a second, lately', ['name']),
    progress: gauge('projection_progress', 'How far the generation that is built is, 0 to 1', ['name']),
    connections: gauge('live_connections', 'Sockets and event streams of the live feed'),
    nodes: gauge('nodes', 'Nodes that can be seen, this one with them'),
    allConnections: gauge('all_live_connections', 'Sockets and event streams of all nodes that can be seen'),
    allListeners: gauge('all_live_listeners', 'Accounts and addresses that they belong to, by node'),
    messages: counter('live_messages', 'Frames sent to live clients'),
    drops: counter('live_drops', 'Live clients closed since they read too slowly'),
    replays: gauge('live_replays_waiting', 'Live subscriptions that are being read up from the log'),
    replayed: counter('live_replay_events', 'Events read from the log for them, each once however many it was sent to'),
    behind: gauge('live_behind_seconds', 'For how long events have waited that the live feed has not read'),
    snapshots: counter('snapshots', 'Stored snapshots of long streams that were looked for or kept', ['result']),
    memory: gauge('memory_bytes', 'What caches and buffers hold, about', ['part']),
    memoryLimit: gauge('memory_limit_bytes', 'What they may hold', ['part']),
    memoryFull: counter('memory_full', 'Values forgotten, or listeners cut, for room', ['part']),
    known: gauge('known', 'Accounts, live sessions and people that are kept in memory whole', ['kind']),
    knownBytes: gauge('known_bytes', 'What these take, about; not of the parts that can be forgotten'),
    cache: counter('cache_requests', 'Look-ups in the cache', ['result']),
    tokenAge: gauge('token_follower_age_seconds', 'Since this node last heard from the log about tokens'),
    keyAge: gauge('signing_key_age_seconds', 'Age of the key that signs access tokens'),
    keyLife: gauge('signing_key_life_seconds', 'The age at which it is due for rotation'),
    files: gauge('file_bytes', 'Size of the files of the embedded engines and of the logs', ['file']),
    disk: gauge('disk_free_bytes', 'Space left where the log is written'),
    longStreams: gauge('streams_long', 'Streams of more than 1,000 events, counted up to 20'),
    damage: counter(
      'damage',
      'Events and documents met that do not fit their checksum, streams that are not found by their name',
      ['kind'],
    ),
    queue: gauge('jobs', 'Jobs of the queue', ['state']),
    late: gauge('jobs_late_seconds', 'Since the job that waits longest was due'),
    jobs: counter('housekeeping_runs', 'Runs of house-keeping', ['job', 'result']),
    jobDone: gauge('housekeeping_last_done_timestamp_seconds', 'When it was last done', ['job']),
    logDrops: counter('log_lines_dropped', 'Log lines let go since they could not be written', ['destination']),
    logFailures: counter('log_write_failures', 'Writes of log lines that failed', ['destination']),
    health: gauge('health_state', '1 for the state that the part is in', ['part', 'state']),
    ready: gauge('ready', '1 while this node may be sent requests'),
    pool: gauge('engine_connections', 'Connections to an external engine, and requests that wait for one', [
      'port',
      'state',
    ]),
    poolEvents: counter('engine_connection_events', 'Connections opened and closed, and pools emptied after a fault', [
      'port',
      'event',
    ]),
    commands: counter('engine_commands', 'Commands that an external engine answered', ['port', 'command', 'result']),
    commandTime: counter('engine_command_seconds', 'Time they took together', ['port', 'command']),
    utilisation: gauge(
      'event_loop_utilization',
      'Share of the time since the last scrape that the event loop was busy',
    ),
    build: gauge('build_info', 'Always 1', ['version', 'runtime']),
  }
}
type Instruments = ReturnType<typeof openInstruments>

/** Bytes of one of each, as the heap grew with 100,000 of them. */
const KNOWN_BYTES = { accounts: 600, sessions: 700, people: 250 } as const
const bytesOfKnown = ({ accounts, sessions, people }: NonNullable<Snapshot['known']>): number =>
  KNOWN_BYTES.accounts * accounts + KNOWN_BYTES.sessions * sessions + KNOWN_BYTES.people * people

/** A counter that somebody else counts. */
const setTo = (counter: Counter, labels: Readonly<Record<string, string>>, value: number): void => {
  counter.remove(labels)
  counter.inc({ ...labels }, value)
}

const fillConsumers = (to: Instruments, consumers: NonNullable<Snapshot['consumers']>): void => {
  for (const each of [to.lag, to.state, to.parked, to.rate, to.progress]) each.reset()
  for (const { kind, name, state, lag, parked, rate, progress } of consumers) {
    to.lag.set({ kind, name }, lag)
    to.parked.set({ kind, name }, parked)
    for (const one of consumerStates) to.state.set({ kind, name, state: one }, one === state ? 1 : 0)
    if (rate !== undefined) to.rate.set({ name }, rate)
    if (progress !== undefined) to.progress.set({ name }, progress)
  }
}

const fillOperation = (to: Instruments, { jobs, logs, health, fileBytes, ...at }: Snapshot): void => {
  for (const { name, done, failed, lastDone } of jobs ?? []) {
    setTo(to.jobs, { job: name, result: 'done' }, done)
    setTo(to.jobs, { job: name, result: 'failed' }, failed)
    to.jobDone.set({ job: name }, lastDone)
  }
  for (const [destination, { dropped, failures }] of Object.entries(logs ?? {})) {
    setTo(to.logDrops, { destination }, dropped)
    setTo(to.logFailures, { destination }, failures)
  }
  to.health.reset()
  for (const [part, state] of Object.entries(health ?? {}))
    for (const one of healthStates) to.health.set({ part, state: one }, one === state ? 1 : 0)
  for (const [file, bytes] of Object.entries(fileBytes ?? {})) to.files.set({ file }, bytes)
  if (at.diskFreeBytes !== undefined) to.disk.set(at.diskFreeBytes)
  if (at.longStreams !== undefined) to.longStreams.set(at.longStreams)
  if (at.damage) {
    setTo(to.damage, { kind: 'event' }, at.damage.events)
    setTo(to.damage, { kind: 'stream' }, at.damage.streams)
    setTo(to.damage, { kind: 'document' }, at.damage.documents)
  }
  if (at.ready !== undefined) to.ready.set(at.ready ? 1 : 0)
}

const fillQueue = (to: Instruments, { queue }: Snapshot): void => {
  if (!queue) return
  const { waiting, running, parked, oldest } = queue
  for (const [state, value] of Object.entries({ waiting, running, parked })) to.queue.set({ state }, value)
  to.late.set(oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1000))
}

const fillEngines = (to: Instruments, { pools, commands }: Snapshot): void => {
  for (const [port, { inUse, waiting, opened, closed, cleared }] of Object.entries(pools ?? {})) {
    to.pool.set({ port, state: 'in-use' }, inUse)
    to.pool.set({ port, state: 'waiting' }, waiting)
    to.pool.set({ port, state: 'open' }, opened - closed)
    for (const [event, value] of Object.entries({ opened, closed, cleared }))
      setTo(to.poolEvents, { port, event }, value)
  }
  for (const [port, all] of Object.entries(commands ?? {}))
    for (const [command, { done, failed, seconds }] of Object.entries(all)) {
      setTo(to.commands, { port, command, result: 'done' }, done)
      setTo(to.commands, { port, command, result: 'failed' }, failed)
      setTo(to.commandTime, { port, command }, seconds)
    }
}

const fill = (to: Instruments, at: Snapshot): void => {
  // What could not be read now is absent, rather than 0 or what it was.
  for (const each of [to.waiting, to.position, to.connections, to.tokenAge, to.keyAge, to.behind]) each.remove()
  for (const each of [to.disk, to.longStreams, to.ready, to.late]) each.remove()
  for (const each of [to.jobDone, to.files, to.queue, to.pool]) each.reset()
  if (at.append) {
    to.waiting.set(at.append.waiting)
    setTo(to.events, {}, at.append.events)
    setTo(to.conflicts, {}, at.append.conflicts)
    setTo(to.repeats, {}, at.append.repeated)
    setTo(to.failures, {}, at.append.failed)
    setTo(to.restarts, {}, at.append.restarts)
  }
  if (at.position !== undefined) to.position.set(at.position)
  if (at.consumers) fillConsumers(to, at.consumers)
  if (at.live) {
    to.connections.set(at.live.connections)
    setTo(to.messages, {}, at.live.messages)
    setTo(to.drops, {}, at.live.drops)
    to.replays.set(at.live.replays)
    setTo(to.replayed, {}, at.live.replayed)
  }
  for (const { part, bytes, limit, full } of at.memory ?? []) {
    to.memory.set({ part }, bytes)
    to.memoryLimit.set({ part }, limit)
    setTo(to.memoryFull, { part }, full)
  }
  if (at.known) {
    for (const [kind, count] of Object.entries(at.known)) to.known.set({ kind }, count)
    to.knownBytes.set(bytesOfKnown(at.known))
  }
  if (at.nodes) {
    to.nodes.set(at.nodes.nodes)
    to.allConnections.set(at.nodes.connections)
    to.allListeners.set(at.nodes.listeners)
  }
  if (at.liveBehindSeconds !== undefined) to.behind.set(at.liveBehindSeconds)
  if (at.signingKeyLifeSeconds !== undefined) to.keyLife.set(at.signingKeyLifeSeconds)
  if (at.tokenAgeSeconds !== undefined) to.tokenAge.set(at.tokenAgeSeconds)
  if (at.signingKeyAgeSeconds !== undefined) to.keyAge.set(at.signingKeyAgeSeconds)
  fillOperation(to, at)
  fillEngines(to, at)
  fillQueue(to, at)
}

/** Opens the metrics of this process. `snapshot` is asked once a scrape. */
export const openMetrics = (options: {
  readonly version: string
  readonly runtime: string
  readonly snapshot: () => Promise<Snapshot>
}): Metrics => {
  const registry = new Registry()
  try {
    collectDefaultMetrics({ register: registry })
  } catch {
    // A runtime without one of Node's figures serves the others.
  }
  const to = openInstruments(registry)
  to.build.set({ version: options.version, runtime: options.runtime }, 1)
  let busy = performance.eventLoopUtilization()
  let rendering: Promise<{ readonly type: string; readonly body: string }> | undefined

  const render = async () => {
    fill(to, await options.snapshot())
    to.utilisation.set(performance.eventLoopUtilization(busy).utilization)
    busy = performance.eventLoopUtilization()
    return { type: registry.contentType, body: await registry.metrics() }
  }
  return {
    request: (method, route, status, ms) =>
      to.requests.observe(
        {
          method: methods.has(method) ? method : 'other',
          route: route ?? 'unmatched',
          status: `${Math.floor(status / 100)}xx`,
        },
        ms / 1000,
      ),
    append: (outcome, ms) => to.appends.observe({ outcome }, ms / 1000),
    batch: appends => to.batches.observe(appends),
    cache: result => to.cache.inc({ result }),
    cut: () => to.cut.inc(),
    refused: what => to.refused.inc({ what }),
    snapshot: result => to.snapshots.inc({ result }),
    render: () => {
      rendering ??= render().finally(() => {
        rendering = undefined
      })
      return rendering
    },
  }
}
