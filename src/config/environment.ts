/** Settings as the environment gives them: their variables, the files that stand for them, and names that are none. */
import { readFileSync } from 'node:fs'
import { nearestOf } from '../domain/distance.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The text of a setting, the variable it came from, and whether that named a file. */
export type Given = { readonly text: string; readonly variable: string; readonly from: 'environment' | 'file' }

const PREFIX = 'LEXICHRON_'

/**
 * What hosts of programs and their libraries set for everybody is read without the prefix as well, where the prefixed name is
 * unset. All other names without it are somebody else's: MAIL is a reader's mailbox (POSIX, 8.3), HOST a shell's.
 */
const plainOf: ReadonlyMap<string, string> = new Map(['PORT', 'NODE_ENV'].map(name => [`${PREFIX}${name}`, name]))

/**
 * What Kubernetes sets for a service that is called lexichron (or lexichron-metrics, ...), in the form of Docker's links:
 * LEXICHRON_PORT is an address there. https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const LINK = /_SERVICE_(?:HOST|PORT)$|_SERVICE_PORT_|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/
const isLink = (name: string, text: string): boolean =>
  LINK.test(name) || (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(text))

/** Nobody's link, and not empty, which counts as unset. */
const textOf = (name: string, environment: Environment): string | undefined => {
  const text = environment[name]
  return text === undefined || text === '' || isLink(name, text) ? undefined : text
}

export const isGiven = (name: string, environment: Environment): boolean =>
  [name, `${name}_FILE`].some(variable => textOf(variable, environment) !== undefined)

/**
 * The text of a setting: its own variable, the content of the file that NAME_FILE names, or one of the two plain variables;
 * undefined when it is unset. What is wrong is added to `faults`.
 */
export const givenFor = (name: string, environment: Environment, faults: string[]): Given | undefined => {
  const text = textOf(name, environment)
  const file = textOf(`${name}_FILE`, environment)
  if (text !== undefined && file !== undefined) {
    faults.push(`${name} and ${name}_FILE are both set: keep one of them.`)
    return undefined
  }
  if (text !== undefined) return { text, variable: name, from: 'environment' }
  if (file === undefined) {
    const variable = plainOf.get(name) ?? name
    const plain = textOf(variable, environment)
    return plain === undefined ? undefined : { text: plain, variable, from: 'environment' }
  }
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (content !== '') return { text: content, variable: name, from: 'file' }
    faults.push(`${name}_FILE names ${file}, which is empty.`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    faults.push(`${name}_FILE names ${file}, which cannot be read (${code}).`)
  }
  return undefined
}

const shown = (name: string): string => (/^\w{1,100}$/.test(name) ? name : JSON.stringify(name.slice(0, 100)))

/** A fault for each variable with our prefix that is no setting: a misspelt one would silently leave a default in force. */
export const unknownSettings = (environment: Environment, settings: readonly string[]): readonly string[] => {
  const known = new Set(settings.flatMap(name => [name, `${name}_FILE`]))
  return Object.keys(environment)
    .filter(name => name.startsWith(PREFIX) && !known.has(name) && textOf(name, environment) !== undefined)
    .map(name => `${shown(name)} is no setting: the nearest one is ${nearestOf(name.toUpperCase(), known)}.`)
}
