/**
 * The page that links in mails open. What stands after the # never reaches a server, and nothing happens before a click:
 * programs that look at mails open links too (they neither run this script nor click). It is sent on as a text and is never
 * anything else. Opened without a whole link, the page says what to do instead.
 */
import { createHash } from 'node:crypto'
import { colours } from '../pages/frame.ts'
import { commonWords, type PageLanguage, type PagePurpose, pageWords } from './account-words.ts'

export type AccountPage = { readonly html: string; readonly policy: string; readonly language: PageLanguage }

/** `again`: where another link is asked for, by address. */
type Kind = { readonly path: string; readonly password?: 'new' | 'current'; readonly again?: string }
const kinds: Readonly<Record<PagePurpose, Kind>> = {
  verify: { path: '/v1/accounts/verify-email', password: 'new', again: '/v1/accounts/verify-email/resend' },
  reset: { path: '/v1/password-resets/confirm', password: 'new', again: '/v1/password-resets' },
  email: { path: '/v1/me/email/confirm', password: 'current' },
  revert: { path: '/v1/me/email/revert' },
  keep: { path: '/v1/me/erasure/cancel' },
}

const script = ({ path, password, again }: Kind, language: PageLanguage, done: string): string => {
  const { away, sent, problems } = commonWords[language]
  const words = JSON.stringify({ away, sent, done, problems }).replaceAll('<', '\\u003c')
  // With cookies the browser is known to the account from here on.
  const use = password === 'new' ? '{token,transport:"cookie"}' : '{token}'
  return (
    `const words=${words},token=location.hash.slice(1),whole=/^\\d{1,4}\\.[\\w-]{43}\\.[\\w-]{43}$/.test(token);` +
    `const said=document.querySelector('output');document.querySelector(whole?'#use':'#ask').hidden=false;` +
    `const on=(form,path,more,done)=>form?.addEventListener('submit',async event=>{event.preventDefault();` +
    `const button=form.querySelector('button');button.disabled=true;said.textContent='';` +
    `try{const answer=await fetch(path,{method:'POST',headers:{'content-type':'application/json'},` +
    `body:JSON.stringify({...Object.fromEntries([...new FormData(form)].filter(([,text])=>text!=='')),...more})});` +
    `if(answer.ok){said.textContent=done;form.hidden=true}` +
    `else{const{code,detail}=await answer.json();said.textContent=words.problems[code]??detail;` +
    `const more=code==='second-factor-required'&&document.querySelector('#factor');if(more)more.hidden=false}}` +
    `catch{said.textContent=words.away}button.disabled=false});` +
    `on(document.querySelector('#use form'),${JSON.stringify(path)},${use},words.done);` +
    `on(document.querySelector('#ask form'),${JSON.stringify(again ?? '')},{},words.sent)`
  )
}

const style =
  colours +
  `body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}` +
  `main{max-width:26rem;margin:0 auto;padding:1.5rem 1rem;background:var(--ground);overflow-wrap:anywhere}h1{font-size:1.4rem;line-height:1.25}` +
  `label{display:block}input{box-sizing:border-box;width:100%;padding:.6rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);border-radius:.4rem}` +
  `.rule{color:var(--soft);font-size:.9rem}button{padding:.6rem 1.2rem;font:inherit;color:var(--on);background:var(--key);border:0;border-radius:.4rem}` +
  `button:disabled{opacity:.6}:focus-visible{outline:2px solid var(--key);outline-offset:2px}[hidden]{display:none}`

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The page, and the policy under which its one script and its style are used. */
export const accountPage = (purpose: PagePurpose, language: PageLanguage): AccountPage => {
  const { title, button, done } = pageWords[language][purpose]
  const kind = kinds[purpose]
  const said = commonWords[language]
  const code = script(kind, language, done)
  const chosen =
    `<p><label>${said.password} <input name="password" type="password" autocomplete="new-password" aria-describedby="rule" minlength="8" required></label></p>` +
    `<p class="rule" id="rule">${said.rule}</p>`
  const own =
    `<p><label>${said.current} <input name="password" type="password" autocomplete="current-password" required></label></p>` +
    `<p id="factor" hidden><label>${said.factor} <input name="code" autocomplete="one-time-code" spellcheck="false"></label></p>`
  const password = kind.password === undefined ? '' : kind.password === 'new' ? chosen : own
  const again =
    `<p>${said.again}</p><form><p><label>${said.address} <input name="email" type="email" autocomplete="email" required></label></p>` +
    `<button>${said.send}</button></form>`
  const html =
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${title}</title><style>${style}</style></head><body><main><h1>${title}</h1><noscript><p>${said.script}</p></noscript>` +
    `<section id="use" hidden><form>${password}<button>${button}</button></form></section>` +
    `<section id="ask" hidden><p>${said.whole}</p>${kind.again === undefined ? '' : again}</section>` +
    `<output role="status"></output></main><script>${code}</script></body></html>`
  const policy = `default-src 'none'; script-src ${sha256(code)}; style-src ${sha256(style)}; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`
  return { html, policy, language }
}
