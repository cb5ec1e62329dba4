/** The words of the mails about comments. None of them says what a comment says: it may be gone by the time that they are read. */
import type { MailTemplate } from './template.ts'

const why = {
  en: 'You get this mail because of your account at Lexichron. Switch these mails off with notifications.comments in your preferences.',
  es: 'Recibe este correo por su cuenta en Lexichron. Desactive estos correos con notifications.comments en sus preferencias.',
}
const sample = { url: 'https://dictionary.example/v1/comments/0d1c2b3a-4f5e-5d6c-8b7a-9f8e7d6c5b4a' }

const told = (name: string, en: readonly [string, string], es: readonly [string, string]): MailTemplate => ({
  name,
  words: {
    en: { subject: en[0], lines: [en[1]], action: { label: 'Read it', href: '<%= it.url %>' }, why: why.en },
    es: { subject: es[0], lines: [es[1]], action: { label: 'Leer', href: '<%= it.url %>' }, why: why.es },
  },
  sample,
})

export const commentTemplates: readonly MailTemplate[] = [
  told(
    'comment-answer',
    ['Your comment was answered', 'Somebody answered what you said in a thread of comments.'],
    ['Han respondido a su comentario', 'Alguien ha respondido a lo que usted dijo en un hilo de comentarios.'],
  ),
  told(
    'comment-mention',
    ['You were mentioned in a comment', 'Somebody mentioned you in a thread of comments.'],
    ['Le han mencionado en un comentario', 'Alguien le ha mencionado en un hilo de comentarios.'],
  ),
  told(
    'comment-work',
    ['A comment on your story', 'Somebody said something of a story that you write.'],
    ['Un comentario sobre su historia', 'Alguien ha dicho algo de una historia que usted escribe.'],
  ),
]
