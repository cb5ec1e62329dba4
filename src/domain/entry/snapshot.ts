/**
 * The state of an entry as its stored snapshot has it: the past, which is numbers, ids, times and statuses, and no text. What the
 * entry says is read again from the events that hold it, so that a removal leaves nothing here.
 */
import type { Json, JsonObject } from '../event.ts'
import { firstOf, type Growing, growing } from '../growing.ts'
import { isJsonObject, sameJson } from '../json.ts'
import { emptyContent, partsOfSpeech, statuses } from './content.ts'
import type { Entry } from './entry.ts'
import { type ContentMember, contentMembers, type EntryPast, type Since } from './past.ts'

/** Numbers that ascend, each as what it is more than the one before. */
const stepsOf = (numbers: readonly number[]): readonly number[] =>
  numbers.map((each, at) => each - (numbers[at - 1] ?? 0))

const allOf = <T>(list: Growing<T>): readonly T[] => firstOf(list, list.length)

const sinceJson = <T extends Json>(list: Growing<Since<T>>): Json =>
  allOf(list).map(({ revision, value }) => [revision, value])

export const pastJson = (past: EntryPast): JsonObject => {
  const moments = allOf(past.moments)
  return {
    revisions: stepsOf(moments.map(({ revision }) => revision)),
    positions: stepsOf(moments.map(({ position }) => position)),
    times: stepsOf(moments.map(({ at }) => at)),
    origins: stepsOf(allOf(past.origins)),
    setters: contentMembers.map(member => stepsOf(allOf(past.setters[member]))),
    statuses: sinceJson(past.statuses),
    authors: sinceJson(past.authors),
    replacements: sinceJson(past.replacements),
    edited: sinceJson(past.edited),
    contributors: sinceJson(past.contributors),
    holds: sinceJson(past.holds),
  }
}

class Misshapen extends Error {}

const arrayIn = (value: Json | undefined): readonly Json[] => {
  if (!Array.isArray(value)) throw new Misshapen()
  return value
}

const sumsIn = (value: Json | undefined): readonly number[] => {
  let sum = 0
  return arrayIn(value).map(step => {
    if (typeof step !== 'number') throw new Misshapen()
    sum += step
    return sum
  })
}

const sinceIn = <T>(value: Json | undefined, is: (each: Json | undefined) => each is T & Json): Growing<Since<T>> =>
  growing(
    arrayIn(value).map(each => {
      const [revision, of] = arrayIn(each)
      if (typeof revision !== 'number' || !is(of)) throw new Misshapen()
      return { revision, value: of }
    }),
  )

const isText = (value: Json | undefined): value is string => typeof value === 'string'
const isTextOrNull = (value: Json | undefined): value is string | null => value === null || isText(value)
const isBoolean = (value: Json | undefined): value is boolean => typeof value === 'boolean'
const isStatus = (value: Json | undefined): value is (typeof statuses)[number] =>
  statuses.some(status => status === value)

const momentsIn = ({ revisions, positions, times }: JsonObject): EntryPast['moments'] => {
  const [at, position] = [sumsIn(times), sumsIn(positions)]
  return growing(
    sumsIn(revisions).map((revision, n) => {
      const [time, place] = [at[n], position[n]]
      if (time === undefined || place === undefined) throw new Misshapen()
      return { revision, position: place, at: time }
    }),
  )
}

const read = (json: JsonObject): EntryPast => {
  const setters = arrayIn(json['setters'])
  const settersOf = (member: ContentMember): Growing<number> => growing(sumsIn(setters[contentMembers.indexOf(member)]))
  return {
    moments: momentsIn(json),
    origins: growing(sumsIn(json['origins'])),
    setters: {
      variants: settersOf('variants'),
      senses: settersOf('senses'),
      forms: settersOf('forms'),
      pronunciations: settersOf('pronunciations'),
      etymology: settersOf('etymology'),
      categories: settersOf('categories'),
    },
    statuses: sinceIn(json['statuses'], isStatus),
    authors: sinceIn(json['authors'], isTextOrNull),
    replacements: sinceIn(json['replacements'], isTextOrNull),
    edited: sinceIn(json['edited'], isBoolean),
    contributors: sinceIn(json['contributors'], isText),
    holds: sinceIn(json['holds'], isText),
  }
}

/** undefined: it is of no past. */
export const pastIn = (json: Json | undefined): EntryPast | undefined => {
  try {
    return isJsonObject(json) ? read(json) : undefined
  } catch (error) {
    if (error instanceof Misshapen) return undefined
    throw error
  }
}

/** An entry whose text was removed: its lemma is empty, and so is its content. */
export const isRemovedEntry = (value: unknown): value is Entry =>
  isJsonObject(value) &&
  value['removed'] === true &&
  value['lemma'] === '' &&
  sameJson(value['content'], emptyContent) &&
  isStatus(value['status']) &&
  partsOfSpeech.some(part => part === value['partOfSpeech']) &&
  typeof value['homograph'] === 'number' &&
  typeof value['rank'] === 'number' &&
  isBoolean(value['edited']) &&
  ['language', 'licence', 'createdAt', 'updatedAt'].every(member => isText(value[member])) &&
  ['author', 'replacedBy', 'source', 'record'].every(member => value[member] === undefined || isText(value[member])) &&
  Array.isArray(value['contributors']) &&
  value['contributors'].every(isText)
