/** Optional members: one that is undefined is not written, since JSON, stored documents and exact types tell them apart. */

type Optional<T> = { [Name in keyof T]: undefined extends T[Name] ? Name : never }[keyof T]

/** The members that may be undefined become optional; the others stay. */
export type Defined<T> = { [Name in Exclude<keyof T, Optional<T>>]: T[Name] } & {
  [Name in Optional<T>]?: Exclude<T[Name], undefined>
}

const without = (members: Readonly<Record<string, unknown>>, names: readonly string[]): object => {
  const kept: Record<string, unknown> = {}
  for (const name of names) {
    const value = members[name]
    if (value === undefined) continue
    if (name === '__proto__')
      Object.defineProperty(kept, name, { value, enumerable: true, writable: true, configurable: true })
    else kept[name] = value
  }
  return kept
}

/**
 * The object without the members that are undefined, in its order: `{ id, ...defined({ reason, replacedBy }) }`. What it
 * inherits is not looked at, and `__proto__` is a name like any other. An object that lacks nothing is returned itself: it
 * is a literal made for this call, and a copy would double the cost.
 */
export function defined<T extends object>(members: T): Defined<T>
export function defined(members: Readonly<Record<string, unknown>>): object {
  const names = Object.keys(members)
  for (const name of names) if (members[name] === undefined) return without(members, names)
  return members
}
