/** The words of the mails about stories that one follows. */
import type { MailTemplate } from './template.ts'

export const storyTemplates: readonly MailTemplate[] = [
  {
    name: 'chapter-published',
    words: {
      en: {
        subject: 'New to read: <%= it.title %>',
        lines: [
          'A story that you follow, or of an author, a series or a tag that you follow, has something new: “<%= it.title %>”. Newly published chapters: <%= it.chapters %>.',
        ],
        action: { label: 'Read it', href: '<%= it.url %>' },
        why: 'You get this mail because you follow this at Lexichron. Switch these mails off with notifications.chapters in your preferences, or follow it no longer.',
      },
      es: {
        subject: 'Novedad: <%= it.title %>',
        lines: [
          'Una historia que usted sigue, o de un autor, una serie o una etiqueta que sigue, tiene algo nuevo: «<%= it.title %>». Capítulos recién publicados: <%= it.chapters %>.',
        ],
        action: { label: 'Leer', href: '<%= it.url %>' },
        why: 'Recibe este correo porque sigue esto en Lexichron. Desactive estos correos con notifications.chapters en sus preferencias, o deje de seguirlo.',
      },
    },
    sample: {
      title: 'The lighthouse keeper',
      chapters: 1,
      url: 'https://dictionary.example/v1/stories/3f1c2b9e-5d0a-5c4e-8b7a-6e5d4c3b2a10',
    },
  },
]
