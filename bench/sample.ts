/** An event of ordinary size for benchmarks: data and meta together have 560 bytes of canonical JSON. */

/** As an entry's edit has it. */
export const sampleData = JSON.stringify({
  content: {
    senses: [
      { examples: [], gloss: 'good luck in making unexpected and fortunate discoveries, as', id: '4f1c9e0a7b2d' },
      { examples: [{ text: 'a happy serendipity brought them together' }], gloss: 'luck', id: '9a' },
    ],
  },
  note: 'wording',
})

export const sampleMeta = JSON.stringify({
  actor: { id: '018f4d5e-7a6b-7c3d-8e9f-0a1b2c3d4e5f', kind: 'account' },
  at: '2026-11-23T08:00:00.000Z',
  causationId: '2c0f6a52-53a1-5d5e-8f0b-6a4f0a3d9f11',
  commandId: '2c0f6a52-53a1-5d5e-8f0b-6a4f0a3d9f11',
  correlationId: '7d0f6a52-53a1-5d5e-8f0b-6a4f0a3d9f12',
  route: { language: 'en', visibility: 'public' },
  schema: 1,
})
