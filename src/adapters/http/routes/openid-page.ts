/** Where a sign-in at a provider ends for those who named no page of their own: it says what came of it. */
import { createHash } from 'node:crypto'

/** The code of a problem is explained by its own page; nothing else of the address is looked at, and nothing is sent on. */
const script =
  `const said=document.querySelector('output'),form=document.querySelector('form'),[what,code='']=location.hash.slice(1).split('=');` +
  `const explain=code=>fetch('/problems/'+code,{headers:{accept:'application/json'}})` +
  `.then(answer=>answer.json()).then(({title,help})=>{said.textContent=title+'. '+help})` +
  `.catch(()=>{said.textContent='You are not signed in ('+code+').'});` +
  `if(what==='signed-in')said.textContent='You are signed in.';` +
  `else if(what==='linked')said.textContent='The identity is linked to your account.';` +
  `else if(what==='error'&&code==='second-factor-required')form.hidden=false;` +
  `else if(what==='error'&&/^[a-z-]{1,60}$/.test(code))explain(code);` +
  `form.addEventListener('submit',async event=>{event.preventDefault();` +
  `try{const answer=await fetch('/v1/oauth/code',{method:'POST',headers:{'content-type':'application/json'},` +
  `body:JSON.stringify(Object.fromEntries(new FormData(form)))});` +
  `said.textContent=answer.ok?'You are signed in.':(await answer.json()).detail;form.hidden=answer.ok}` +
  `catch{said.textContent='The service did not answer: try again.'}})`

const form =
  '<form hidden><p><label>Code of your second factor <input name="code" autocomplete="one-time-code" required></label></p><button>Sign in</button></form>'

/** The page and the policy under which its one script runs. */
export const openIdPage = (): { readonly html: string; readonly policy: string } => {
  const digest = createHash('sha256').update(script).digest('base64')
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>Sign-in</title></head><body><main><h1>Sign-in</h1>${form}<output role="status"></output></main>` +
    `<script>${script}</script></body></html>`
  const policy = `default-src 'none'; script-src 'sha256-${digest}'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`
  return { html, policy }
}
