/** The page to read and try the interface at: swagger-ui in our frame, under a policy that lets nothing in but its own files. */
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { header, headerStyle, mark } from './pages/frame.ts'
import { ProblemError } from './problems.ts'
import { secure } from './security.ts'

const policy = (styles: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' ${styles.join(' ')}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/**
 * A lock stands where nothing is to be had without a token: the library shows one wherever one may be sent, and almost everything may be
 * asked for with one. It is sent to the browser as its text, so it uses nothing from around it.
 */
const locksWhereNeeded = () => ({
  wrapComponents: {
    OperationSummary: (Original: unknown, { React }: { readonly React: React }) => {
      // biome-ignore lint/complexity/useArrowFunction: a component of React's is a function of its own
      return function (props: Summary) {
        const isOptional = props.operationProps.get('security')?.some(({ size }) => size === 0) === true
        const operationProps = isOptional ? props.operationProps.set('security', undefined) : props.operationProps
        return React.createElement(Original, { ...props, operationProps })
      }
    },
  },
})
/** What the library hands on of an operation: its members, and of its securities how many schemes each asks for. */
type Members = {
  get(name: 'security'): { some(is: (each: { readonly size: number }) => boolean): boolean } | undefined
  set(name: 'security', to: undefined): Members
}
type Summary = { readonly operationProps: Members }
type React = { createElement(component: unknown, props: Summary): unknown }

/**
 * Light or dark as the browser has it, also when that changes. And what the library leaves out for those who do not see or do not
 * point: names of its lists of choices (WCAG 2.2, 4.1.2), and the keyboard's way into what scrolls (2.1.1).
 */
const follow =
  `const dark=matchMedia('(prefers-color-scheme: dark)');` +
  `const show=()=>document.documentElement.classList.toggle('dark-mode',dark.matches);dark.addEventListener('change',show);show();` +
  `const name=list=>list.closest('tr[data-param-name]')?.dataset.paramName??(list.id==='servers'?'Server':list.className.includes('example')?'Example':'Media type');` +
  `const mend=()=>{for(const list of document.querySelectorAll('#swagger-ui select:not([aria-label])'))list.setAttribute('aria-label',name(list));` +
  `for(const field of document.querySelectorAll('#swagger-ui textarea:not([aria-label])'))field.setAttribute('aria-label','Body');` +
  `for(const text of document.querySelectorAll('#swagger-ui pre:not([tabindex])'))text.tabIndex=0};` +
  `new MutationObserver(mend).observe(document.querySelector('#swagger-ui'),{childList:true,subtree:true});mend()`

/** What of the library's colours has less contrast than WCAG 2.2 asks for (1.4.3), what is too small (2.5.8), and what does not fit a telephone (1.4.10). */
const style =
  `${headerStyle}body{margin:0;background:var(--ground)}` +
  '.swagger-ui .wrapper{padding:0 1rem}.swagger-ui .info{margin:1.5rem 0}' +
  '.swagger-ui .info .title small,.swagger-ui .info .title small.version-stamp{background:#4b5563}.swagger-ui .info .title small pre{color:#fff}' +
  '.swagger-ui .info .link,.swagger-ui .info .url,.swagger-ui .info a{color:var(--key)}' +
  '.swagger-ui .opblock .opblock-summary-method{text-shadow:none;color:#fff}' +
  '.swagger-ui .opblock.opblock-get .opblock-summary-method{background:#1d4ed8}.swagger-ui .opblock.opblock-post .opblock-summary-method{background:#047857}' +
  '.swagger-ui .opblock.opblock-put .opblock-summary-method{background:#92400e}.swagger-ui .opblock.opblock-patch .opblock-summary-method{background:#0f766e}' +
  '.swagger-ui .opblock.opblock-delete .opblock-summary-method{background:#b91c1c}' +
  '.swagger-ui .btn.authorize{color:#047857;border-color:#047857}.swagger-ui .btn.authorize svg{fill:#047857}' +
  '.dark-mode .swagger-ui .btn.authorize{color:#6ee7b7;border-color:#6ee7b7}.dark-mode .swagger-ui .btn.authorize svg{fill:#6ee7b7}' +
  '.swagger-ui .btn.cancel{color:#b91c1c;border-color:#b91c1c}.dark-mode .swagger-ui .btn.cancel{color:#fca5a5;border-color:#fca5a5}' +
  '.swagger-ui .btn.try-out__btn{color:var(--text)!important;background:var(--ground)!important;border-color:var(--line)}.swagger-ui .btn.execute{background:#1d4ed8;border-color:#1d4ed8;color:#fff}.swagger-ui .parameter__name.required span,.swagger-ui .parameter__name.required:after{color:#b91c1c}' +
  '.dark-mode .swagger-ui .parameter__name.required span,.dark-mode .swagger-ui .parameter__name.required:after{color:#fca5a5}' +
  '.swagger-ui .parameter__in,.swagger-ui .parameter__type,.swagger-ui .prop-format,.swagger-ui .response-col_links,.swagger-ui .response-control-media-type__title,.swagger-ui .response-control-media-type__accept-message,.json-schema-2020-12-expand-deep-button{color:var(--soft)!important}' +
  '.dark-mode .swagger-ui .headers td,.dark-mode .swagger-ui .headers th,.dark-mode .swagger-ui .header-col{color:var(--text)}' +
  '.swagger-ui .highlight-code>.microlight,.swagger-ui .highlight-code>.microlight code{background:#1b1b1b;color:#fff}.swagger-ui .microlight span{color:#fff!important}' +
  '.swagger-ui .opblock-summary-path a,.swagger-ui .opblock-tag a{display:inline-block;min-height:24px;min-width:24px}' +
  '@media(max-width:40rem){.swagger-ui .opblock .opblock-summary{flex-wrap:wrap}.swagger-ui .opblock .opblock-summary-path{max-width:100%}' +
  '.swagger-ui .wrapper{padding:0 .5rem}.swagger-ui table,.swagger-ui tbody,.swagger-ui thead,.swagger-ui tr,.swagger-ui td,.swagger-ui th{display:block;width:auto!important;max-width:100%}' +
  '.swagger-ui pre,.swagger-ui .model,.swagger-ui .model-box{white-space:pre-wrap;overflow-wrap:anywhere}.swagger-ui select,.swagger-ui input{max-width:100%;min-width:0!important}}'

/** Ours instead of the library's own: the mark, and the way to the other pages. */
const inFrame = (html: string): string =>
  html
    .replace('<!-- HTML for static distribution bundle build -->', '')
    .trimStart()
    .replace('<meta charset="UTF-8">', '<meta charset="UTF-8"><meta name="viewport" content="width=device-width">')
    .replace('<div id="swagger-ui"></div>', `${header('/docs')}<main id="swagger-ui"></main>`)

export const registerDocs = async (
  app: FastifyInstance,
  strict: boolean,
  /** Counts what is read. @throws {ProblemError} rate-limited. */
  count: (request: FastifyRequest) => Promise<unknown>,
): Promise<void> => {
  await app.register(async scope => {
    let csp = policy([])
    scope.addHook('onSend', async (request, reply, payload) => {
      secure(reply, request.id, strict)
      reply.header('content-security-policy', csp)
      if (reply.statusCode < 400) reply.header('cache-control', 'public, no-cache')
      const isPage = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html')
      return isPage ? inFrame(payload) : payload
    })
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      uiConfig: {
        deepLinking: true,
        displayOperationId: false,
        tryItOutEnabled: true,
        layout: 'BaseLayout',
        plugins: [locksWhereNeeded],
      },
      uiHooks: {
        onRequest: async request => {
          await count(request)
          if (request.url.split('?')[0] === '/docs/')
            throw new ProblemError('not-found', 'There is nothing at this address; the page is at /docs.')
        },
      },
      theme: {
        title: 'Lexichron: routes',
        css: [{ filename: 'lexichron.css', content: style }],
        js: [{ filename: 'follow.js', content: follow }],
        favicon: [{ filename: 'mark.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: mark }],
      },
    })
    csp = policy(scope.swaggerCSP.style)
  })
}
