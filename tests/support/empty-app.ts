import type { App } from '../../src/adapters/cli/app-port.ts'
import { refuse } from '../../src/domain/refusal.ts'

const block = {
  id: 'block-1',
  kind: 'network' as const,
  target: '203.0.113.0/24',
  reason: 'Floods.',
  by: 'operator',
  at: '2026-01-01T00:00:00.000Z',
  removed: false,
  added: 1,
}

/** An app that has nothing and remembers what it was asked. */
export const emptyApp = (calls: unknown[][]): App => ({
  projectionNames: ['entries', 'search'],
  subscriberNames: ['redaction'],
  listen: async () => 'http://127.0.0.1:4711',
  fillSample: async () => undefined,
  import: async (format, path, options) => {
    calls.push(['import', format, path, options.strict, options.source, options.language, options.licence])
    options.onProgress({ step: 'import', done: 10, total: 100, unit: 'entries' })
    options.onFault({ file: 'data.noun', line: 7, reason: 'There is no gloss.' })
    options.onFault({ line: 8, reason: 'Broken.' })
    options.onProgress({ step: 'import', done: 100, total: 100, unit: 'entries' })
    const reasons = [{ kind: 'fault' as const, reason: 'Broken.', count: 2 }]
    return { source: 'x', complete: true, written: 98, unchanged: 0, kept: 0, faults: 2, left: 0, reasons }
  },
  importStories: async (path, options) => {
    calls.push(['import stories', path, options.author, options.language, options.visibility, options.isPublished])
    options.onFault({ line: 2, reason: 'Broken.' })
    options.onKept({ line: 3, reason: 'Edited.' })
    const reasons = [{ kind: 'fault' as const, reason: 'Broken.', count: 1 }]
    return { source: 'x.ndjson', complete: true, written: 1, unchanged: 0, kept: 1, faults: 1, reasons }
  },
  accounts: { create: async () => ({ accountId: 'account-1', password: 'once' }) },
  blocks: {
    add: async ({ target, reason, lifeMs }) => {
      calls.push(['blocks add', target, reason, lifeMs])
      return target === 'x' ? refuse('block-target-invalid', 'This is no address.') : { ...block, target, reason }
    },
    list: async () => [block],
    remove: async named => ({ ...block, target: named, removed: true }),
  },
  jobs: {
    list: async options => {
      calls.push(['jobs list', options.state])
      return [{ kind: 'mail', key: 'e:t:m', state: 'parked', failures: 8, reason: 'nothing listens there' }]
    },
    show: async key =>
      key === 'nobody'
        ? []
        : [
            {
              kind: 'mail',
              key,
              state: 'parked',
              failures: 8,
              reason: 'nothing listens there',
              priority: 5,
              finishedAt: new Date(0),
              data: { eventId: 'e', recipient: 'account:1', list: [1] },
              node: 'n',
            },
          ],
    retry: async key => {
      calls.push(['jobs retry', key])
      return key === 'nobody' ? 0 : 1
    },
    drop: async key => key !== 'nobody',
  },
  catchUp: async () => undefined,
  exportEntries: async function* () {
    yield '{"id":"1"}'
    yield '{"id":"2"}'
  },
  rebuild: async (name, { onProgress }) => {
    calls.push(['rebuild', name])
    onProgress({ step: name, done: 1, total: 1, unit: 'events' })
    return { name, position: '1200' }
  },
  projections: async () => [
    {
      kind: 'projection',
      name: 'entries',
      version: 1,
      state: 'stopped',
      position: '12',
      lag: '3',
      reason: 'A newer event.',
      parked: [{ id: 'doc', reason: 'It threw.', since: '2026-01-01T00:00:00.000Z' }],
    },
  ],
  retry: async name => {
    calls.push(['retry', name])
    return 4
  },
  verify: async () => ({
    events: 9,
    faults: [],
    damaged: [],
    projections: [{ name: 'entries', documents: 2, different: 0, differences: [] }],
  }),
  repair: async () => ({
    events: 9,
    faults: [],
    damaged: [],
    projections: [{ name: 'entries', documents: 2, different: 1, rebuilt: true }],
  }),
  tokens: {
    create: async request => {
      calls.push(['token', request])
      const { role, for: name } = request
      return { id: 'T1', role, for: name, expiresAt: '2026-01-01T01:00:00.000Z', token: 'ey.signed' }
    },
    list: async () => [
      { id: 'T1', role: 'editor', for: 'Ada', issuedAt: 'then', expiresAt: 'later', state: 'valid' },
      { id: 'T2', role: 'admin', issuedAt: 'then', expiresAt: 'later', state: 'revoked' },
    ],
    revoke: async id =>
      id === 'T1'
        ? { id, role: 'editor', issuedAt: 'then', expiresAt: 'later', state: 'revoked' }
        : refuse('token-not-found', 'There is no such token.'),
  },
  keys: {
    rotate: async () => ({ kid: 'k2', activeFrom: 'soon' }),
    rotateAddresses: async () => ({ version: 2, moved: 7, later: 1, taken: [], retireFrom: 'some day' }),
  },
  close: async () => {
    calls.push(['close'])
  },
})
