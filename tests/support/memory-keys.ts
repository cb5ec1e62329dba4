/** Keys in memory: what the codec and the write side need in a test, without files. Signing keys are left to the files. */
import { randomBytes } from 'node:crypto'
import { type Keys, KeysError, type SealingKey } from '../../src/ports/keys.ts'

export type MemoryKeys = Omit<Keys, 'signing' | 'rotate'> & {
  /** Names asked for by `find`, one set a call. */
  readonly asked: readonly ReadonlySet<string>[]
}

export const openMemoryKeys = (): MemoryKeys => {
  const keys = new Map<string, SealingKey | 'destroyed'>()
  const secrets = new Map<string, Uint8Array>()
  const asked: ReadonlySet<string>[] = []
  let taken = 0
  const make = (name: string): SealingKey => {
    const key = { name, secret: randomBytes(32) }
    keys.set(name, key)
    return key
  }
  return {
    asked,
    take: async () => {
      taken += 1
      return make(`document:00000000000000aa.${taken}`)
    },
    subject: async name => keys.get(name) ?? make(name),
    find: async names => {
      asked.push(names)
      const found = [...names].map(name => {
        const key = keys.get(name)
        if (key === undefined) throw new KeysError('corrupt', `The key ${name} is missing.`)
        return key
      })
      return new Map(found.flatMap(key => (key && key !== 'destroyed' ? [[key.name, key]] : [])))
    },
    destroy: async name => {
      keys.set(name, 'destroyed')
    },
    secret: async purpose => {
      const known = secrets.get(purpose) ?? randomBytes(32)
      secrets.set(purpose, known)
      return known
    },
    hasAny: async kind =>
      kind === 'secret' ? secrets.size > 0 : [...keys.keys()].some(name => name.startsWith(`${kind}:`)),
    close: async () => undefined,
  }
}
