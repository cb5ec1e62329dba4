/** Validation against the declared schemas: bodies are never coerced, query strings are converted as their schema says. */
import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { type ProblemDetail, ProblemError } from './problems.ts'

const propertiesOf = (schema: TSchema): Readonly<Record<string, unknown>> =>
  'properties' in schema && typeof schema.properties === 'object' && schema.properties !== null
    ? { ...schema.properties }
    : {}

const typeOf = (schema: unknown): unknown =>
  typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : undefined

const isEmpty = (value: unknown): boolean => Object.keys(Object(value)).length === 0

/** Path parameters are texts and stay so: no conversion, which costs more than the check. */
const paramsValidator = (schema: TSchema) => {
  const check = Compile(schema)
  return (value: unknown) => (check.Check(value) ? { value } : { error: check.Errors(value) })
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
])

/** One parameter as its schema has it; what does not convert stays a string, and the check refuses it. */
const convert = (type: unknown, value: string): unknown => {
  if (type === 'integer') return /^-?(0|[1-9][0-9]{0,14})$/.test(value) ? Number(value) : value
  if (type === 'boolean') return truths.get(value) ?? value
  return type === 'array' ? value.split(',') : value
}

/**
 * Query strings, stricter than TypeBox's own conversion, which takes `5.7` and `true` for integers. Lists are separated by
 * commas; a parameter that comes twice is an array here and refused.
 */
const queryValidator = (schema: TSchema) => {
  const check = Compile(schema)
  const types = new Map(Object.entries(propertiesOf(schema)).map(([name, inner]) => [name, typeOf(inner)]))
  const empty = check.Check({}) ? { value: Object.freeze({}) } : undefined
  return (value: unknown) => {
    if (empty && isEmpty(value)) return empty
    const given = Object.fromEntries(
      Object.entries(Object(value)).map(([name, text]) => [
        name,
        typeof text === 'string' ? convert(types.get(name), text) : { repeated: text },
      ]),
    )
    return check.Check(given) ? { value: given } : { error: check.Errors(given) }
  }
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
    if (typeof value !== 'object' || value === null) return value
    // A list that is too long is so still when it is cut.
    const kept = Array.isArray(value) ? value.slice(0, Math.min(maxItems, Math.max(0, left)) + 1) : undefined
    if (kept) {
      left -= kept.length
      return kept.map(cut)
    }
    let unknown = 0
    const members: [string, unknown][] = []
    for (const [name, inner] of Object.entries(value)) {
      if (!names.has(name)) unknown += 1
      if (!names.has(name) && unknown > MAX_UNKNOWN) continue
      left -= 1
      members.push([name, cut(inner)])
    }
    return Object.fromEntries(members)
  }
  return cut(body)
}

const TOO_LARGE_TO_SAY = {
  ...{ keyword: 'type', schemaPath: '#', instancePath: '', params: {} },
  message: `is wrong beyond its first ${MAX_EXAMINED} members and items`,
}

/** Bodies are checked as they are: nothing is converted, removed or filled in. */
const bodyValidator = (schema: TSchema) => {
  const check = Compile(schema)
  const extent = extentOf(schema)
  return (value: unknown) => {
    if (check.Check(value)) return { value }
    const found = check.Errors(excerpt(extent, value))
    return { error: found.length > 0 ? found : [TOO_LARGE_TO_SAY] }
  }
}

export const validatorCompiler: FastifySchemaCompiler<TSchema> = route =>
  route.httpPart === 'querystring'
    ? queryValidator(route.schema)
    : route.httpPart === 'params'
      ? paramsValidator(route.schema)
      : bodyValidator(route.schema)

const escapeMember = (member: string): string => member.replaceAll('~', '~0').replaceAll('/', '~1')

const members = (params: Readonly<Record<string, unknown>>, name: string): readonly string[] => {
  const value = params[name]
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

const details = (error: FastifySchemaValidationError): readonly ProblemDetail[] => {
  const at = error.instancePath
  const unknown = (pointer: string) => ({ pointer, code: 'unknown', detail: 'There is no such member or parameter.' })
  // Of many faults TypeBox tells eight: an unknown member comes as one that may not be, and again in the list of them all.
  if (error.keyword === 'boolean') return [unknown(at)]
  if (error.keyword === 'additionalProperties')
    return members(error.params, 'additionalProperties').map(member => unknown(`${at}/${escapeMember(member)}`))
  if (error.keyword === 'required')
    return members(error.params, 'requiredProperties').map(member => ({
      pointer: `${at}/${escapeMember(member)}`,
      code: 'required',
      detail: 'This is missing.',
    }))
  // A union's fault is told by its branches.
  if (error.keyword === 'anyOf') return []
  return [{ pointer: at, code: error.keyword, detail: `This ${error.message ?? 'is wrong'}.` }]
}

const isSame = (one: ProblemDetail) => (other: ProblemDetail) =>
  other.pointer === one.pointer && other.code === one.code

const MAX_DETAILS = 20
/** A text or list of the right type but the wrong size: semantics (422), not shape (400). */
const sizes: ReadonlySet<string> = new Set(['minLength', 'maxLength', 'minItems', 'maxItems'])

export const schemaErrorFormatter = (errors: FastifySchemaValidationError[], part: string): ProblemError => {
  // An id that cannot be one is an address where nothing is.
  if (part === 'params') return new ProblemError('not-found', 'There is nothing at this address.')
  const told = errors.flatMap(details)
  const found = told.filter((each, i) => told.findIndex(isSame(each)) === i).slice(0, MAX_DETAILS)
  const first = found[0]
  const where = first ? ` ${first.pointer || 'The whole'}: ${first.detail}` : ''
  if (part === 'body' && errors.every(error => sizes.has(error.keyword)))
    return new ProblemError('text-invalid', `Something is too short or too long.${where}`, { errors: found })
  const what = part === 'body' ? 'The body is not what this route takes.' : 'The query is not what this route takes.'
  return new ProblemError('validation', what + where, { errors: found })
}
