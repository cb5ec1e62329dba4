/**
 * Events as JSON texts for people who may read the log: opened as far as they may see, lifted to the current version,
 * without what was removed and without what is secret. What the store keeps is canonical JSON, so an event with nothing sealed and nothing removed
 * is put together from its own texts; the others are decoded.
 */
import { defined } from '../../domain/defined.ts'
import type { JsonObject } from '../../domain/event.ts'
import { markOf } from '../../domain/mark.ts'
import type { EventStore, LoggedEvent } from '../../ports/event-store.ts'
import type { Keys, SealingKey } from '../../ports/keys.ts'
import { atOf, type EventCodec, openPage, readPage } from './codec.ts'
import type { Place } from './log.ts'
import type { Removals } from './removals.ts'

/** What somebody may read beside the clear members: people's text, personal data. */
export type Sight = {
  readonly text: boolean
  readonly personal: boolean
  /** The name of one's own key: what is sealed under it one may read oneself. When the store recorded an event is for auditors. */
  readonly own?: string
}

/** An event as one JSON text, and where it stands. `subject`: whose personal data was opened for it, where any was. */
export type Line = Place & { readonly text: string; readonly subject?: string }

const SUBJECT = 'subject:'

export type Transcript = {
  /**
   * The events in order; of one that does not fit its checksum only where it stands. `checked` decodes every one of them, so that a damaged one says `unreadable` and the text as a
   * whole stays JSON; without it those that need no decoding are passed on as they are stored.
   */
  write(events: readonly LoggedEvent[], sight: Sight, checked: boolean): Promise<readonly Line[]>
}

const members = (names: readonly string[]): string => names.map(each => JSON.stringify(each)).join()

/** Takes a text member out of canonical JSON. A quote inside a text is escaped, so the name can only be a name. */
const without = (text: string, name: string): string => {
  const start = text.indexOf(`"${name}":"`)
  if (start < 0) return text
  const end = text.indexOf('"', start + name.length + 4)
  return text.slice(0, start) + text.slice(text[end + 1] === ',' ? end + 2 : end + 1)
}

/** The envelope without how it is kept: the name of its key, the keyed hash of the request. */
const shown = (meta: string): string => without(without(meta, 'fingerprint'), 'key')

const head = ({ id, type, stream, revision, position, recordedAt }: LoggedEvent, { own }: Sight): string => {
  const recorded = own === undefined ? `,"recordedAt":"${recordedAt}"` : ''
  return `{"id":${JSON.stringify(id)},"type":${JSON.stringify(type)},"stream":${JSON.stringify(stream)},"revision":"${revision}","position":"${position}"${recorded}`
}

const isCurrent = (meta: string, version: number): boolean => {
  const at = meta.lastIndexOf('"schema":') + 9
  const text = String(version)
  return at > 8 && meta.startsWith(text, at) && (meta[at + text.length] === '}' || meta[at + text.length] === ',')
}

const kindOf = (key: string): 'text' | 'personal' => (key.startsWith('document:') ? 'text' : 'personal')

export const openTranscript = (deps: {
  readonly keys: Pick<Keys, 'find'>
  readonly codecs: ReadonlyMap<string, EventCodec>
  readonly removals: Removals
}): Transcript => {
  const { keys, codecs, removals } = deps

  /** Text that lies in the clear and was removed since. */
  const removedText = (event: LoggedEvent): readonly string[] => {
    const declared = codecs.get(event.type)?.declared
    if (!declared || declared.text.length + declared.sealed.length === 0 || !removals.has(event.stream)) return []
    return [...declared.text, ...declared.sealed]
  }

  const plain = (event: LoggedEvent): boolean => {
    const codec = codecs.get(event.type)
    return (
      !event.damaged &&
      codec !== undefined &&
      codec.declared.secrets.length === 0 &&
      event.data.startsWith('{') &&
      event.meta.startsWith('{"actor":') &&
      !event.meta.includes('"key":"') &&
      isCurrent(event.meta, codec.declared.version) &&
      removedText(event).length === 0
    )
  }

  const decoded = (
    event: LoggedEvent,
    known: ReadonlyMap<string, SealingKey>,
    sight: Sight,
  ): Pick<Line, 'text' | 'subject'> => {
    const page = readPage([event], codecs)
    const name = page.decoded[0]?.closed?.key
    const key = name === undefined ? undefined : known.get(name)
    const allowed = name !== undefined && (sight[kindOf(name)] || name === sight.own)
    const opened = openPage(page, new Map(name !== undefined && key && allowed ? [[name, key]] : []))
    const [read] = opened.events
    if (!read) {
      const reason = JSON.stringify(opened.failure?.reason ?? 'corrupt')
      return { text: `${head(event, sight)},"data":{},"unreadable":${reason}}` }
    }
    const sealed = codecs.get(event.type)?.declared.sealed ?? []
    const gone = name !== undefined && !key ? sealed : removedText(event).filter(each => read.data[each] !== undefined)
    // What is for decisions alone is nobody's to read, whatever they may.
    const secrets = (codecs.get(event.type)?.declared.secrets ?? []).filter(each => read.data[each] !== undefined)
    const withheld = [...new Set([...(key && !allowed ? sealed : []), ...secrets])].filter(each => !gone.includes(each))
    const left = [...gone, ...secrets]
    const data: JsonObject = Object.fromEntries(Object.entries(read.data).filter(([member]) => !left.includes(member)))
    const more =
      (gone.length > 0 ? `,"removed":[${members(gone)}]` : '') +
      (withheld.length > 0 ? `,"withheld":[${members(withheld)}]` : '')
    const isTold = name?.startsWith(SUBJECT) && key && allowed && sealed.some(member => data[member] !== undefined)
    return {
      text: `${head(event, sight)},"data":${JSON.stringify(data)},"meta":${shown(event.meta)}${more}}`,
      ...defined({ subject: isTold ? name?.slice(SUBJECT.length) : undefined }),
    }
  }

  return {
    write: async (events, sight, checked) => {
      await removals.refresh()
      const asIs = events.map(event => !checked && plain(event))
      const names = new Set<string>()
      for (const [at, { meta }] of events.entries()) {
        if (asIs[at]) continue
        const name = /"key":"([^"]+)"/.exec(meta)?.[1]
        if (name !== undefined) names.add(name)
      }
      const known = names.size > 0 ? await keys.find(names) : new Map<string, SealingKey>()
      return events.map((event, at) => ({
        position: event.position,
        mark: markOf(event.id, atOf(event.meta)),
        ...(asIs[at]
          ? { text: `${head(event, sight)},"data":${event.data},"meta":${without(event.meta, 'fingerprint')}}` }
          : decoded(event, known, sight)),
      }))
    },
  }
}

/** What the history reads of the event store. */
export type Records = Pick<EventStore, 'readAll' | 'readStream' | 'readAt' | 'head'>
