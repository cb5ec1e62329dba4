/** Faults that a test orders of the double: each is used up by the calls it was ordered for. */

export type Fault =
  /** The connection is cut before the call is looked at. */
  | { readonly kind: 'drop' }
  /** The append is written, then the connection is cut instead of the answer. */
  | { readonly kind: 'lose-answer' }
  /** The call is answered after this many milliseconds. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The append is written, and answered when the test says so. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** The call is never answered: a frozen server. */
  | { readonly kind: 'freeze' }
  | { readonly kind: 'not-leader'; readonly host: string; readonly port: number }
  /** The server takes no more: RESOURCE_EXHAUSTED on the whole call. */
  | { readonly kind: 'overloaded' }
  /** The append timed out inside the server: written or not, it does not say. */
  | { readonly kind: 'timeout'; readonly written: boolean }
  /** Each event of the subscription is sent twice. */
  | { readonly kind: 'duplicates' }
  /** The subscription is ended after so many events: "Consumer too slow". */
  | { readonly kind: 'too-slow'; readonly after: number }
  /** The connection is cut after so many events of a read or subscription. */
  | { readonly kind: 'drop-after'; readonly after: number }

export type Operation = 'append' | 'read' | 'subscribe' | 'features'

export type Faults = {
  /** Orders the fault for the next `times` calls. */
  order(operation: Operation, fault: Fault, times?: number): void
  take(operation: Operation): Fault | undefined
  clear(): void
}

export const openFaults = (): Faults => {
  let ordered: { readonly operation: Operation; readonly fault: Fault; left: number }[] = []
  return {
    order: (operation, fault, times = 1) => {
      ordered.push({ operation, fault, left: times })
    },
    take: operation => {
      const found = ordered.find(each => each.operation === operation && each.left > 0)
      if (!found) return undefined
      found.left -= 1
      return found.fault
    },
    clear: () => {
      ordered = []
    },
  }
}
