import { splitFrames } from '../../protocol/batch.ts'
import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { bodyOf } from '../body.ts'
import type { Environment, FetchAnswer } from '../environment.ts'
import { MadangError } from '../error.ts'
import type { Pass, TransportName } from '../link.ts'
import type { Wire } from '../wire.ts'

/** What the requests over HTTP have in common. */
export interface HttpParts {
  readonly environment: Environment
  /** `http://host` or `https://host`, without a slash at the end. */
  readonly origin: string
  readonly transport: TransportName
  readonly pass: Pass
  readonly wire: Wire
  /** Called whenever the server is heard. */
  heard(): void
}

export interface Answer {
  readonly status: number
  readonly body: Uint8Array
  /** Ms that the server asks to wait; 0 where it did not. */
  readonly retryAfter: number
}

/** A request on its way. */
export interface Call {
  /** Rejects with MadangError `unavailable`: `detail` is `timeout` where nothing came within the time. */
  readonly answer: Promise<Answer>
  abort(): void
}

export interface StreamListener {
  /** The answer's head came. */
  opened(answer: Pick<Answer, 'status' | 'retryAfter'>): void
  chunk(bytes: Uint8Array): void
  /** Once; not after `abort`. */
  ended(): void
}

const MSGPACK = 'application/vnd.msgpack'

/** The HTTP requests of one link: with its player and session, each within a time, all of them ended at once by `close`. */
export class Http {
  readonly #parts: HttpParts
  /** What ends each request that runs. */
  readonly #running = new Set<() => void>()

  constructor(parts: HttpParts) {
    this.#parts = parts
  }

  /** Asks, and reads the whole answer. `body`: msgpack frames; without: GET. `within`: ms. */
  ask(path: string, within: number, body?: Uint8Array): Call {
    const { environment } = this.#parts
    const abort = new AbortController()
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    promise.catch(() => {})
    const end = (): void => {
      cancelTimeout()
      this.#running.delete(end)
      abort.abort()
    }
    this.#running.add(end)
    const cancelTimeout = environment.clock.after(within, () => {
      end()
      reject(new MadangError('unavailable', `${path}: no answer within ${within / 1000} s`, 'timeout'))
    })
    this.#fetch(path, MSGPACK, abort, body)
      .then(async (answer) => {
        const bytes = await bodyOf(answer)
        if (this.#parts.wire.watched) this.#tellBody('down', bytes, answer.headers.get('content-type') === MSGPACK)
        resolve({ status: answer.status, body: bytes, retryAfter: retryAfter(answer) })
      })
      .catch((error: unknown) => reject(new MadangError('unavailable', `${path} was not answered: ${error}`)))
      .finally(() => {
        cancelTimeout()
        this.#running.delete(end)
      })
    return { answer: promise, abort: end }
  }

  /** Asks for a stream of events. Returns the end of it. */
  stream(path: string, on: StreamListener): () => void {
    const abort = new AbortController()
    const end = (): void => {
      this.#running.delete(end)
      abort.abort()
    }
    this.#running.add(end)
    const run = async (): Promise<void> => {
      const answer = await this.#fetch(path, 'text/event-stream', abort)
      if (abort.signal.aborted) return
      on.opened({ status: answer.status, retryAfter: retryAfter(answer) })
      const reader = answer.body?.getReader()
      while (reader && !abort.signal.aborted) {
        const { done, value } = await reader.read()
        if (done || abort.signal.aborted) return
        this.#parts.heard()
        if (value) on.chunk(value)
      }
    }
    run()
      .catch(() => {})
      .finally(() => {
        this.#running.delete(end)
        if (!abort.signal.aborted) on.ended()
      })
    return end
  }

  /** Ends every request. */
  close(): void {
    for (const end of [...this.#running]) end()
  }

  async #fetch(path: string, accept: string, abort: AbortController, body?: Uint8Array): Promise<FetchAnswer> {
    const { environment, origin, transport, pass, wire } = this.#parts
    const headers: Record<string, string> = { accept, 'madang-session': pass.session }
    if (pass.token !== null) headers.authorization = `Bearer ${pass.token}`
    if (body) headers['content-type'] = MSGPACK
    const method = body ? 'POST' : 'GET'
    if (wire.watched) {
      wire.head(transport, 'up', headText(`${method} ${path} HTTP/1.1`, Object.entries(headers)))
      if (body) this.#tellBody('up', body, true)
    }
    const { signal } = abort
    const answer = await environment.fetch(`${origin}${path}`, {
      method,
      headers,
      signal,
      ...(body && { body: new Uint8Array(body) }),
      ...(pass.token === null && { credentials: 'include' }),
    })
    if (!signal.aborted) this.#parts.heard()
    if (wire.watched) {
      const fields: [string, string][] = []
      answer.headers.forEach((value, name) => {
        fields.push([name, value])
      })
      wire.head(transport, 'down', headText(`HTTP/1.1 ${answer.status}`, fields))
    }
    return answer
  }

  #tellBody(direction: 'up' | 'down', body: Uint8Array, isFrames: boolean): void {
    const { transport, wire } = this.#parts
    const bytes = body.length
    if (bytes === 0) return
    const text = isFrames ? null : new TextDecoder().decode(body)
    wire.tell({ transport, direction, kind: 'frames', bytes, text, frames: isFrames ? readable(body) : [] })
  }
}

/** What the bytes hold; nothing where they are no frames. */
const readable = (bytes: Uint8Array): unknown[] => {
  try {
    return splitFrames(bytes, SERVER_LIMITS).map((frame) => decode(frame, SERVER_LIMITS))
  } catch {
    return []
  }
}

const headText = (line: string, fields: [string, string][]): string =>
  `${line}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`

/** Dates, the other form of the header, are not used by this server. */
const retryAfter = ({ headers }: FetchAnswer): number => {
  const seconds = Number(headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}
