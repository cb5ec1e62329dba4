/** Validation against the declared schemas: bodies are never coerced, query strings are converted as their schema says. */
import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { faultsOf, openShape } from '../../domain/shape.ts'
import { ProblemError } from './problems.ts'

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

/** What may come several times is a list; anything else that does is refused for what it is. */
const converted = (type: unknown, given: unknown): unknown => {
  if (typeof given === 'string') return convert(type, given)
  const texts = Array.isArray(given) ? given.filter(each => typeof each === 'string') : []
  return type === 'array' && texts.length > 0 ? texts.flatMap(text => text.split(',')) : { repeated: given }
}

/**
 * Query strings, stricter than TypeBox's own conversion, which takes `5.7` and `true` for integers. Lists are separated by
 * commas, or come a parameter an item (`explode` of OpenAPI, either way); any other parameter that comes twice is refused.
 */
const queryValidator = (schema: TSchema) => {
  const check = Compile(schema)
  const types = new Map(Object.entries(propertiesOf(schema)).map(([name, inner]) => [name, typeOf(inner)]))
  const empty = check.Check({}) ? { value: Object.freeze({}) } : undefined
  return (value: unknown) => {
    if (empty && isEmpty(value)) return empty
    const given = Object.fromEntries(
      Object.entries(Object(value)).map(([name, text]) => [name, converted(types.get(name), text)]),
    )
    return check.Check(given) ? { value: given } : { error: check.Errors(given) }
  }
}

/** Bodies are checked as they are: nothing is converted, removed or filled in. */
const bodyValidator = (schema: TSchema) => {
  const shape = openShape(schema)
  return (value: unknown) => (shape.fits(value) ? { value } : { error: [...shape.errors(value)] })
}

export const validatorCompiler: FastifySchemaCompiler<TSchema> = route =>
  route.httpPart === 'querystring'
    ? queryValidator(route.schema)
    : route.httpPart === 'params'
      ? paramsValidator(route.schema)
      : bodyValidator(route.schema)

/** A text or list of the right type but the wrong size: semantics (422), not shape (400). */
const sizes: ReadonlySet<string> = new Set(['minLength', 'maxLength', 'minItems', 'maxItems'])

export const schemaErrorFormatter = (errors: FastifySchemaValidationError[], part: string): ProblemError => {
  // An id that cannot be one is an address where nothing is.
  if (part === 'params') return new ProblemError('not-found', 'There is nothing at this address.')
  const found = faultsOf(errors)
  const first = found[0]
  const where = first ? ` ${first.pointer || 'The whole'}: ${first.detail}` : ''
  if (part === 'body' && errors.every(error => sizes.has(error.keyword)))
    return new ProblemError('text-invalid', `Something is too short or too long.${where}`, { errors: found })
  const what = part === 'body' ? 'The body is not what this route takes.' : 'The query is not what this route takes.'
  return new ProblemError('validation', what + where, { errors: found })
}
