/** A look into a plain object by a name that somebody else chose. Tables of our own by such names are `Map`s. */

/** What the object itself holds under the name: never what it inherits (`constructor`, `toString`, `__proto__`). */
export const owned = <T>(object: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined
