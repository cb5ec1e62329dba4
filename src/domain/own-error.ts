/**
 * Errors whose words may be kept and shown: in health, with what is parked, in the log. An error is of this kind because it says so,
 * where it is declared; of any other, of an engine or a library, nobody knows whether its words quote what it was given, which may be
 * what a person wrote. Of those the kind and the place are told, and nothing else.
 */

/** An error in a sentence of ours, which quotes nothing that people wrote. */
export class OwnError extends Error {}

const FOLDERS = ['src/', 'bin/', 'node_modules/']
/** The first place in the program or one of its libraries, without the folder in which they are. */
const placeIn = (frames: string): string | undefined => {
  for (const frame of frames.split('\n')) {
    const place = frame.split(/[\s()]/).findLast(part => part !== '') ?? ''
    const begins = FOLDERS.map(folder => place.indexOf(folder)).filter(at => at >= 0)
    if (begins.length > 0 && /:\d+$/.test(place)) return place.slice(Math.min(...begins))
  }
  return undefined
}

/** Names and codes are texts like any: what does not look like one of a class, or of a system, is not told. */
export const kindOf = (error: Error): { readonly name: string; readonly code?: string } => {
  const name = /^[A-Za-z]\w{0,63}$/.test(error.name) ? error.name : 'Error'
  const isCoded = 'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(error.code)
  return isCoded ? { name, code: String(error.code) } : { name }
}

/**
 * Where it was thrown, a line for each call. Before them stand its words once more, which may look like such lines; whose words were changed
 * since, of that nobody knows where they end, and nothing is told.
 */
export const framesOf = ({ message, stack = '' }: Error): string => {
  const [first = ''] = stack.split('\n', 1)
  const at = message === '' && first.includes(':') ? -1 : stack.indexOf(message)
  const rest = at < 0 ? '' : stack.slice(at + message.length)
  return rest
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .join('\n')
}

/** Its kind and where it was thrown. */
const placeOf = (error: Error): string => {
  const place = placeIn(framesOf(error))
  const kind = Object.values(kindOf(error)).join(' ')
  return place === undefined ? kind : `${kind} at ${place}`
}

const MOST = 1_000

/** What may be told of it: the sentence of one of ours, of any other its kind and where it was thrown. */
export const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return `a value was thrown that is no error: ${typeof error}`
  return error instanceof OwnError ? error.message.slice(0, MOST) : placeOf(error)
}

/** The same with the kind before the sentence. */
export const describeFailure = (error: unknown): string =>
  error instanceof OwnError ? `${error.name}: ${error.message}`.slice(0, MOST) : wordsOf(error)
