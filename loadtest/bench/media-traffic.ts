import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { AUDIO_40, Stream } from './media-rtp.ts'

const TICK_MS = 4
/** Later than this is not made good: the generator had no core, and a burst would measure something else. */
const LATE_MS = 100
const RECEIVE_BUFFER_BYTES = 4 * 2 ** 20
/** Arrivals that an ear remembers. */
const REMEMBERED = 8_192

/** Milliseconds of the system's monotonic clock, the same in all processes; never set back. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

const connected = async (port: number): Promise<Socket> => {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES })
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** One who receives on a socket of its own: counts the packets, and keeps when the last of them came. */
export class Ear {
  packets = 0
  readonly #socket: Socket
  readonly #arrivals = new Float64Array(REMEMBERED)

  /** `port`: of the server's transport, which sends to where the first packet comes from. */
  static async open(port: number, ssrc: number): Promise<Ear> {
    const socket = await connected(port)
    const ear = new Ear(socket)
    socket.send(new Stream(ssrc, AUDIO_40).next())
    return ear
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes) => this.#hear(bytes))
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** When the last packet came in this time; null where none did, or it is forgotten. */
  lastBetween(from: number, to: number): number | null {
    const kept = this.#arrivals
    for (let back = 1; back <= Math.min(this.packets, kept.length); back++) {
      const at = kept[(this.packets - back) % kept.length] ?? 0
      if (at < from) return null
      if (at < to) return at
    }
    return null
  }

  close(): void {
    this.#socket.close()
  }

  #hear(bytes: Buffer): void {
    const type = bytes[1] ?? 0
    const isRtcp = type >= 192 && type <= 223
    if (isRtcp) return
    this.#arrivals[this.packets % REMEMBERED] = monotonicMs()
    this.packets++
  }
}

/** One who sends. */
export class Mouth {
  readonly streams: readonly Stream[]
  /** Packets, by stream. */
  readonly sent: number[]
  readonly #due: number[]
  readonly #socket: Socket

  static async open(port: number, streams: readonly Stream[]): Promise<Mouth> {
    return new Mouth(await connected(port), streams)
  }

  private constructor(socket: Socket, streams: readonly Stream[]) {
    this.#socket = socket
    this.streams = streams
    this.sent = streams.map(() => 0)
    this.#due = streams.map(() => 0)
    // Reports of the server come here too, and are of no interest.
    socket.on('message', () => {})
  }

  begin(now: number): void {
    for (const [nth, { ssrc, shape }] of this.streams.entries()) {
      const every = 1_000 / shape.perSecond
      // So that not all send at once.
      this.#due[nth] = now + ((ssrc * 7) % 20) * (every / 20)
    }
  }

  send(now: number): void {
    for (const [nth, stream] of this.streams.entries()) {
      let due = this.#due[nth] ?? now
      if (due < now - LATE_MS) due = now
      for (; due <= now; due += 1_000 / stream.shape.perSecond) {
        this.#socket.send(stream.next())
        this.sent[nth] = (this.sent[nth] ?? 0) + 1
      }
      this.#due[nth] = due
    }
  }

  close(): void {
    this.#socket.close()
  }
}

/** Has them all send until the function that it returns is called. */
export const speak = (mouths: readonly Mouth[]): (() => void) => {
  for (const mouth of mouths) mouth.begin(monotonicMs())
  const timer = setInterval(() => {
    const now = monotonicMs()
    for (const mouth of mouths) mouth.send(now)
  }, TICK_MS)
  return () => clearInterval(timer)
}

/** Packets that came to these and found no room in their sockets: the generator had no core to read them. From /proc. */
export const droppedAt = (ears: readonly Ear[]): number => {
  const ports = new Set(ears.map(({ port }) => port))
  let dropped = 0
  for (const line of readFileSync('/proc/net/udp', 'latin1').split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)
    if (ports.has(port)) dropped += Number(fields.at(-1))
  }
  return dropped
}
