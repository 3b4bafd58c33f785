import { encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { getHeaders, postHeaders } from './headers.ts'
import { headAt } from './heads.ts'
import { HttpConnections } from './http-connections.ts'
import type { Link, LinkOptions } from './link.ts'

export const STREAM = 'text/event-stream'
export const FRAMES = 'application/vnd.msgpack'

/** The requests of one player over HTTP: frames go up by `POST /v1/send`, one a request, as moves come one at a time. */
export class HttpLink implements Link {
  readonly #options: LinkOptions
  readonly #connections: HttpConnections
  readonly #headers = new Map<string, string>()
  #isClosed = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.#connections = new HttpConnections(options.seat.port, options.seat.address, options.tally)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Resolves with the JOIN's OK; rejects with why there is none. */
  join(): Promise<void> {
    const { seat, since, ref } = this.#options
    const frame = encode([OP.join, ref, seat.room, since > 0 ? { since } : null])
    return new Promise((resolve, reject) => this.#post(frame, resolve, (why) => reject(new Error(why))))
  }

  send(frame: Uint8Array): void {
    this.#post(
      frame,
      () => {},
      (why) => this.fail(why),
    )
  }

  /** Asks for what a path names; `body` hears parts of the answer as they come. */
  get(path: string, accept: string, body: (bytes: Buffer) => void, end: (status: number) => void): void {
    let status = 0
    this.#connections.send(`GET ${path} HTTP/1.1\r\n${this.#headersOf(accept)}`, null, {
      head: (is) => {
        status = is
        if (is !== 200 && is !== 204) this.fail(`GET ${path} was answered ${is}`)
      },
      body,
      end: () => end(status),
      failed: (why) => this.fail(`GET ${path}: ${why}`),
    })
  }

  fail(why: string): void {
    if (!this.#isClosed) this.#options.on.failed(why)
  }

  close(): void {
    this.#isClosed = true
    this.#connections.close()
  }

  #headersOf(accept: string): string {
    const known = this.#headers.get(accept) ?? getHeaders(this.#options.seat, accept)
    this.#headers.set(accept, known)
    return known
  }

  #post(frame: Uint8Array, done: () => void, failed: (why: string) => void): void {
    const { seat, on } = this.#options
    let status = 0
    const parts: Buffer[] = []
    this.#connections.send(`POST /v1/send HTTP/1.1\r\n${postHeaders(seat, frame.length)}`, frame, {
      head: (is) => (status = is),
      body: (bytes) => parts.push(Buffer.from(bytes)),
      end: () => {
        const answer = Buffer.concat(parts)
        const head = status === 200 ? headAt(answer, 0) : null
        if (head === null || !('ref' in head))
          return failed(`POST /v1/send was answered ${status}: ${answer.toString('latin1')}`)
        on.answered(head.ref, head.value)
        done()
      },
      failed: (why) => failed(`POST /v1/send: ${why}`),
    })
  }
}
