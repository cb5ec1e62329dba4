/** An account from its beginning to its end, as events of its stream. */
const DUE = '2026-01-01T00:00:00.000Z'

export const person = {
  accountId: 'a-1',
  claim: 'address-1.x',
  address: 'a@b.example',
  password: 'kept',
  locale: 'en' as const,
}
export const created = { type: 'AccountCreated' as const, data: person }
const content = 'anonymised' as const
export const wished = {
  type: 'ErasureRequested' as const,
  data: { accountId: 'a-1', claim: person.claim, content, linkHash: 'h', due: DUE },
}
export const begun = { type: 'ErasureBegun' as const, data: { accountId: 'a-1' } }
export const erased = { type: 'AccountErased' as const, data: { accountId: 'a-1', content, claims: [] } }
