/** Whose word is believed about where a request comes from: proxies by address or network. */
import { bitsOf, holds, type Network, readAddress, readNetwork } from '../domain/network.ts'

const names: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** An address, a network in CIDR notation, or one of the names loopback, linklocal, uniquelocal. */
export const isProxy = (text: string): boolean => names.has(text) || readNetwork(text) !== undefined

/** An address alone is one machine here, and not the network of a customer, as for blocks. */
const networkOf = (text: string): Network | undefined => {
  if (text.includes('/')) return readNetwork(text)
  const address = readAddress(text)
  return address && { ...address, prefix: bitsOf[address.family] }
}

/** First address, and the first one beyond. */
type Span = readonly [from: bigint, to: bigint]

const spanOf = ({ family, value, prefix }: Network): Span => [value, value + (1n << BigInt(bitsOf[family] - prefix))]

/** How many addresses these hold together, each counted once. */
const sizeOf = (spans: readonly Span[]): bigint => {
  let size = 0n
  let reached = 0n
  for (const [from, to] of spans.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const start = from > reached ? from : reached
    if (to <= start) continue
    size += to - start
    reached = to
  }
  return size
}

/** Where a network of IPv6 is that holds all of IPv4, since a socket for both names its addresses so (RFC 4291, 2.5.5.2). */
const MAPPED = { family: 6 as const, value: 0xffff_0000_0000n }
const ALL_OF_FOUR: Span = [0n, 1n << 32n]
/** 2000::/3, what is given out (RFC 4291, 2.4): all else of IPv6 belongs to nobody, or to one site. */
const GLOBAL: Span = [1n << 125n, 1n << 126n]

const within = ([from, to]: Span, [low, high]: Span): Span => [from > low ? from : low, to < high ? to : high]

/** A sixteenth of IPv4, and a /16 of what is given out of IPv6: more than any provider of proxies has, and far less than everybody. */
const MOST_OF_FOUR = 1n << 28n
const MOST_OF_SIX = 1n << 112n

/**
 * Are these so many that anybody may be among them? Whoever asks would then say themselves where they come from, and no limit
 * and no block would hold them. Halves of everybody are as much as everybody.
 */
export const holdAnybody = (proxies: readonly string[]): boolean => {
  const networks = proxies.flatMap(text => networkOf(text) ?? [])
  const four = networks.flatMap(network =>
    network.family === 4 ? [spanOf(network)] : holds(network, MAPPED) ? [ALL_OF_FOUR] : [],
  )
  const six = networks.flatMap(network => (network.family === 6 ? [within(spanOf(network), GLOBAL)] : []))
  return sizeOf(four) > MOST_OF_FOUR || sizeOf(six) > MOST_OF_SIX
}
