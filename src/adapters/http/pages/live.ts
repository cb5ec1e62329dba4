/** The live feed as a page: to connect, to subscribe and to watch, and below the AsyncAPI document to read. */
import type { Json, JsonObject } from '../../../domain/event.ts'
import { isJsonObject } from '../../../domain/json.ts'
import { escaped } from '../markup.ts'
import { framed, type Page } from './frame.ts'

const members = (value: Json | undefined): readonly (readonly [string, Json | undefined])[] =>
  isJsonObject(value) ? Object.entries(value) : []
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** A schema in a word: its type, its one value or its values, what its items are. */
const typeOf = (schema: Json | undefined): string => {
  if (!isJsonObject(schema)) return 'anything'
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  const { enum: values, anyOf, oneOf, items, type, $ref } = schema
  if (Array.isArray(values)) return values.map(value => JSON.stringify(value)).join(' | ')
  const either = anyOf ?? oneOf
  if (Array.isArray(either)) return [...new Set(either.map(typeOf))].join(' | ')
  if (typeof $ref === 'string') return $ref.split('/').at(-1) ?? $ref
  if (Array.isArray(type)) return type.map(text).join(' | ')
  return type === 'array' ? `${typeOf(items)}[]` : text(type) || 'anything'
}

const row = (required: readonly Json[], [name, schema]: readonly [string, Json | undefined]): string => {
  const said = isJsonObject(schema) ? text(schema['description']) : ''
  const optional = required.includes(name) ? '' : ' <span class="soft">(optional)</span>'
  return `<tr><th scope="row"><code>${escaped(name)}</code>${optional}</th><td>${escaped(typeOf(schema))}</td><td>${escaped(said)}</td></tr>`
}

const message = ([name, value]: readonly [string, Json | undefined]): string => {
  const payload = isJsonObject(value) ? value['payload'] : undefined
  const title = `<h3 id="${escaped(name)}"><code>${escaped(name)}</code></h3>`
  if (!isJsonObject(payload)) return title
  const required = Array.isArray(payload['required']) ? payload['required'] : []
  const rows = members(payload['properties']).map(member => row(required, member))
  if (rows.length === 0) return `${title}<p>${escaped(typeOf(payload))}</p>`
  return `${title}<table><thead><tr><th scope="col">member</th><th scope="col">type</th><th scope="col">meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

const channel = ([name, value]: readonly [string, Json | undefined]): string => {
  if (!isJsonObject(value)) return ''
  const title = text(value['title']) || name
  const parts = members(value['messages']).map(message).join('')
  return `<h2>${escaped(title)}</h2><p><code>${escaped(text(value['address']))}</code></p>${parts}`
}

const style =
  'form{display:grid;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));gap:.75rem;align-items:end}form input,form select{width:100%}' +
  'form div{display:flex;gap:.5rem}#heard{margin:1rem 0;padding:0;max-height:24rem;overflow:auto;list-style:none;border:1px solid var(--line);border-radius:.4rem}' +
  '#heard li{padding:.4rem .7rem;border-bottom:1px solid var(--line)}#heard pre{margin:.2rem 0 0;padding:0;background:none;white-space:pre-wrap}'

/** Lines that are shown at most: a busy channel must not fill the browser. */
const MOST_SHOWN = 200

const script =
  `const form=document.querySelector('form'),heard=document.querySelector('#heard'),said=document.querySelector('output'),field=form.elements;` +
  `const [start,stop]=form.querySelectorAll('button');let socket;` +
  `const note=(what,data)=>{const item=document.createElement('li');item.append(new Date().toLocaleTimeString()+' '+what);` +
  `if(data!==undefined){const text=document.createElement('pre');text.textContent=JSON.stringify(data,null,2);item.append(text)}` +
  `heard.prepend(item);while(heard.children.length>${MOST_SHOWN})heard.lastChild.remove()};` +
  `const filterOf=text=>Object.fromEntries(text.split(',').map(each=>each.split('=').map(part=>part.trim())).filter(([name,value])=>name&&value));` +
  `const ticket=async()=>{if(!field.token.value)return'';const answer=await fetch('/v1/live/tickets',{method:'POST',headers:{authorization:'Bearer '+field.token.value.trim()}});` +
  `const body=await answer.json();if(!answer.ok)throw new Error(body.detail??body.title);return'?ticket='+encodeURIComponent(body.ticket)};` +
  `const ended=text=>{said.textContent=text;start.disabled=false;stop.disabled=true;socket=undefined};` +
  `form.addEventListener('submit',async event=>{event.preventDefault();start.disabled=true;said.textContent='Connecting';try{` +
  `const mine=socket=new WebSocket(location.origin.replace(/^http/,'ws')+'/v1/live'+await ticket(),'lexichron.v1');` +
  `mine.onopen=()=>{said.textContent='Connected';stop.disabled=false;const filter=filterOf(field.filter.value),after=field.after.value.trim();` +
  `mine.send(JSON.stringify({op:'subscribe',id:'page',channel:field.channel.value.trim(),...(Object.keys(filter).length>0&&{filter}),...(after!==''&&{after})}))};` +
  `mine.onmessage=({data})=>{const {op,id,after,...rest}=JSON.parse(data);if(after)field.after.value=after;` +
  `if(op==='event')note(rest.type,rest.data);else if(op==='error')note('error: '+rest.code,rest);else if(op!=='pong')note(op)};` +
  `mine.onclose=({code,reason})=>ended('The connection has ended'+(code===1000||code===1005?'.':' ('+code+(reason&&', '+reason)+').'))` +
  `}catch(error){ended(error.message)}});` +
  `stop.addEventListener('click',()=>socket?.close(1000));document.querySelector('#clear').addEventListener('click',()=>heard.replaceChildren())`

const feedOf = (names: readonly string[]): string =>
  '<form><label>Channel <input name="channel" list="channels" value="entries" required autocomplete="off" autocapitalize="none" spellcheck="false"></label>' +
  `<datalist id="channels">${names.map(name => `<option value="${escaped(name)}"></option>`).join('')}</datalist>` +
  '<label>Filter <input name="filter" placeholder="language=en" autocomplete="off" autocapitalize="none" spellcheck="false"></label>' +
  '<label>After (a position, or nothing) <input name="after" autocomplete="off" spellcheck="false"></label>' +
  '<label>Access token (or nothing) <input name="token" type="password" autocomplete="off"></label>' +
  '<div><button>Connect</button><button type="button" disabled>Disconnect</button></div></form>' +
  '<p><output role="status" class="soft">Not connected</output></p>' +
  '<ul id="heard" role="log" aria-label="What is heard, the newest first" tabindex="0"></ul><button type="button" id="clear">Clear the list</button>'

/** `document` is what `asyncApi` made, `channels` the names that may be subscribed to. */
export const livePage = (document: JsonObject, channels: readonly string[]): Page => {
  const info = isJsonObject(document['info']) ? document['info'] : {}
  const title = text(info['title'])
  const lines = text(info['description']).split('\n')
  const about = lines.map(line => `<li>${escaped(line.replace(/^- /, ''))}</li>`).join('')
  const rest = members(document['channels']).map(channel).join('')
  const main =
    `<h1>${escaped(title)}</h1><p>Connect, and watch what happens. The same as a document: <a href="/v1/asyncapi.json">/v1/asyncapi.json</a>.</p>` +
    `${feedOf(channels)}<h2>The channels</h2><ul>${about}</ul>${rest}`
  return framed({ title, here: '/docs/live', main, style, script })
}
