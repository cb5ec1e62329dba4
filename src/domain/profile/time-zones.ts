/** Which time zones there are, by the runtime's IANA tables: for preferences, never for ids. */

/** The name of a time zone in its own spelling, or undefined where IANA has none of this name. Offsets are no zones. */
export const readTimeZone = (given: string): string | undefined => {
  if (!/^[A-Za-z][A-Za-z0-9_+-]{0,31}(\/[A-Za-z0-9_+-]{1,32}){0,2}$/.test(given)) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}
