/** What a listener may be shown of an event: by whom it was meant for then, by how its document stands now, and what is left out. */
import type { JsonObject } from '../../domain/event.ts'
import type { Permission } from '../../domain/roles.ts'
import type { Listener, Telling } from './channels.ts'

/** How the documents of a channel are seen. */
export type Sight = {
  /** Sees what is for members. */
  readonly member: Permission
  /** Sees what others have not shown yet. */
  readonly edit: Permission
  /** Sees what is retired, and why. */
  readonly review: Permission
  /** Is told, without its text, of what was removed. */
  readonly draft: Permission
  /** The event type by which it is retired, which all are told of. */
  readonly retiredBy: string
  /** The event type by which its text is removed, which all are told of as it happens. */
  readonly removedBy: string
}

/** Might this listener have seen it then? What was its author's is theirs who is its author still. */
const visibleThen = ({ event, listener, standing }: Telling, { edit, member }: Sight): boolean => {
  const { route } = event.meta
  const { actor, permissions } = listener
  if (route.visibility === 'public' || permissions.has(edit)) return true
  if (actor === undefined) return false
  if (route.visibility === 'members') return permissions.has(member)
  return route.owner === actor.id && (standing(event.stream)?.author ?? actor.id) === actor.id
}

/**
 * May it be shown now? Of what was removed only those who may draft are told afterwards, without its text: to all others there
 * never was such a document. What is retired is for those who review; the others are told that it was retired, and nothing else.
 */
const visibleNow = (
  { event, listener: { permissions }, replayed, standing }: Telling,
  { review, draft, retiredBy, removedBy }: Sight,
): boolean => {
  const now = standing(event.stream)
  if (!now) return true
  if (now.removed) return permissions.has(draft) || (event.type === removedBy && !replayed)
  // Held back, it is for those whom its last route names.
  if (now.visibility === 'owner' && !permissions.has(review)) return false
  return !now.retired || permissions.has(review) || event.type === retiredBy
}

/** Who might see it then and may see it now. */
export const isInSight = (telling: Telling, sight: Sight): boolean =>
  visibleThen(telling, sight) && visibleNow(telling, sight)

/** Listeners of one scope see the same: those with the same permissions, but for what is the listener's own. */
export const scopeIn = ({ actor, permissions }: Listener, { member, edit, review, draft }: Sight): string => {
  const able = [member, edit, review, draft].filter(permission => permissions.has(permission)).join(' ')
  if (permissions.has(edit)) return able
  return actor ? `${able} ${actor.id}` : 'public'
}

/** An event's data as it is sent; `removed` where its text was removed. */
export type Shown = { readonly removed?: true; readonly data: JsonObject }

/**
 * Left out are personal data and secrets, whoever listens; text that was removed since, which a replay must not bring back; and
 * people's text where `textless` says that this listener is not shown it.
 */
export const shownOf = ({ event, type, standing }: Telling, textless = false): Shown => {
  const gone = standing(event.stream)?.removed === true
  const sealed = gone || textless || type?.seal === 'subject' ? (type?.sealed ?? []) : []
  const out = [...sealed, ...(gone ? (type?.text ?? []) : []), ...(type?.secrets ?? [])]
  const data =
    out.length === 0
      ? event.data
      : Object.fromEntries(Object.entries(event.data).filter(([member]) => !out.includes(member)))
  return event.removed || (gone && out.length > 0) ? { removed: true, data } : { data }
}
