/** From a template and its data to subject, text and HTML: one layout for all, by eta, which escapes in HTML by default. */
import { Eta } from 'eta'
import type { JsonObject } from '../../domain/event.ts'
import type { Locale } from '../../ports/mailer.ts'
import type { MailTemplate } from './templates.ts'

export type Rendered = { readonly subject: string; readonly text: string; readonly html: string }

const escaping = new Eta({ autoEscape: true, autoTrim: false, cache: true })
const plain = new Eta({ autoEscape: false, autoTrim: false, cache: true })

const HTML = `<!doctype html>
<html lang="<%= it.locale %>">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title><%= it.subject %></title></head>
<body style="margin:0;background:#f4f4f1;color:#1f1f1c;font:16px/1.5 system-ui,sans-serif">
<main style="max-width:36rem;margin:0 auto;padding:1.5rem;background:#fff">
<p style="font-weight:600">Lexichron</p>
<% for (const line of it.lines) { %><p><%~ line %></p>
<% } %><% if (it.action) { %><p><a href="<%= it.action.href %>" style="color:#0b57a4"><%~ it.action.label %></a></p>
<% } %><p style="color:#6b6b63;font-size:14px"><%~ it.why %></p>
</main></body></html>
`

const TEXT = `<% for (const line of it.lines) { %><%= line %>

<% } %><% if (it.action) { %><%= it.action.label %>: <%= it.action.href %>

<% } %>-- 
<%= it.why %>
`

/** A subject is one line whatever the data holds; the composer encodes what is not ASCII (RFC 2047). */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').trim()

/** Templates come from this program, but data may hold anything: a link leads to the web or nowhere. */
const safeHref = (href: string): string => {
  const { protocol } = URL.parse(href) ?? {}
  if (protocol === 'https:' || protocol === 'http:') return href
  throw new TypeError('a mail links to http or https')
}

/** @throws {Error} when the data lacks what the template names. */
export const renderMail = (template: MailTemplate, locale: Locale, data: JsonObject): Rendered => {
  const words = template.words[locale]
  const missing = (text: string): void => {
    for (const [, name = ''] of text.matchAll(/it\.(\w+)/g))
      if (data[name] === undefined) throw new TypeError(`mail ${template.name}: ${name} is missing in its data`)
  }
  const said = (engine: Eta, text: string): string => {
    missing(text)
    return engine.renderString(text, data)
  }
  const subject = oneLine(said(plain, words.subject))
  const href = words.action && safeHref(said(plain, words.action.href))
  const layout = (engine: Eta) => ({
    ...{ locale, subject, lines: words.lines.map(line => said(engine, line)), why: said(engine, words.why) },
    action: words.action && { label: said(engine, words.action.label), href },
  })
  return {
    subject,
    text: plain.renderString(TEXT, layout(plain)),
    html: escaping.renderString(HTML, layout(escaping)),
  }
}
