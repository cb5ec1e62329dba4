/** Says what is wrong with the shape of JSON that came from outside: the same words over HTTP and in a file of lines. */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { formOf } from './forms.ts'
import { isComposite, pointerMember } from './json.ts'
import { owned } from './owned.ts'
import type { Fault } from './refusal.ts'

/** A validator's own word about a value; `instancePath` is a JSON pointer (RFC 6901). */
export type ShapeError = {
  readonly keyword: string
  readonly instancePath: string
  readonly schemaPath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
}

type Extent = { readonly names: Set<string>; maxItems: number }

/** The members that a schema names anywhere, and the longest list that it allows. */
const extentOf = (schema: unknown, extent: Extent = { names: new Set(), maxItems: 0 }): Extent => {
  if (typeof schema !== 'object' || schema === null) return extent
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(Object(inner))) extent.names.add(name)
    if (key === 'maxItems') extent.maxItems = Math.max(extent.maxItems, Number(inner))
    extentOf(inner, extent)
  }
  return extent
}

/** Members and items that are looked at to say what is wrong: no entry has as many, and a body of 1 MiB has 350,000. */
const MAX_EXAMINED = 10_000
const MAX_UNKNOWN = 100

/** The part of a wrong body that is told about: saying where it is wrong costs 1.3 us a value, checking it a hundredth. */
const excerpt = ({ names, maxItems }: Extent, body: unknown): unknown => {
  let left = MAX_EXAMINED
  const cut = (value: unknown): unknown => {
    if (!isComposite(value)) return value
    // A list that is too long is so still when it is cut.
    const kept = Array.isArray(value) ? value.slice(0, Math.min(maxItems, Math.max(0, left)) + 1) : undefined
    if (kept) {
      left -= kept.length
      return kept.map(cut)
    }
    const members: [string, unknown][] = []
    const keep = (name: string): void => {
      left -= 1
      members.push([name, cut(owned(value, name))])
    }
    for (const name of names) if (Object.hasOwn(value, name)) keep(name)
    let unknown = 0
    for (const name of Object.keys(value)) {
      if (names.has(name)) continue
      unknown += 1
      if (unknown > MAX_UNKNOWN) break
      keep(name)
    }
    return Object.fromEntries(members)
  }
  return cut(body)
}

const TOO_LARGE_TO_SAY: ShapeError = {
  keyword: 'type',
  schemaPath: '#',
  instancePath: '',
  params: {},
  message: `is wrong beyond its first ${MAX_EXAMINED} members and items`,
}

export type Shape<T> = {
  fits(value: unknown): value is T
  /** What is wrong with a value that does not fit, at a cost that has a bound. */
  errors(value: unknown): readonly ShapeError[]
}

export const openShape = <S extends TSchema>(schema: S): Shape<Static<S>> => {
  const check = Compile(schema)
  const extent = extentOf(schema)
  return {
    fits: (value): value is Static<S> => check.Check(value),
    errors: value => {
      const found: readonly ShapeError[] = check.Errors(excerpt(extent, value)).map(error => ({ ...error }))
      return found.length > 0 ? found : [TOO_LARGE_TO_SAY]
    },
  }
}

const members = (params: Readonly<Record<string, unknown>>, name: string): readonly string[] => {
  const value = params[name]
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

/** More are not read by anybody. */
const MAX_VALUES = 60

const oneOf = (allowed: unknown): string => {
  const values = Array.isArray(allowed)
    ? allowed.map(value => (typeof value === 'string' ? value : JSON.stringify(value)))
    : []
  const more = values.length > MAX_VALUES ? ` and ${values.length - MAX_VALUES} others` : ''
  return `This has to be one of ${values.slice(0, MAX_VALUES).join(', ')}${more}.`
}

const details = (error: ShapeError): readonly Fault[] => {
  const at = error.instancePath
  const unknown = (pointer: string) => ({ pointer, code: 'unknown', detail: 'There is no such member or parameter.' })
  // Of many faults TypeBox tells eight: an unknown member comes as one that may not be, and again in the list of them all.
  if (error.keyword === 'boolean') return [unknown(at)]
  if (error.keyword === 'additionalProperties')
    return members(error.params, 'additionalProperties').map(member => unknown(`${at}/${pointerMember(member)}`))
  if (error.keyword === 'required')
    return members(error.params, 'requiredProperties').map(member => ({
      pointer: `${at}/${pointerMember(member)}`,
      code: 'required',
      detail: 'This is missing.',
    }))
  if (error.keyword === 'enum') return [{ pointer: at, code: 'enum', detail: oneOf(error.params['allowedValues']) }]
  if (error.keyword === 'const')
    return [{ pointer: at, code: 'const', detail: `This has to be ${JSON.stringify(error.params['allowedValue'])}.` }]
  if (error.keyword === 'pattern')
    return [{ pointer: at, code: 'pattern', detail: `This has to be ${formOf(error.params['pattern'])}.` }]
  // A union's fault is told by its branches.
  if (error.keyword === 'anyOf') return []
  return [{ pointer: at, code: error.keyword, detail: `This ${error.message ?? 'is wrong'}.` }]
}

const isSame = (one: Fault) => (other: Fault) => other.pointer === one.pointer && other.code === one.code

/** As many faults as are told at once. */
export const MAX_FAULTS = 20

/** The faults in words, each member's once, 20 at most. */
export const faultsOf = (errors: readonly ShapeError[]): readonly Fault[] => {
  const told = errors.flatMap(details)
  return told.filter((each, i) => told.findIndex(isSame(each)) === i).slice(0, MAX_FAULTS)
}
