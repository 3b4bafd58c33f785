import { uint32At } from '../protocol/scan.ts'

/** Begins each part of a message that was cut: no msgpack value begins with it. */
const MARK = 0xc1
export const SENDER_BYTES = 8
/** After the mark and the sender: the message's number, this part's index, and how many parts there are. */
const HEAD_BYTES = 1 + SENDER_BYTES + 3 * 4

/** Larger ones are not sent. */
export const MESSAGE_MOST_BYTES = 32 * 1024 * 1024

/**
 * The parts of a message, none larger than `most`, each with a head by which a Joiner puts them together again. Pure.
 * `number`: never used twice in a row by that sender.
 */
export const cut = (message: Uint8Array, most: number, sender: Uint8Array, number: number): Uint8Array[] => {
  const bodyMost = most - HEAD_BYTES
  const count = Math.ceil(message.length / bodyMost)
  return Array.from({ length: count }, (_, index) => {
    const body = message.subarray(index * bodyMost, (index + 1) * bodyMost)
    const part = new Uint8Array(HEAD_BYTES + body.length)
    part[0] = MARK
    part.set(sender, 1)
    const head = new DataView(part.buffer, 1 + SENDER_BYTES)
    head.setUint32(0, number)
    head.setUint32(4, index)
    head.setUint32(8, count)
    part.set(body, HEAD_BYTES)
    return part
  })
}

export const isPart = (bytes: Uint8Array): boolean => bytes[0] === MARK && bytes.length > HEAD_BYTES

interface Unfinished {
  number: number
  count: number
  parts: Uint8Array[]
  bytes: number
}

/**
 * Puts messages together from their parts, which arrive in order from each sender, with those of other senders between. A lost
 * part loses its message. Holds no more than `most` bytes of unfinished ones: the oldest give way.
 */
export class Joiner {
  readonly #most: number
  /** By sender; the oldest first. */
  readonly #unfinished = new Map<string, Unfinished>()
  #held = 0

  constructor(most: number = MESSAGE_MOST_BYTES) {
    this.#most = most
  }

  get heldBytes(): number {
    return this.#held
  }

  /** The whole message where this is the last part of it, else null. Keeps `part`. */
  take(part: Uint8Array): Uint8Array | null {
    const sender = Array.from(part.subarray(1, 1 + SENDER_BYTES), (byte) => byte.toString(16)).join(' ')
    const [number, index, count] = [headAt(part, 0), headAt(part, 4), headAt(part, 8)]
    if (index === 0) {
      this.#forget(sender)
      this.#unfinished.set(sender, { number, count, parts: [], bytes: 0 })
    }
    const message = this.#unfinished.get(sender)
    if (message === undefined) return null
    if (message.number !== number || message.count !== count || message.parts.length !== index || index >= count) {
      this.#forget(sender)
      return null
    }
    const body = part.subarray(HEAD_BYTES)
    message.parts.push(body)
    message.bytes += body.length
    this.#held += body.length
    if (message.parts.length === count) {
      this.#forget(sender)
      return join(message)
    }
    for (const [oldest] of this.#unfinished) {
      if (this.#held <= this.#most) break
      this.#forget(oldest)
    }
    return null
  }

  clear(): void {
    this.#unfinished.clear()
    this.#held = 0
  }

  #forget(sender: string): void {
    this.#held -= this.#unfinished.get(sender)?.bytes ?? 0
    this.#unfinished.delete(sender)
  }
}

const headAt = (part: Uint8Array, at: number): number => uint32At(part, 1 + SENDER_BYTES + at)

const join = ({ parts, bytes }: Unfinished): Uint8Array => {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
