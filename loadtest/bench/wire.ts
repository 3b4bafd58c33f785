import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * A WebSocket connection of the load generator: `open` resolves once it is upgraded. It masks with a key of zeros and reads
 * only what a server of ours sends (whole, unmasked messages), so that the generator costs as little as it can.
 */
export class Wire {
  readonly socket: Socket
  /** Hears each binary message: `bytes` from `at` up to `end`, which may be overwritten after the call. */
  onMessage: (bytes: Buffer, at: number, end: number) => void = () => {}
  /** Why the connection ended, or null while it is open. */
  ended: string | null = null
  #rest: Buffer | null = null
  #isUpgraded = false
  readonly #upgraded = Promise.withResolvers<void>()

  /** `headers`: what the upgrade says besides what it must, each line with its end. */
  static async open(port: number, path: string, from: string, headers = ''): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true })
    const wire = new Wire(socket)
    await once(socket, 'connect')
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: bWFkYW5nIGxvYWQgdGVzdA==\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`,
    )
    await wire.#upgraded.promise
    return wire
  }

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
    const end = (why: string) => {
      this.ended ??= why
      this.#upgraded.reject(new Error(why))
    }
    this.#upgraded.promise.catch(() => {})
    socket.on('error', (error) => end(error.message))
    socket.on('close', () => end('closed'))
  }

  /** Sends messages that `masked` has framed, one or several in one buffer. */
  write(framed: Uint8Array): void {
    this.socket.write(framed)
  }

  /** Resolves with a copy of the next message for which `wanted` holds; rejects where the connection ends first. */
  next(wanted: (bytes: Buffer) => boolean): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const before = this.onMessage
    const gone = () => reject(new Error(`the connection ended while it waited: ${this.ended}`))
    this.socket.once('close', gone)
    this.onMessage = (bytes, at, end) => {
      before(bytes, at, end)
      const message = Buffer.from(bytes.subarray(at, end))
      if (!wanted(message)) return
      this.onMessage = before
      this.socket.off('close', gone)
      resolve(message)
    }
    return promise
  }

  cut(): void {
    this.socket.destroy()
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = null
    if (!this.#isUpgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) {
        this.#rest = bytes
        return
      }
      const status = bytes.subarray(0, bytes.indexOf('\r\n')).toString()
      if (!status.includes(' 101 ')) {
        this.#fail(`refused: ${status}`)
        return
      }
      this.#isUpgraded = true
      this.#upgraded.resolve()
      bytes = bytes.subarray(end + 4)
    }
    let at = 0
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] ?? 0
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length - at < header) break
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
      const end = at + header + length
      if (end > bytes.length) break
      const op = bytes[at] ?? 0
      if (op === 0x82) this.onMessage(bytes, at + header, end)
      else if (op === 0x89) this.write(Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0))
      else {
        this.#fail(`the server sent ${op.toString(16)}: ${bytes.subarray(at + header, end).toString('latin1')}`)
        return
      }
      at = end
    }
    if (at < bytes.length) this.#rest = bytes.subarray(at)
  }

  #fail(why: string): void {
    this.ended = why
    this.socket.destroy()
    this.#upgraded.reject(new Error(why))
  }
}

/** These messages, each framed as a client's binary message. */
export const masked = (...messages: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    messages.flatMap((message) => {
      const { length } = message
      const head = length < 126 ? [0x82, 0x80 | length] : [0x82, 0x80 | 126, length >> 8, length & 255]
      if (length > 65_535) throw new RangeError('messages of up to 64 KiB only')
      return [Uint8Array.from([...head, 0, 0, 0, 0]), message]
    }),
  )
