import type { HttpReply, HttpRequest } from './reply.ts'

/** Says whether pages of this Origin may use the gateway that the request reached as `host`. Pure. */
export type OriginPolicy = (origin: string, host: string | undefined) => boolean

/** Returns the policy of an allow-list, or of the same host where there is none. */
export const originPolicy = (allowed: readonly string[] | null): OriginPolicy => {
  if (allowed === null) return isSameHost
  const list = new Set(allowed.map((origin) => canonical(origin)))
  return (origin) => list.has(canonical(origin))
}

const canonical = (origin: string): string => {
  const url = URL.parse(origin)
  // A custom scheme has the opaque origin 'null', which every sandboxed page has too.
  return url === null || url.origin === 'null' ? origin.toLowerCase() : url.origin
}
/** Compared under the Origin's scheme, whose port may be left out of either. */
const isSameHost: OriginPolicy = (origin, host) => {
  const page = URL.parse(origin)
  if (host === undefined || page === null || page.host === '') return false
  return URL.parse(`${page.protocol}//${host}`)?.host === page.host
}

const ALLOWED_HEADERS = 'Authorization, Content-Type, Idempotency-Key, Madang-Session, Last-Event-ID'
const PREFLIGHT_SECONDS = '600'

/** Returns the headers that let a page of the request's Origin read the reply; none where it has none or may not. Pure. */
export const corsHeaders = ({ headers }: HttpRequest, allows: OriginPolicy): Record<string, string> => {
  const origin = headers.get('origin')
  if (origin === undefined || !allows(origin, headers.get('host'))) return { Vary: 'Origin' }
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'Location, Retry-After',
  }
}

/** Returns the reply to OPTIONS, a browser's question before a request from another Origin among them. Pure. */
export const preflight = (methods: string, isAllowed: boolean): HttpReply => ({
  status: 204,
  headers: isAllowed
    ? {
        Allow: methods,
        'Access-Control-Allow-Methods': methods,
        'Access-Control-Allow-Headers': ALLOWED_HEADERS,
        'Access-Control-Max-Age': PREFLIGHT_SECONDS,
      }
    : { Allow: methods },
  body: '',
})
