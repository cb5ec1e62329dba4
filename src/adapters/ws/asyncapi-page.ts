/** The AsyncAPI document as a page to read: plain HTML, without scripts and without anything from elsewhere. */
import type { Json, JsonObject } from '../../domain/event.ts'

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const members = (value: Json | undefined): readonly (readonly [string, Json | undefined])[] =>
  isObject(value) ? Object.entries(value) : []
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

const message = ([name, value]: readonly [string, Json | undefined]): string => {
  const payload = isObject(value) ? value['payload'] : undefined
  return `<h3 id="${escaped(name)}"><code>${escaped(name)}</code></h3><pre>${escaped(JSON.stringify(payload, null, 2))}</pre>`
}

const channel = ([name, value]: readonly [string, Json | undefined]): string => {
  if (!isObject(value)) return ''
  const title = `${text(value['title']) || name}`
  const messages = members(value['messages'])
  return `<h2>${escaped(title)}</h2><p><code>${escaped(text(value['address']))}</code></p>${messages.map(message).join('')}`
}

/** `document` is what `asyncApi` made. */
export const asyncApiPage = (document: JsonObject): string => {
  const info = isObject(document['info']) ? document['info'] : {}
  const title = escaped(text(info['title']))
  const lines = text(info['description']).split('\n')
  const about = lines.map(line => `<li>${escaped(line.replace(/^- /, ''))}</li>`).join('')
  const rest = members(document['channels']).map(channel).join('')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1><p>The channels; the same as a document: <a href="/v1/asyncapi.json">/v1/asyncapi.json</a>. The routes are at <a href="/docs">/docs</a>.</p><ul>${about}</ul>${rest}</body></html>`
}
