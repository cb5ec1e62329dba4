/**
 * The checksum that stored events and documents carry over all that is stored with them: CRC-32 over their texts, begun from
 * a mixture of their numbers and of how long each text is, so that no text can take from its neighbour. Any change within 32
 * bits in a row is found, and any change of one number; any other one but for 1 in 4,294,967,296. It is no proof against
 * somebody who changes on purpose.
 */
import { crc32 } from 'node:zlib'

/** The mixture with one number more. For the same hash no two numbers below 2^32 give the same, nor two above that differ in the upper part. */
export const mix = (hash: number, value: number): number => {
  const low = Math.imul(hash ^ value, 0x85ebca6b)
  const high = Math.imul(low ^ (low >>> 15) ^ Math.trunc(value / 0x1_0000_0000), 0xc2b2ae35)
  return high ^ (high >>> 13)
}

/**
 * A whole number of 32 bits with its sign, which SQLite keeps in four bytes. `hash` is the mixture of the numbers and of how long
 * each of the texts is that were put together to this one.
 */
export const checksum = (hash: number, texts: string): number => crc32(texts, hash >>> 0) | 0

/** Of a document of the read store; without a body it is removed. */
export const documentChecksum = (id: string, position: bigint, body: string | null): number =>
  checksum(mix(mix(mix(0, Number(position)), id.length), body === null ? -1 : body.length), id + (body ?? ''))
