/** Passwords: hashing that costs an attacker what it costs us, a bounded number at a time. */
import { OwnError } from '../domain/own-error.ts'

/** More wait than can be served soon: nothing was tried. */
export class PasswordsBusyError extends OwnError {
  override readonly name = 'PasswordsBusyError'
  /** Seconds after which there is likely to be room. */
  readonly retryAfter: number
  constructor(retryAfter: number) {
    super('More passwords wait to be checked than can be checked soon.')
    this.retryAfter = retryAfter
  }
}

export type Checked = {
  readonly matches: boolean
  /** It was hashed with less than is asked for today: hash it anew, now that the password is at hand. */
  readonly outdated: boolean
}

export type Passwords = {
  /** What is kept of a password: of no use without this service's key. @throws {PasswordsBusyError} */
  hash(password: string): Promise<string>
  /** `kept` undefined: there is none to compare with, which takes just as long. @throws {PasswordsBusyError} */
  check(password: string, kept: string | undefined): Promise<Checked>
  /** Was what is kept made of a password that is too short where no second factor is asked for? Nobody else can tell. */
  isShort(kept: string): boolean
  /** Is it among those that are tried first? In lower case. */
  isCommon(password: string): boolean
}
