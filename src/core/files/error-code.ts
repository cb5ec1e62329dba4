/** What went wrong, by the code that the system or a library gives it (`ENOENT`): its words are for people, and change. */

/** Undefined of what is no error, or has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
