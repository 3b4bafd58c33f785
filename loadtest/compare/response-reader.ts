export interface ResponseListener {
  head(status: number): void
  /** A part of the body; `bytes` may be overwritten after the call. */
  body(bytes: Buffer): void
  /** The response is whole, and the connection free for the next. */
  end(): void
}

const HEAD_END = '\r\n\r\n'
const LINE_END = '\r\n'
const NOTHING = Buffer.alloc(0)

/**
 * Reads HTTP/1.1 responses from the chunks of a connection, one after another: with a length, chunked, or without a body
 * (204, 304). `read` throws where a response is none of these.
 */
export class ResponseReader {
  readonly #on: ResponseListener
  #rest: Buffer = NOTHING
  #state: 'head' | 'body' | 'size' | 'chunk' | 'chunk end' | 'trailer' = 'head'
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0

  constructor(on: ResponseListener) {
    this.#on = on
  }

  read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const used = this.#step(bytes)
      if (used < 0) break
      bytes = bytes.subarray(used)
    }
    // Copied: what the socket handed over may be its own to use again.
    this.#rest = bytes.length === 0 ? NOTHING : Buffer.from(bytes)
  }

  /** How many bytes it took, or -1 where it needs more. */
  #step(bytes: Buffer): number {
    if (this.#state === 'head') return this.#head(bytes)
    if (this.#state === 'body' || this.#state === 'chunk') {
      if (bytes.length === 0) return -1
      const part = bytes.subarray(0, this.#left)
      this.#left -= part.length
      this.#on.body(part)
      if (this.#left > 0) return part.length
      if (this.#state === 'body') this.#done()
      else this.#state = 'chunk end'
      return part.length
    }
    const end = bytes.indexOf(LINE_END)
    if (end < 0) return -1
    if (this.#state === 'size') {
      this.#left = Number.parseInt(bytes.toString('latin1', 0, end), 16)
      if (Number.isNaN(this.#left)) throw new Error('a chunk without its size')
      this.#state = this.#left === 0 ? 'trailer' : 'chunk'
    } else if (this.#state === 'chunk end') this.#state = 'size'
    else if (end === 0) this.#done()
    return end + LINE_END.length
  }

  #head(bytes: Buffer): number {
    const end = bytes.indexOf(HEAD_END)
    if (end < 0) return -1
    const text = bytes.toString('latin1', 0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1])
    if (Number.isNaN(status)) throw new Error(`not an HTTP/1.1 response: ${text.slice(0, 80)}`)
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
    const isChunked = /\r\ntransfer-encoding: *chunked/i.test(text)
    const isEmpty = status === 204 || status === 304 || Number(length) === 0
    if (!isEmpty && !isChunked && length === undefined) throw new Error(`a response of unknown length: ${text}`)
    this.#on.head(status)
    if (isEmpty) this.#done()
    else {
      this.#state = isChunked ? 'size' : 'body'
      this.#left = Number(length)
    }
    return end + HEAD_END.length
  }

  #done(): void {
    this.#state = 'head'
    this.#on.end()
  }
}
