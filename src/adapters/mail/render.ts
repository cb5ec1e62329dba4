/**
 * From a template and its data to subject, text and HTML: one source and one layout for all, by eta. Lines are made as text; the HTML
 * is the same lines, escaped.
 */
import { Eta, type TemplateFunction } from 'eta'
import { type Locale, locales } from '../../ports/mailer.ts'
import type { MailData } from '../../subscribers/mail.ts'
import type { MailTemplate } from './template.ts'

export type Rendered = { readonly subject: string; readonly text: string; readonly html: string }
export type Reader = { readonly locale: string; readonly timeZone: string }

const escaping = new Eta({ autoEscape: true, autoTrim: false })
const plain = new Eta({ autoEscape: false, autoTrim: false })

/** Light and dark, as the reader's program has it; inline where a program drops style sheets. Nothing is fetched. */
const HTML = escaping.compile(`<!doctype html>
<html lang="<%= it.locale %>">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title><%= it.subject %></title>
<style>
:root { color-scheme: light dark }
p, a { overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) {
body { background: #161614 !important; color: #ecece6 !important }
main { background: #242421 !important }
a { color: #9cc3ff !important }
.why { color: #b3b3aa !important; border-color: #45453f !important }
}
</style></head>
<body style="margin:0;background:#f4f4f1;color:#1f1f1c;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<main style="display:block;max-width:36rem;margin:0 auto;padding:1.5rem;background:#fff">
<p style="margin-top:0;font-weight:600">Lexichron</p>
<% for (const line of it.lines) { %><p><%= line %></p>
<% } %><% if (it.action) { %><p><a href="<%= it.action.href %>" style="color:#0b57a4;font-weight:600"><%= it.action.label %></a></p>
<% } %><p class="why" style="margin-bottom:0;padding-top:1rem;border-top:1px solid #dcdcd6;color:#5c5c55;font-size:14px"><%= it.why %></p>
</main></body></html>
`)

const TEXT = plain.compile(`<% for (const line of it.lines) { %><%= line %>

<% } %><% if (it.action) { %><%= it.action.label %>: <%= it.action.href %>

<% } %>-- 
<%= it.why %>
`)

/**
 * One line whatever the data holds: no second header, no paragraph that looks like ours, and nothing that turns the order of letters
 * round. The composer encodes what is not ASCII (RFC 2047).
 */
const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .trim()

/** Templates come from this program, but data may hold anything: a link leads to the web or nowhere. */
const safeHref = (href: string): string => {
  const { protocol } = URL.parse(href) ?? {}
  if (protocol === 'https:' || protocol === 'http:') return href
  throw new TypeError('a mail links to http or https')
}

/** The language that a mail is written in for one who reads this one (RFC 4647, 3.4): English where there is no other. */
export const localeOf = (tag: string): Locale => {
  for (let range = tag.toLowerCase(); range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    const found = locales.find(locale => locale === range)
    if (found) return found
  }
  return 'en'
}

/** How each language writes dates. */
const conventions: Readonly<Record<Locale, string>> = { en: 'en-GB', es: 'es' }

const clockOf = (locale: Locale, timeZone: string): Intl.DateTimeFormat => {
  const shown: Intl.DateTimeFormatOptions = {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }
  try {
    return new Intl.DateTimeFormat(conventions[locale], { ...shown, timeZone })
  } catch {
    // A zone that this runtime's tables do not have is no reason for no mail.
    return new Intl.DateTimeFormat(conventions[locale], { ...shown, timeZone: 'UTC' })
  }
}

/** What templates see: every value as one line of text. */
const valuesOf = (data: MailData, locale: Locale, timeZone: string): ReadonlyMap<string, string> => {
  const clock = clockOf(locale, timeZone)
  return new Map(
    Object.entries(data).map(([name, value]) => [
      name,
      oneLine(typeof value === 'object' ? clock.format(new Date(value.instant)) : String(value)),
    ]),
  )
}

/** Templates are few, and compiled once. */
const compiled = new Map<string, TemplateFunction>()
const compiledOf = (text: string): TemplateFunction => {
  const known = compiled.get(text) ?? plain.compile(text)
  compiled.set(text, known)
  return known
}

/** @throws {Error} when the data lacks what the template names, or a link leads nowhere. */
export const renderMail = (template: MailTemplate, { locale: tag, timeZone }: Reader, data: MailData): Rendered => {
  const wanted = localeOf(tag)
  const words = template.words[wanted] ?? template.words.en
  const locale = template.words[wanted] ? wanted : 'en'
  const values = valuesOf(data, locale, timeZone)
  const given = Object.fromEntries(values)
  const said = (text: string): string => {
    for (const [, name = ''] of text.matchAll(/it\.(\w+)/g))
      if (!values.has(name)) throw new TypeError(`mail ${template.name}: ${name} is missing in its data`)
    return plain.render(compiledOf(text), given)
  }
  const subject = oneLine(said(words.subject))
  const { action } = words
  const layout = {
    locale,
    subject,
    lines: words.lines.map(said),
    why: said(words.why),
    action: action && { label: said(action.label), href: safeHref(said(action.href)) },
  }
  return { subject, text: plain.render(TEXT, layout), html: escaping.render(HTML, layout) }
}
