/** Addresses of mail: what is taken for one, and the form in which two of them are the same. */
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { caseFold } from '../text/case-fold.ts'

/** RFC 5321, 4.5.3.1: 64 octets before the @, 254 in all. */
const LONGEST = 254
const LONGEST_LOCAL = 64

/**
 * `address` as it is written to: as it was typed in NFC, its domain as the A-label that the key names too, so that no mail goes
 * to another domain than the one that was claimed. `key` under which it is claimed: the same for every spelling of one mailbox.
 */
export type EmailAddress = { readonly address: string; readonly key: string }

const invalid = (detail: string): Refusal<'email-invalid'> =>
  refuse('email-invalid', detail, { errors: [{ pointer: '/email', code: 'format', detail }] })

/** The domain as ASCII (UTS 46, as WHATWG URL has it), or undefined where it is none. */
const asciiDomain = (domain: string): string | undefined => {
  if (!/^[\p{L}\p{N}\p{M}.-]+$/u.test(domain)) return undefined
  const host = URL.parse(`http://${domain}/`)?.hostname
  if (host === undefined || !/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(host))
    return undefined
  return host
}

/**
 * Reads an address: an RFC 5322 dot-atom before the @ (also of the letters of RFC 6531), a domain name after it. Quoted local
 * parts, comments and address literals are refused. NFC and full case folding make two spellings one address. NFKC would too
 * much: what it makes alike may be two mailboxes. Dots and `+tags` are kept, since only some providers drop them.
 */
export const readEmail = (text: string): EmailAddress | Refusal<'email-invalid'> => {
  if (!text.isWellFormed() || text.length > 2 * LONGEST) return invalid('This is too long for an address of mail.')
  const normal = text.trim().normalize('NFC')
  const at = normal.lastIndexOf('@')
  const local = normal.slice(0, Math.max(at, 0))
  const domain = asciiDomain(normal.slice(at + 1))
  if (at < 1 || !/^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+)*$/u.test(local))
    return invalid('An address is of the form name@domain, without quotes and spaces.')
  if (domain === undefined) return invalid('What stands after the @ is no domain name.')
  const address = `${local}@${domain}`
  if (Buffer.byteLength(local) > LONGEST_LOCAL || Buffer.byteLength(address) > LONGEST)
    return invalid(`An address has ${LONGEST_LOCAL} bytes at most before the @ and ${LONGEST} in all.`)
  return { address, key: `${caseFold(local)}@${domain}` }
}

export const isEmail = (value: EmailAddress | Refusal): value is EmailAddress => !isRefusal(value)
