import { connect, type Socket } from 'node:net'
import { type ResponseListener, ResponseReader } from './response-reader.ts'
import type { Tally } from './tally.ts'

export interface RequestListener extends ResponseListener {
  /** The connection was lost before the response was whole; nothing follows. */
  failed(why: string): void
}

/** Browsers open this many to one server over HTTP/1.1, and let further requests wait. */
const MOST = 6

interface Request {
  text: string
  body: Uint8Array | null
  on: RequestListener
  /** Sent again on a new connection where a kept one turns out to be closed: the server did not see it. */
  isAgain: boolean
}

interface Connection {
  readonly socket: Socket
  request: Request | null
  /** Whether anything of the response came. */
  hasBegun: boolean
}

/** One player's HTTP/1.1 connections, kept alive and used again as a browser does. Every byte is counted in `tally`. */
export class HttpConnections {
  readonly #port: number
  readonly #address: string
  readonly #tally: Tally
  readonly #all = new Set<Connection>()
  readonly #free: Connection[] = []
  readonly #waiting: Request[] = []
  #isClosed = false

  constructor(port: number, address: string, tally: Tally) {
    this.#port = port
    this.#address = address
    this.#tally = tally
  }

  /** Sends a whole request: its line and headers as text, then its body. */
  send(text: string, body: Uint8Array | null, on: RequestListener): void {
    this.#send({ text, body, on, isAgain: false })
  }

  close(): void {
    this.#isClosed = true
    for (const { socket } of this.#all) socket.destroy()
    this.#all.clear()
  }

  #send(request: Request): void {
    const kept = this.#free.pop()
    if (kept !== undefined) this.#write(kept, request)
    else if (this.#all.size < MOST) this.#write(this.#open(), request)
    else this.#waiting.push(request)
  }

  #write(connection: Connection, request: Request): void {
    const { text, body } = request
    connection.request = request
    connection.hasBegun = false
    this.#tally.messagesUp += 1
    this.#tally.bytesUp += text.length + (body?.length ?? 0)
    // In one write: two would be two packets.
    connection.socket.write(
      body === null ? Buffer.from(text, 'latin1') : Buffer.concat([Buffer.from(text, 'latin1'), body]),
    )
  }

  #open(): Connection {
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress: this.#address, noDelay: true })
    const connection: Connection = { socket, request: null, hasBegun: false }
    this.#all.add(connection)
    this.#tally.connections += 1
    const reader = new ResponseReader({
      head: (status) => connection.request?.on.head(status),
      body: (bytes) => connection.request?.on.body(bytes),
      end: () => {
        const on = connection.request?.on
        connection.request = null
        this.#tally.messagesDown += 1
        const next = this.#waiting.shift()
        if (next === undefined) this.#free.push(connection)
        else this.#write(connection, next)
        on?.end()
      },
    })
    socket.on('data', (chunk) => {
      connection.hasBegun = true
      this.#tally.bytesDown += chunk.length
      try {
        reader.read(chunk)
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    })
    let why = 'the server closed the connection'
    socket.on('error', (error) => (why = error.message))
    socket.on('close', () => this.#lost(connection, why))
    return connection
  }

  #lost(connection: Connection, why: string): void {
    this.#all.delete(connection)
    const at = this.#free.indexOf(connection)
    if (at >= 0) this.#free.splice(at, 1)
    const { request } = connection
    if (this.#isClosed) return
    if (request !== null && (connection.hasBegun || request.isAgain)) request.on.failed(why)
    else if (request !== null) this.#waiting.push({ ...request, isAgain: true })
    const next = this.#waiting.shift()
    if (next !== undefined) this.#send(next)
  }
}
