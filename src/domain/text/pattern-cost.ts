/**
 * Regular expressions whose matching may take more than time in proportion to the text: found in the pattern itself, without
 * a clock. A backtracking matcher is slow where the automaton is ambiguous without bound (A. Weber, H. Seidl, "On the degree of
 * ambiguity of finite automata", 1991): two places p and q of it, and a text that leads from p to p, from p to q and from q to q.
 * It may then be read by p for a while and by q from there on, in as many ways as it is repeated.
 */

/** What one place of a pattern takes, as a set of samples. */
type Place = { readonly takes: ReadonlySet<string> }
/** `free`: nothing is asserted (an end, a border of words, what follows) between the last place and the end. */
type Part = {
  readonly first: readonly Place[]
  readonly last: readonly Place[]
  readonly free: readonly Place[]
  readonly empty: boolean
  readonly freelyEmpty: boolean
}
type Automaton = {
  readonly places: Place[]
  readonly next: Map<Place, Set<Place>>
  /** Steps that the pattern names twice: of a loop in a loop. */
  readonly twice: (readonly [from: Place, to: Place])[]
}

/** What is repeated is written out twice, and what is in it again: an automaton may be larger than its pattern by any measure. */
const MOST_PLACES = 2_000
/** Repeated more often than this is as good as without an end. */
const MANY = 64

const nothing: Part = { first: [], last: [], free: [], empty: true, freelyEmpty: true }
const asserted: Part = { ...nothing, freelyEmpty: false }

/** Characters that patterns tell apart; those of the pattern itself are added. */
const usual = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  ...'\u0085\u00a0é\u0301Жʼ’–中\u2028\ufdfa\ufeff',
  '😀',
]

const token =
  /\\[pP]\{[^{}]*\}|\\u\{[^{}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\k<[^<>]*>|\\[\s\S]|\[(?:\\[\s\S]|[^\\\]])*\]|\(\?(?:<[A-Za-z]\w*>|<?[=!]|:)|\{\d+(?:,\d*)?\}\??|[*+?]\??|[\s\S]/uy

/** One after the other, each from where the one before ended. */
const tokensOf = (source: string): readonly string[] => {
  const found: string[] = []
  token.lastIndex = 0
  for (let next = token.exec(source); next; next = token.exec(source)) found.push(next[0])
  return found
}

type Times = { readonly least: number; readonly most: number }
const timesOf = (quantifier: string): Times | undefined => {
  const [, sign, least = '', comma, most] = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})/.exec(quantifier) ?? []
  if (sign !== undefined) return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Number.POSITIVE_INFINITY }
  if (least === '') return undefined
  return { least: Number(least), most: comma === undefined ? Number(least) : Number(most || Number.POSITIVE_INFINITY) }
}

/** @throws {SyntaxError} on what is no pattern. {RangeError} on what is not looked into: a reference back, a loop in a look behind. */
class Reader {
  readonly automaton: Automaton = { places: [], next: new Map(), twice: [] }
  #at = 0
  readonly #tokens: readonly string[]
  readonly #flags: string
  readonly #samples: readonly string[]
  constructor(source: string, flags: string) {
    this.#tokens = tokensOf(source)
    this.#flags = flags.replace(/[gyd]/g, '')
    const own = [...source].flatMap(char => {
      const code = char.codePointAt(0) ?? 0
      return [code - 1, code, code + 1].filter(each => each >= 0).map(each => String.fromCodePoint(each))
    })
    this.#samples = [...new Set([...usual, ...own])]
  }
  read(): Part {
    const whole = this.#alternatives()
    if (this.#at < this.#tokens.length) throw new SyntaxError(`${this.#tokens[this.#at]} is not understood`)
    return whole
  }
  place(source: string): Place {
    if (this.automaton.places.length >= MOST_PLACES) throw new RangeError('the pattern is too large to be judged')
    const test = new RegExp(`^(?:${source})$`, this.#flags.replace('m', ''))
    const place: Place = { takes: new Set(this.#samples.filter(sample => test.test(sample))) }
    this.automaton.places.push(place)
    this.automaton.next.set(place, new Set())
    return place
  }
  link(from: readonly Place[], to: readonly Place[]): void {
    for (const place of from)
      for (const next of to) {
        const known = this.automaton.next.get(place)
        if (known?.has(next)) this.automaton.twice.push([place, next])
        known?.add(next)
      }
  }
  #alternatives(): Part {
    const branches = [this.#sequence()]
    while (this.#tokens[this.#at] === '|') {
      this.#at += 1
      branches.push(this.#sequence())
    }
    return {
      first: branches.flatMap(each => each.first),
      last: branches.flatMap(each => each.last),
      free: branches.flatMap(each => each.free),
      empty: branches.some(each => each.empty),
      freelyEmpty: branches.some(each => each.freelyEmpty),
    }
  }
  joined(a: Part, b: Part): Part {
    this.link(a.last, b.first)
    return {
      first: a.empty ? [...a.first, ...b.first] : a.first,
      last: b.empty ? [...a.last, ...b.last] : b.last,
      free: b.freelyEmpty ? [...a.free, ...b.free] : b.free,
      empty: a.empty && b.empty,
      freelyEmpty: a.freelyEmpty && b.freelyEmpty,
    }
  }
  #sequence(): Part {
    let whole = nothing
    for (;;) {
      const next = this.#tokens[this.#at]
      if (next === undefined || next === '|' || next === ')') return whole
      const start = this.#at
      const part = this.#atom()
      const end = this.#at
      const times = timesOf(this.#tokens[end] ?? '')
      whole = this.joined(whole, times ? this.#repeated(part, times, () => this.#again(start)) : part)
      if (times) this.#at = end + 1
    }
  }
  #again(start: number): Part {
    this.#at = start
    return this.#atom()
  }
  /** Once or twice what is repeated a few times; what is repeated often is a loop. */
  #repeated(part: Part, { least, most }: Times, again: () => Part): Part {
    const optional = (each: Part): Part => ({ ...each, empty: true, freelyEmpty: true })
    if (most > MANY) {
      this.link(part.last, part.first)
      return least > 0 ? part : optional(part)
    }
    const twice = most < 2 ? part : this.joined(part, least > 1 ? again() : optional(again()))
    return least > 0 ? twice : optional(twice)
  }
  #atom(): Part {
    const source = this.#tokens[this.#at] ?? ''
    this.#at += 1
    if (source.startsWith('(')) return this.#group(source)
    if (source === '^' || source === '$' || source === '\\b' || source === '\\B') return asserted
    if (/^\\(?:[1-9]|k)/.test(source)) throw new RangeError(`${source} refers back`)
    const place = this.place(source)
    return { first: [place], last: [place], free: [place], empty: false, freelyEmpty: false }
  }
  #group(opening: string): Part {
    const before = this.automaton.places.length
    const inner = this.#alternatives()
    if (this.#tokens[this.#at] !== ')') throw new SyntaxError('a group does not end')
    this.#at += 1
    if (!/^\(\?<?[=!]/.test(opening)) return inner
    const places = this.automaton.places.slice(before)
    if (/^\(\?<[=!]/.test(opening)) {
      if (places.some(place => this.automaton.next.get(place)?.has(place)))
        throw new RangeError('a look behind has a loop')
      return asserted
    }
    // What is looked ahead at is read, and leads nowhere.
    return { ...asserted, first: inner.first }
  }
}

const reachable = (from: Place, { next }: Automaton): ReadonlySet<Place> => {
  const found = new Set<Place>()
  for (const open = [from]; open.length > 0; )
    for (const place of next.get(open.pop() ?? from) ?? [])
      if (!found.has(place)) {
        found.add(place)
        open.push(place)
      }
  return found
}

const shared = (a: Place, b: Place, c: Place): string | undefined => {
  for (const char of a.takes) if (b.takes.has(char) && c.takes.has(char)) return char
  return undefined
}

/** The text that leads from p to p, from p to q and from q to q, where there is one. */
const pumpOf = (p: Place, q: Place, { places, next }: Automaton): string | undefined => {
  const number = new Map(places.map((place, at) => [place, at]))
  const key = (...three: readonly Place[]): string => three.map(place => number.get(place)).join(' ')
  const seen = new Set<string>()
  const open: { readonly at: readonly [Place, Place, Place]; readonly text: string }[] = [{ at: [p, p, q], text: '' }]
  const goal = key(p, q, q)
  for (const { at, text } of open)
    for (const a of next.get(at[0]) ?? [])
      for (const b of next.get(at[1]) ?? [])
        for (const c of next.get(at[2]) ?? []) {
          const reached = key(a, b, c)
          const char = seen.has(reached) ? undefined : shared(a, b, c)
          if (char === undefined) continue
          if (reached === goal) return text + char
          seen.add(reached)
          open.push({ at: [a, b, c], text: text + char })
        }
  return undefined
}

/** Does every way into the pattern begin at the start of the text? */
const isAnchored = (source: string, flags: string): boolean =>
  flags.includes('y') ||
  (!flags.includes('m') &&
    /^\^(?:[^|()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*$/.test(
      tokensOf(source)
        .map(part => (part.length > 1 && /^[\\[]/.test(part) ? 'x' : part))
        .join(''),
    ))

/**
 * A text that the pattern may take more than linear time for when it is repeated, or undefined. It errs on the side of
 * finding one: what comes after the repeated text may be sure to fit.
 */
export const slowTextFor = (source: string, flags: string): string | undefined => {
  const reader = new Reader(source, flags)
  const { automaton } = reader
  const whole = reader.read()
  const free = new Set(whole.free)
  if (!isAnchored(source, flags)) {
    // A search begins anew at every character.
    const anywhere = reader.place('[^]')
    reader.link([anywhere], [anywhere, ...whole.first])
  }
  const ways = new Map(automaton.places.map(place => [place, reachable(place, automaton)]))
  for (const [from, to] of automaton.twice) {
    const [char] = to.takes
    if (char !== undefined && ways.get(to)?.has(from)) return char
  }
  const looping = automaton.places.filter(place => ways.get(place)?.has(place))
  for (const p of looping)
    for (const q of looping) {
      // What is found at once is not looked for any further.
      if (p === q || free.has(p) || free.has(q) || !ways.get(p)?.has(q)) continue
      const pump = pumpOf(p, q, automaton)
      if (pump !== undefined) return pump
    }
  return undefined
}
