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
const kindOf = (error: Error): string => {
  const name = /^[A-Za-z]\w{0,63}$/.test(error.name) ? error.name : 'Error'
  const isCoded = 'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(error.code)
  return isCoded ? `${name} ${error.code}` : name
}

/** Its kind and where it was thrown. */
const placeOf = (error: Error): string => {
  // The frames alone: before them stand its words once more.
  const words = error.message === '' ? error.name : `${error.name}: ${error.message}`
  const frames = error.stack?.startsWith(words) ? error.stack.slice(words.length) : ''
  const place = placeIn(frames)
  return place === undefined ? kindOf(error) : `${kindOf(error)} at ${place}`
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
