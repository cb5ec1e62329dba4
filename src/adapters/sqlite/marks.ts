/** By what our files are told from others, and from those of other builds: one owner for who opens them and for `doctor`. */

/** `applicationId`: four letters in the file's head (PRAGMA application_id). `schema`: of this build (PRAGMA user_version). */
export type FileMark = { readonly applicationId: number; readonly schema: number }

export const fileMarks = {
  /** 'LexE' */
  events: { applicationId: 0x4c657845, schema: 4 },
  /** 'LxRd' */
  reads: { applicationId: 0x4c785264, schema: 2 },
  /** 'LxJb' */
  jobs: { applicationId: 0x4c784a62, schema: 1 },
} as const satisfies Readonly<Record<string, FileMark>>
