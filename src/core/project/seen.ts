/**
 * Which ids may have been met before: a Bloom filter (B. Bloom, "Space/Time Trade-offs in Hash Coding with Allowable
 * Errors", CACM 13, 1970) of fixed size. "No" is certain, so a store need not be asked; "yes" may be wrong.
 */

/** 2 MiB: one wrong "yes" in 400 at a million ids, useless and harmless beyond twenty million. */
const BITS = 2 ** 24
const HASHES = 4

export type Seen = {
  /** May it have been added before? It is from now on. */
  add(id: string): boolean
}

export const openSeen = (): Seen => {
  const words = new Uint32Array(BITS / 32)
  return {
    add: id => {
      // FNV-1a, and a second hash of the same pass to step by (Kirsch and Mitzenmacher, 2006).
      let first = 0x811c9dc5
      let step = 0x9e3779b9
      for (let at = 0; at < id.length; at += 1) {
        const unit = id.charCodeAt(at)
        first = Math.imul(first ^ unit, 0x01000193)
        step = Math.imul(step + unit, 0x85ebca6b) ^ (step >>> 13)
      }
      step |= 1
      let known = true
      for (let n = 0; n < HASHES; n += 1) {
        const bit = (first >>> 0) % BITS
        const mask = 1 << (bit & 31)
        const word = words[bit >>> 5] ?? 0
        if ((word & mask) === 0) {
          known = false
          words[bit >>> 5] = word | mask
        }
        first = (first + step) | 0
      }
      return known
    },
  }
}
