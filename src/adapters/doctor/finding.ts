/** What a check has found, and what to do about it. */

export type Finding = {
  readonly check: string
  /** `note`: nothing is wrong, and worth knowing. `warning`: it works, and will not for long or not as meant. */
  readonly state: 'ok' | 'note' | 'warning' | 'failed'
  readonly detail: string
  /** What to do: there whenever the state is warning or failed. */
  readonly advice?: string
}

export const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail })
export const note = (check: string, detail: string): Finding => ({ check, state: 'note', detail })
export const warning = (check: string, detail: string, advice: string): Finding => ({
  check,
  state: 'warning',
  detail,
  advice,
})
export const failed = (check: string, detail: string, advice: string): Finding => ({
  check,
  state: 'failed',
  detail,
  advice,
})

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
