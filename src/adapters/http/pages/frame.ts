/** What every page for people has: the mark and the name, the way to the others, light and dark, and a policy that runs nothing but its own. */
import { createHash } from 'node:crypto'
import { escaped } from '../markup.ts'

export type Page = {
  readonly html: string
  /** Its Content-Security-Policy. */
  readonly policy: string
}

/** A book whose pages are a line of events: the mark of the service, 32 by 32. */
export const mark =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32" role="img" aria-label="Lexichron">' +
  '<rect width="32" height="32" rx="7" fill="#1d4ed8"/>' +
  '<path d="M8 7v18h16" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>' +
  '<circle cx="15" cy="18" r="2.2" fill="#fff"/><circle cx="20" cy="13" r="2.2" fill="#fff"/><circle cx="25" cy="8" r="2.2" fill="#fff"/></svg>'

/** The colours of text on their ground have a contrast of 4.5 at least (WCAG 2.2, 1.4.3), lines and rings of 3 (1.4.11). */
export const colours =
  ':root{color-scheme:light dark;--ground:#fff;--text:#1b1b1b;--soft:#595959;--line:#767676;--key:#1d4ed8;--on:#fff;--raised:#f3f4f6}' +
  '@media(prefers-color-scheme:dark){:root{--ground:#121212;--text:#ececec;--soft:#b3b3b3;--line:#8a8a8a;--key:#93b4ff;--on:#0b1020;--raised:#1e1f22}}'

/** The head of every page. */
export const headerStyle =
  `${colours}*{box-sizing:border-box}` +
  'header{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.5rem;padding:.75rem 1rem;border-bottom:1px solid var(--line);background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}' +
  'header a{color:var(--key)}header .name{display:flex;align-items:center;gap:.6rem;font-weight:600;color:inherit;text-decoration:none}' +
  'nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:0;padding:0;list-style:none}nav a[aria-current]{color:inherit;font-weight:600;text-decoration:none}' +
  'nav a,header .name{min-height:24px;display:inline-flex;align-items:center}:focus-visible{outline:2px solid var(--key);outline-offset:2px}'

const base =
  `${headerStyle}body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}` +
  'a{color:var(--key)}[hidden]{display:none}' +
  'main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem}h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.25rem 0 .25rem}' +
  'code,pre{font:.9em ui-monospace,monospace}pre{background:var(--raised);padding:.75rem;border-radius:.4rem;overflow:auto}' +
  'label{display:block}input,select,button{min-height:2.4rem;padding:.4rem .7rem;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);border-radius:.4rem;max-width:100%}' +
  'button{color:var(--on);background:var(--key);border-color:var(--key)}button:disabled{opacity:.6}.soft{color:var(--soft)}' +
  'table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}'

const places = [
  ['/', 'Start'],
  ['/docs', 'Routes'],
  ['/docs/live', 'Live feed'],
] as const

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const icon = `data:image/svg+xml,${encodeURIComponent(mark)}`

/** The way to the others, `here` being one of them or none. */
export const header = (here: string): string => {
  const links = places.map(([path, name]) => {
    const current = path === here ? ' aria-current="page"' : ''
    return `<li><a href="${path}"${current}>${name}</a></li>`
  })
  return `<header><a class="name" href="/">${mark}<span>Lexichron</span></a><nav aria-label="Pages"><ul>${links.join('')}</ul></nav></header>`
}

/** `main` is HTML, in which all that is not ours is escaped. The script runs when the page is there; `style` comes behind the common one. */
export const framed = (of: {
  readonly title: string
  readonly here: string
  readonly main: string
  readonly style?: string
  readonly script?: string
}): Page => {
  const { title, here, main, script } = of
  const style = base + (of.style ?? '')
  const run = script === undefined ? '' : `<script>${script}</script>`
  const html =
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
    `<title>${escaped(title)}</title><link rel="icon" href="${icon}"><style>${style}</style></head>` +
    `<body>${header(here)}<main>${main}</main>${run}</body></html>`
  const policy = [
    "default-src 'none'",
    `script-src ${script === undefined ? "'none'" : sha256(script)}`,
    `style-src ${sha256(style)}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { html, policy }
}
