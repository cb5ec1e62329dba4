/** JSON Merge Patch (RFC 7396, section 2). */
import type { Json } from './event.ts'
import { isJsonObject } from './json.ts'

/** The target with the patch applied; neither is changed. `null` removes a member, an array replaces the whole. */
export const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isJsonObject(patch)) return patch
  const merged = new Map(Object.entries(isJsonObject(target) ? target : {}))
  for (const [member, value] of Object.entries(patch))
    if (value === null) merged.delete(member)
    else if (value !== undefined) merged.set(member, mergePatch(merged.get(member), value))
  return Object.fromEntries(merged)
}
