/** Addresses and networks of the Internet, as numbers: IPv4, and IPv6 (RFC 4291) of which mapped addresses are IPv4. */

export type Family = 4 | 6
export type Address = { readonly family: Family; readonly value: bigint }
/** `value` is its first address, `prefix` how many bits all of its addresses share. */
export type Network = Address & { readonly prefix: number }

export const bitsOf: Readonly<Record<Family, number>> = { 4: 32, 6: 128 }

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2): how a socket for both families names an address of IPv4. */
const MAPPED = 0xffffn
const MAPPED_PREFIX = 96

const DOTTED = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/

/** Four numbers without leading zeros, which some programs read as octal. */
const dotted = (text: string): bigint | undefined => {
  const [, ...parts] = DOTTED.exec(text) ?? []
  if (parts.length !== 4 || parts.some(each => Number(each) > 255)) return undefined
  return BigInt(parts.reduce((sum, each) => sum * 256 + Number(each), 0))
}

const groupsOf = (text: string): readonly bigint[] | undefined => {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const four = last.includes('.') ? dotted(last) : undefined
  const groups = last.includes('.') ? parts.slice(0, -1) : parts
  if (last.includes('.') && four === undefined) return undefined
  if (groups.some(each => !/^[0-9a-f]{1,4}$/i.test(each))) return undefined
  const numbers = groups.map(each => BigInt(`0x${each}`))
  return four === undefined ? numbers : [...numbers, four >> 16n, four & 0xffffn]
}

const colons = (text: string): bigint | undefined => {
  const [before = '', after, more] = text.split('::')
  if (more !== undefined) return undefined
  const head = groupsOf(before)
  const tail = after === undefined ? [] : groupsOf(after)
  if (!head || !tail) return undefined
  const zeros = 8 - head.length - tail.length
  // Two colons stand for one group of zeros at least (RFC 5952, 4.2.2, reads more strictly than RFC 4291 writes).
  if (after === undefined ? zeros !== 0 : zeros < 1) return undefined
  const all = [...head, ...Array.from({ length: zeros }, () => 0n), ...tail]
  return all.reduce((sum, each) => (sum << 16n) | each, 0n)
}

/** The address that a text names; undefined for what names none. A zone (RFC 4007, `%eth0`) is not part of it. */
export const readAddress = (text: string): Address | undefined => {
  if (text.length > 64) return undefined
  if (!text.includes(':')) {
    const value = dotted(text)
    return value === undefined ? undefined : { family: 4, value }
  }
  const zone = text.indexOf('%')
  const value = colons(zone < 0 ? text : text.slice(0, zone))
  if (value === undefined) return undefined
  return value >> 32n === MAPPED ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
}

/** What the addresses of a network of `prefix` bits share. */
export const sharedBits = ({ family, value }: Address, prefix: number): bigint =>
  value >> BigInt(bitsOf[family] - prefix)

/** What one customer has (RFC 6177): of IPv6 a /64 at least, so an address alone stands for that; of IPv4 itself. */
const ALONE: Readonly<Record<Family, number>> = { 4: 32, 6: 64 }

/**
 * The network that a text names: an address, or CIDR (RFC 4632), whose bits beyond the prefix are let go. Undefined for what
 * names none, and for a zone, which is a network of one machine.
 */
export const readNetwork = (text: string): Network | undefined => {
  const [name = '', length, more] = text.split('/')
  if (more !== undefined || name.includes('%')) return undefined
  const address = readAddress(name)
  if (!address) return undefined
  const { family } = address
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined
  const mapped = family === 4 && name.includes(':')
  const given = length === undefined ? ALONE[family] : Number(length) - (mapped ? MAPPED_PREFIX : 0)
  // A prefix that goes beyond the mapped addresses is one of IPv6, and holds all of IPv4.
  const prefix = mapped && given < 0 ? 0 : given
  if (prefix > bitsOf[family]) return undefined
  const rest = BigInt(bitsOf[family] - prefix)
  return { family, value: (address.value >> rest) << rest, prefix }
}

const hexGroups = (value: bigint): readonly string[] =>
  Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16))

/** RFC 5952: small letters, no leading zeros, the first of the longest runs of two zero groups or more as `::`. */
const compressed = (groups: readonly string[]): string => {
  let best = { at: 0, length: 1 }
  for (let at = 0; at < groups.length; at += 1) {
    let length = 0
    while (groups[at + length] === '0') length += 1
    if (length > best.length) best = { at, length }
  }
  if (best.length < 2) return groups.join(':')
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`
}

/** The one way to write it, always with its prefix. */
export const networkText = ({ family, value, prefix }: Network): string =>
  family === 4
    ? `${[24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.')}/${prefix}`
    : `${compressed(hexGroups(value))}/${prefix}`

export const holds = (network: Network, address: Address): boolean =>
  network.family === address.family && sharedBits(network, network.prefix) === sharedBits(address, network.prefix)

/** Do the two share an address? Then one holds the other. */
export const overlaps = (a: Network, b: Network): boolean => (a.prefix < b.prefix ? holds(a, b) : holds(b, a))
