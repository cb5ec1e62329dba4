/** Times in the file are milliseconds since 1970; the port's are RFC 3339 UTC. */

let lastTime = Number.NaN
let lastText = ''

/** The time as RFC 3339 with milliseconds. The last one is kept: events of one batch share theirs. */
export const timestamp = (time: number): string => {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString()
    lastTime = time
  }
  return lastText
}
