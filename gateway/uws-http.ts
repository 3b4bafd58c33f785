import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse } from 'uWebSockets.js'
import { STATUS_CODES } from 'node:http'
import { clientAddress } from './http/credentials.ts'
import { type HttpReply, type HttpRequest, problem, type StreamReply } from './http/reply.ts'
import { SECURITY_HEADERS } from './http/router.ts'
import { HttpStream } from './http/stream.ts'
import { stream } from './uws-stream.ts'

const BODY_BYTES = 65_536

/** Answers one HTTP request by `router`; nothing where the client has gone by then. */
export const answer = (
  res: UwsResponse,
  req: UwsRequest,
  router: (request: HttpRequest) => Promise<HttpReply | StreamReply>,
  trustProxy: number,
  isTls: boolean,
) => {
  let aborted = false
  const gone = Promise.withResolvers<null>()
  res.onAborted(() => {
    aborted = true
    gone.resolve(null)
  })
  const headers = headersOf(req)
  const path = decodedPath(req.getUrl())
  const method = req.getMethod().toUpperCase()
  const body = method === 'POST' ? Promise.race([readBody(res), gone.promise]) : Promise.resolve(new Uint8Array(0))
  const request: HttpRequest = {
    method,
    path: path ?? '/',
    query: new URLSearchParams(req.getQuery()),
    headers,
    address: clientAddress(textOf(res.getRemoteAddressAsText()), headers.get('x-forwarded-for'), trustProxy),
    isSecure: isTls || (trustProxy > 0 && headers.get('x-forwarded-proto') === 'https'),
    async body(bytes) {
      const read = await body
      return read !== null && read.length <= bytes ? read : null
    },
    onGone: (task) => void gone.promise.then(task),
  }
  const reply = path === null ? withSecurity(problem('bad_frame', 'the path is not valid')) : router(request)
  Promise.resolve(reply).then((reply) => {
    if (!aborted) res.cork(() => write(res, method, reply))
  })
}

/** All headers by lowercase name; those that came more than once are joined as HTTP says. */
export const headersOf = (req: UwsRequest): Map<string, string> => {
  const headers = new Map<string, string>()
  req.forEach((name, value) => {
    const present = headers.get(name)
    headers.set(name, present === undefined ? value : `${present}, ${value}`)
  })
  return headers
}

export const textOf = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('latin1')

const decodedPath = (url: string): string | null => {
  try {
    return decodeURIComponent(url)
  } catch {
    return null
  }
}

/** Resolves with the body, or with null where it is too long; what comes after that is dropped. */
const readBody = (res: UwsResponse): Promise<Uint8Array | null> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    res.onData((chunk, isLast) => {
      length += chunk.byteLength
      if (length > BODY_BYTES) return resolve(null)
      chunks.push(Buffer.from(chunk.slice(0)))
      if (isLast) resolve(Buffer.concat(chunks))
    })
  })

export const withSecurity = (reply: HttpReply): HttpReply => ({
  ...reply,
  headers: { ...SECURITY_HEADERS, ...reply.headers },
})

/** Sends a whole reply; what the peer does not take at once follows as it takes it. */
export const write = (res: UwsResponse, method: string, { status, headers, body }: HttpReply | StreamReply) => {
  res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`)
  for (const [name, value] of Object.entries(headers)) res.writeHeader(name, value)
  if (status === 204 || status === 304) {
    res.endWithoutBody()
    return
  }
  if (body instanceof HttpStream) {
    stream(res, body)
    return
  }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  if (method === 'HEAD') {
    res.endWithoutBody(bytes.length)
    return
  }
  // The rest of a body that is too long would be read as the next request.
  if (status === 413) {
    res.end(bytes, true)
    return
  }
  const start = res.getWriteOffset()
  const [, isDone] = res.tryEnd(bytes, bytes.length)
  if (!isDone) res.onWritable((offset) => res.tryEnd(bytes.subarray(offset - start), bytes.length)[0])
}
