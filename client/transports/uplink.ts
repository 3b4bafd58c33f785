import type { Clock } from '../../protocol/clock.ts'
import { concat } from '../../protocol/codec.ts'
import { OP, type Ref, type RoomId } from '../../protocol/frames.ts'

/** What `POST /v1/send` takes at once, with room for a PING. */
const BATCH_BYTES = 65_536 - 16
/** CASTs and INPUTs alone leave at most this often, ms. */
const EPHEMERAL_MS = 50
/** Channels of rooms whose newest CAST or INPUT waits; more are dropped. */
const MOST_EPHEMERAL = 64

/** A frame that goes up. */
export interface Upward {
  readonly op: number
  readonly ref: Ref | null
  readonly room: RoomId | null
  /** As it was decoded. */
  readonly frame: readonly unknown[]
  readonly bytes: Uint8Array
}

/** What became of a batch. `again`: it is not known to be answered, to be sent again after so many ms. `over`: never again. */
export type Posted = 'answered' | { readonly again: number } | 'over'

export interface UplinkPort {
  readonly clock: Clock
  /** Sends frames back to back. Never rejects. */
  post(body: Uint8Array, batch: readonly Upward[]): Promise<Posted>
}

/** A call that may wait for a media worker: no move waits for it. Pure. */
export const isMediaCall = ({ op, frame }: Upward): boolean => op === OP.call && String(frame[3]).startsWith('media.')

const isEphemeral = ({ op }: Upward): boolean => op === OP.cast || op === OP.input

/**
 * What goes up over HTTP: one request at a time, and all that was sent meanwhile with the next. Of CASTs and INPUTs the newest of
 * each room and channel goes along. What had no answer goes again, in its order and before what is newer.
 */
export class Uplink {
  readonly #port: UplinkPort
  #queue: Upward[] = []
  readonly #newest = new Map<string, Upward>()
  #bytes = 0
  #busy = false
  #scheduled = false
  #over = false
  #lastPost = Number.NEGATIVE_INFINITY
  #cancel: () => void = () => {}

  constructor(port: UplinkPort) {
    this.#port = port
  }

  /** Bytes that wait to leave. */
  get buffered(): number {
    return this.#bytes
  }

  send(frame: Upward): void {
    if (isEphemeral(frame)) {
      const key = `${frame.op} ${frame.room} ${frame.op === OP.cast ? frame.frame[2] : ''}`
      const before = this.#newest.get(key)
      if (before === undefined && this.#newest.size >= MOST_EPHEMERAL) return
      this.#bytes += frame.bytes.length - (before?.bytes.length ?? 0)
      this.#newest.set(key, frame)
    } else {
      this.#bytes += frame.bytes.length
      this.#queue.push(frame)
    }
    this.#schedule()
  }

  close(): void {
    this.#over = true
    this.#cancel()
  }

  /** At the end of this turn, so that what is sent together goes together. */
  #schedule(): void {
    if (this.#busy || this.#scheduled) return
    this.#scheduled = true
    this.#port.clock.soon(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#busy || this.#over || this.#bytes === 0) return
    this.#cancel()
    const early = Math.min(EPHEMERAL_MS, this.#lastPost + EPHEMERAL_MS - this.#port.clock.now())
    if (this.#queue.length === 0 && early > 0) {
      this.#cancel = this.#port.clock.after(early, () => this.#pump())
      return
    }
    const batch = this.#take()
    this.#busy = true
    this.#lastPost = this.#port.clock.now()
    void this.#port.post(concat(...batch.map(({ bytes }) => bytes)), batch).then((outcome) => {
      if (this.#over || outcome === 'over') return
      if (outcome === 'answered') {
        this.#busy = false
        this.#pump()
        return
      }
      const again = batch.filter((frame) => !isEphemeral(frame))
      this.#queue = [...again, ...this.#queue]
      for (const { bytes } of again) this.#bytes += bytes.length
      this.#cancel = this.#port.clock.after(outcome.again, () => {
        this.#busy = false
        this.#pump()
      })
    })
  }

  #take(): Upward[] {
    const batch: Upward[] = []
    let room = BATCH_BYTES
    const fits = ({ bytes }: Upward): boolean => bytes.length <= room
    const add = (frame: Upward): void => {
      batch.push(frame)
      room -= frame.bytes.length
      this.#bytes -= frame.bytes.length
    }
    let count = 0
    for (const frame of this.#queue) {
      if (!fits(frame)) break
      add(frame)
      count++
    }
    this.#queue.splice(0, count)
    for (const [key, frame] of this.#newest) {
      if (!fits(frame)) break
      this.#newest.delete(key)
      add(frame)
    }
    return batch
  }
}
