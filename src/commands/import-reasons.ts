/** How many lines were not taken, by why not. */

/** `kind`: a line that was wrong, or an entry that stays as people have made it. */
export type ReasonCount = { readonly kind: 'fault' | 'kept'; readonly reason: string; readonly count: number }

/** More would be no summary: what is left is counted as one. */
const MOST = 20
const OTHERS = 'other reasons'

/** What one line says of itself alone (numbers, what it quotes, positions) makes no other reason. */
const general = (reason: string): string => reason.replace(/"[^"]*"/g, '"…"').replace(/\d+/g, 'N')

export const openReasons = () => {
  const counts = new Map<string, { kind: ReasonCount['kind']; reason: string; count: number }>()
  return {
    add: (kind: ReasonCount['kind'], said: string): void => {
      const reason = general(said)
      const key = `${kind} ${reason}`
      const named = counts.get(key) ?? (counts.size < MOST ? undefined : counts.get(`${kind} ${OTHERS}`))
      if (named) named.count += 1
      else {
        const shown = counts.size < MOST ? reason : OTHERS
        counts.set(`${kind} ${shown}`, { kind, reason: shown, count: 1 })
      }
    },
    /** The most frequent first. */
    all: (): readonly ReasonCount[] => [...counts.values()].toSorted((a, b) => b.count - a.count),
  }
}
