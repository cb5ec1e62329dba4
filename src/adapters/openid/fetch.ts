/** How providers are asked: answers are bounded, and their keys are kept for when they are away for a while. */
import type { CustomFetch, CustomFetchOptions } from 'openid-client'

/** Documents of providers have a few kilobytes; a hostile one may send without end. */
const LARGEST = 256 * 1024
/** A key that was withdrawn is believed for so long at most, and only while the provider does not answer. */
const KEPT_MS = 24 * 60 * 60_000

/** @throws when the body is longer than is read. */
const bodyOf = async (response: Response): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > LARGEST) throw new TypeError('the answer is too long')
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

const BODILESS: ReadonlySet<number> = new Set([101, 204, 205, 304])

const ask = async (
  url: string,
  { body, headers, method, signal }: CustomFetchOptions,
  ending: AbortSignal,
): Promise<Response> => {
  // Providers are not followed elsewhere: what they redirect to was not named in the settings.
  const asked = {
    method,
    headers,
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, ending]) : ending,
  } as const
  const sent =
    body === null || body === undefined ? asked : { ...asked, body: body instanceof ReadableStream ? null : body }
  const response = await fetch(url, sent)
  const bytes = await bodyOf(response)
  const { status, headers: told } = response
  return new Response(BODILESS.has(status) ? null : bytes, { status, headers: told })
}

/** `now`: monotonic milliseconds. `isKeySet` says which address has the keys; `ending` cuts what is on its way. */
export const openProviderFetch = (
  now: () => number,
  isKeySet: (url: string) => boolean,
  ending: AbortSignal,
): CustomFetch => {
  let kept: { readonly url: string; readonly text: string; readonly at: number } | undefined
  return async (url, options) => {
    if (options.method !== 'GET' || !isKeySet(url)) return ask(url, options, ending)
    const found = await ask(url, options, ending).catch((error: unknown) => error)
    if (found instanceof Response && found.status === 200) {
      kept = { url, text: await found.clone().text(), at: now() }
      return found
    }
    if (kept?.url === url && now() - kept.at < KEPT_MS)
      return new Response(kept.text, { headers: { 'content-type': 'application/json' } })
    if (found instanceof Response) return found
    throw found
  }
}
