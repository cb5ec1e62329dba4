import { defined } from '../../domain/defined.ts'
import { framesOf, kindOf, OwnError } from '../../domain/own-error.ts'

/**
 * The last net under the log: lines are made of named members and never of a request's headers, query or body, so nothing
 * here should ever be caught. What is caught all the same is a mistake of ours, and stays out of the log.
 */

export const REDACTED = '[redacted]'

/** Names of members whose values are never written, whatever they hold. */
const secretMember =
  /^(?:authorization|cookie|set-?cookie|x-csrf-token|idempotency-?key|headers|body|query|querystring|payload)$|password|passwd|secret|(?:access|refresh|id|session|csrf|bearer|sync)_?-?token|^token$|^ticket$|private_?key|master_?key|api_?key|^e?-?mail$|email_?address|^phone|^ip$|remote_?address/i

/** Names of members are words of ours, and few; what else comes is looked at each time. */
const MOST_NAMES = 1_000
const names = new Map<string, boolean>()
const isSecret = (member: string): boolean => {
  const known = names.get(member)
  if (known !== undefined) return known
  const secret = secretMember.test(member)
  if (names.size < MOST_NAMES && member.length < 64) names.set(member, secret)
  return secret
}

type Plain = { readonly [member: string]: unknown }
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Error)

const DEPTH = 5

/** It, or a copy without the values of members that are secret or personal by their names; deeper than five levels nothing is written. */
export const withoutSecrets = (value: Plain, depth = DEPTH): Plain => (isBare(value) ? value : cleaned(value, depth))

/** Nothing in it is secret by its name or holds anything else: so nearly every line, of which no copy is made. */
const isBare = (value: Plain): boolean => {
  for (const member of Object.keys(value)) if (typeof value[member] === 'object' || isSecret(member)) return false
  return true
}

const cleaned = (value: Plain, depth: number): Plain => {
  const shown = (member: string, held: unknown): unknown => {
    if (isSecret(member)) return REDACTED
    if (Array.isArray(held))
      return depth === 0 ? REDACTED : held.map(each => (isPlain(each) ? withoutSecrets(each, depth - 1) : each))
    if (!isPlain(held)) return held
    return depth === 0 ? REDACTED : withoutSecrets(held, depth - 1)
  }
  return Object.fromEntries(Object.entries(value).map(([member, held]) => [member, shown(member, held)]))
}

/**
 * Texts that are secret or personal by their form: JSON Web Tokens, credentials behind their scheme, private keys in PEM,
 * `name=value` of secrets, logins in URLs, cookies with a `__Host-` name, addresses of mail.
 */
const forms: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic|Digest)(?: |%20)+[A-Za-z0-9._~+/=:-]{6,}/gi, `$1 ${REDACTED}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g, REDACTED],
  // The sign comes first, and the name is looked for behind it: there are fewer signs than letters that a name may begin with.
  [
    /(=|%3D)(?<=(?<![a-z0-9])(?:password|passwd|secret|token|ticket|api[-_]?key|code|cookie|session)(?:=|%3D))[^\s&;"',)\\]+/gi,
    `$1${REDACTED}`,
  ],
  [/(__(?:Host|Secure)-(?:_?[A-Za-z0-9-])+=)[^\s;"'\\]+/g, `$1${REDACTED}`],
  [/(?<=[a-z0-9+.-]):\/\/[^\s/@"'\\]+@/gi, `://${REDACTED}@`],
  [/[\p{L}\p{N}._%+-]{1,64}(?:@|%40)[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu, REDACTED],
]
/** A JSON Web Token begins with `{"` in base64 and has three parts. Each run of what tokens are made of is looked at once. */
const withoutTokens = (run: string): string => {
  const parts = run.split('.')
  const at = parts.findIndex((part, n) => {
    const begin = part.indexOf('eyJ')
    return begin >= 0 && part.length - begin >= 7 && (parts[n + 1] ?? '').length >= 2 && n + 2 < parts.length
  })
  if (at < 0) return run
  const head = parts[at] ?? ''
  const hidden = `${head.slice(0, head.indexOf('eyJ'))}${REDACTED}`
  return [...parts.slice(0, at), hidden, ...parts.slice(at + 3)].join('.')
}

/** None of the forms can stand in a text in which this finds nothing: most lines need one look only. */
const suspicious = /eyJ|earer|asic|igest|BEGIN|@|%40|=|%3D|:\/\//i

/** The text without what is secret or personal by its form. */
export const withoutSecretForms = (text: string): string => {
  if (!suspicious.test(text)) return text
  const bare = text.replace(/[A-Za-z0-9_.-]+/g, withoutTokens)
  return forms.reduce((left, [form, instead]) => left.replace(form, instead), bare)
}

const TEXT = 4_000
const cut = (text: string): string => (text.length > TEXT ? `${text.slice(0, TEXT)}...` : text)

const CAUSES = 3

/**
 * An error as it is logged: its kind, where it was thrown and what it was made of, and none of the members that others hung on it. Words have
 * those alone that are declared here: any other's may be what a server or a parser was told, which they repeat (decision 69).
 */
export const errorLine = (error: unknown, depth = CAUSES): unknown => {
  if (!(error instanceof Error)) return typeof error
  const frames = framesOf(error)
  return {
    ...kindOf(error),
    ...defined({
      message: error instanceof OwnError ? cut(error.message) : undefined,
      stack: frames === '' ? undefined : cut(frames),
      cause: error.cause === undefined || depth === 0 ? undefined : errorLine(error.cause, depth - 1),
    }),
  }
}
