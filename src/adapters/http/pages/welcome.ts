/** The first page: what this is, a word to look up, and where to go on. */
import { framed, type Page } from './frame.ts'

const style =
  'form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:1.5rem 0 .5rem}form label{flex:1 1 14rem}form input{width:100%}' +
  'ol{padding:0;list-style:none}ol li{padding:.6rem 0;border-bottom:1px solid var(--line)}ol p{margin:.1rem 0}'

const script =
  `const form=document.querySelector('form'),list=document.querySelector('#found'),said=document.querySelector('output');let asked=0;` +
  `const add=(to,name,text,kind)=>{const made=document.createElement(name);made.textContent=text;if(kind)made.className=kind;to.append(made);return made};` +
  `const show=({entry,matched})=>{const item=add(list,'li','');const line=add(item,'p','');add(line,'strong',entry.lemma).lang=entry.language;` +
  `add(line,'span',' '+entry.partOfSpeech+', '+entry.language+(matched==='exact'?'':' ('+matched+')'),'soft');` +
  `const gloss=entry.senses?.[0]?.gloss;if(gloss)add(item,'p',gloss).lang=entry.language;` +
  `const link=add(item,'a','the entry as JSON');link.href='/v1/entries/'+encodeURIComponent(entry.id);link.setAttribute('aria-label',entry.lemma+', the entry as JSON')};` +
  `form.addEventListener('submit',async event=>{event.preventDefault();const mine=++asked;said.textContent='Looking it up';` +
  `try{const answer=await fetch('/v1/search?limit=10&q='+encodeURIComponent(form.elements.q.value));const found=await answer.json();` +
  `if(mine!==asked)return;list.replaceChildren();` +
  `if(!answer.ok){said.textContent=found.detail??found.title;return}` +
  `for(const item of found.items)show(item);const filling=found.filling===undefined?'':' The dictionary is still being filled: '+(found.filling.share??found.filling)+'.';` +
  `said.textContent=(found.items.length===0?'Nothing was found.':found.items.length===1?'One entry.':found.items.length+' entries'+(found.next?', and there are more.':'.'))+filling}` +
  `catch{if(mine===asked)said.textContent='The service does not answer.'}})`

const main =
  '<h1>Lexichron</h1><p>A community dictionary in which every change is an event that is kept, can be replayed, and proved.</p>' +
  '<form role="search" action="/v1/search" method="get"><label>A word, its beginning, a pattern (<code>s*dipity</code>) or what it means ' +
  '<input name="q" type="search" required maxlength="128" autocomplete="off" autocapitalize="none" spellcheck="false"></label><button>Look up</button></form>' +
  '<output role="status" class="soft"></output><ol id="found"></ol>' +
  '<h2>Where to go on</h2><ul>' +
  '<li><a href="/docs">All routes</a>, to read and to try</li>' +
  '<li><a href="/docs/live">The live feed</a>, to read and to watch</li>' +
  '<li><a href="/v1/openapi.json">OpenAPI</a> and <a href="/v1/asyncapi.json">AsyncAPI</a>, for programs</li>' +
  '<li><a href="/health">How the service is</a></li></ul>'

export const welcomePage = (): Page => framed({ title: 'Lexichron', here: '/', main, style, script })
