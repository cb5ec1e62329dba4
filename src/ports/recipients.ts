/** Who is written to, by an id that says nothing of them: where, in which language, by which clock. Accounts serve it. */

export type Recipient = {
  /** As it is written to. */
  readonly address: string
  /** BCP 47, of what they read. */
  readonly locale: string
  /** An IANA name. */
  readonly timeZone: string
  /** Name of the key that the address is sealed under: when it is destroyed, what was written to them is to go. */
  readonly key?: string
}

export type Recipients = {
  /** Undefined: there is nobody of this id, or nobody any more. */
  find(id: string): Promise<Recipient | undefined>
}
