/** What decisions of moderators do to an entry: they hold it back, each once, and each releases what it holds alone. */
import type { Decide } from '../decider.ts'
import { refuse } from '../refusal.ts'
import type { EntryEvent } from './events.ts'
import type { EntryRefusal } from './refusals.ts'
import { type EntryState, existing } from './state.ts'

type EntryDecide = Decide<EntryState, EntryEvent, EntryRefusal>

/** Of what is published: nothing else is shown to everybody. */
export const holdEntry = (decision: string): EntryDecide =>
  existing(({ status, holds = [] }) => {
    if (holds.includes(decision)) return []
    if (status !== 'published' && status !== 'held')
      return refuse('entry-not-published', `Only a published entry is held back; this one is ${status}.`)
    return [{ type: 'EntryHeld', data: { decision, hides: status === 'published' } }]
  })

export const releaseEntry = (decision: string): EntryDecide =>
  existing(({ holds = [] }) =>
    holds.includes(decision) ? [{ type: 'EntryReleased', data: { decision, shows: holds.length === 1 } }] : [],
  )
