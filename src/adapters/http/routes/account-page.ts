/**
 * The page that links in mails open. What stands after the # never reaches a server, and nothing happens before a click:
 * programs that look at mails open links too (they neither run this script nor click).
 */
import { createHash } from 'node:crypto'

export type PagePurpose = 'verify' | 'reset' | 'email' | 'revert' | 'keep'

const script = (path: string): string =>
  `const form=document.querySelector('form'),said=document.querySelector('output');` +
  `form.addEventListener('submit',async event=>{event.preventDefault();const button=form.querySelector('button');button.disabled=true;` +
  `const data={token:location.hash.slice(1),...Object.fromEntries(new FormData(form))};` +
  `try{const answer=await fetch(${JSON.stringify(path)},{method:'POST',headers:{'content-type':'application/json'},body:JSON.stringify(data)});` +
  `said.textContent=answer.ok?form.dataset.done:(await answer.json()).detail;if(!answer.ok)button.disabled=false}` +
  `catch{said.textContent='The service did not answer: try again.';button.disabled=false}})`

const words: Readonly<
  Record<PagePurpose, { readonly title: string; readonly button: string; readonly done: string; readonly path: string }>
> = {
  verify: {
    title: 'Begin your account',
    button: 'Begin',
    done: 'Your account is there: you can sign in now.',
    path: '/v1/accounts/verify-email',
  },
  reset: {
    title: 'Choose a new password',
    button: 'Set the password',
    done: 'The password is set. You are signed out everywhere: sign in again.',
    path: '/v1/password-resets/confirm',
  },
  email: {
    title: 'Confirm your new address',
    button: 'Confirm',
    done: 'Your address is changed: sign in with it from now on.',
    path: '/v1/me/email/confirm',
  },
  revert: {
    title: 'Take your account back',
    button: 'Take it back',
    done: 'The account has this address again, and everybody is signed out. A mail with a link to set a password is on its way.',
    path: '/v1/me/email/revert',
  },
  keep: {
    title: 'Keep your account',
    button: 'Keep it',
    done: 'Your account stays as it is.',
    path: '/v1/me/erasure/cancel',
  },
}

const password =
  '<p><label>New password <input name="password" type="password" autocomplete="new-password" minlength="8" required></label></p>'

/** The page and the policy under which its one script runs. */
export const accountPage = (purpose: PagePurpose): { readonly html: string; readonly policy: string } => {
  const { title, button, done, path } = words[purpose]
  const code = script(path)
  const digest = createHash('sha256').update(code).digest('base64')
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${title}</title></head><body><main><h1>${title}</h1><form data-done="${done}">` +
    `${purpose === 'reset' || purpose === 'verify' ? password : ''}<button>${button}</button></form><output role="status"></output></main>` +
    `<script>${code}</script></body></html>`
  const policy = `default-src 'none'; script-src 'sha256-${digest}'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`
  return { html, policy }
}
