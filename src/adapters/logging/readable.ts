/** A line of the log as a person on a terminal wants it: short, and with ids only where something went wrong. */
import { prettyFactory } from 'pino-pretty'

/** What went wrong, with all that is known of it, and in colours. */
const amiss = prettyFactory({
  colorize: true,
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss',
  customPrettifiers: { time: stamp => String(stamp).replaceAll(/[[\]]/g, '') },
})

type Members = Readonly<Record<string, unknown>>

const membersOf = (line: string): Members => {
  const value: unknown = JSON.parse(line)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const two = (n: number): string => String(n).padStart(2, '0')
/** Of the day, in the time zone of the terminal. */
const clockOf = (time: unknown): string => {
  const at = new Date(String(time))
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
}

const ms = (value: unknown): string =>
  typeof value === 'number' ? ` ${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : ''

/** A client's words: a terminal obeys what is not visible. */
const visible = (text: unknown): string => String(text).replace(/[^\x20-\x7e]/g, '?')

/** `12:04:31 GET /v1/search 200 7 ms` */
const requestLine = (members: Members): string => {
  const { time, method, path, status, req } = members
  const failed = typeof status === 'number' && status >= 500
  const cut = members['cut'] === true
  const why = `${cut ? ', cut off' : ''}${failed || cut ? `, request ${visible(req)}` : ''}`
  return `${clockOf(time)} ${visible(method)} ${visible(path)} ${String(status)}${ms(members['ms'])}${why}\n`
}

/** Ids find what belongs together; of what went well nobody looks for it. */
const UNSAID = new Set(['time', 'level', 'msg', 'req', 'trace'])

/** `12:04:31 answers were warmed, part cache, answers 40` */
const usualLine = (members: Members): string => {
  const more = Object.entries(members)
    .filter(([name]) => !UNSAID.has(name))
    .map(([name, value]) => `, ${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const level = members['level'] === 'info' ? '' : `${String(members['level'])}: `
  return `${clockOf(members['time'])} ${level}${visible(`${String(members['msg'])}${more.join('')}`)}\n`
}

const isAmiss = ({ level }: Members): boolean => level === 'warn' || level === 'error' || level === 'fatal'

/** `line` is one JSON object, as the log writes it. */
export const readableLine = (line: string): string => {
  const members = membersOf(line)
  if (members['msg'] === 'request' && members['level'] === 'info') return requestLine(members)
  return isAmiss(members) ? amiss(line) : usualLine(members)
}
