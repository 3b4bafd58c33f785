import type { Clock } from '../../protocol/clock.ts'
import { CLOSE, type CloseCode } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import type { HttpSocket, Peer } from '../socket.ts'
import type { Topics } from '../topics.ts'
import { COMMENT, eventText, takenOver } from './event-text.ts'

/** The body of a response that is written as it comes. Every method is harmless once it has ended. */
export interface Chunks {
  /** False: the peer does not keep up, and nothing more may be written until it has. */
  write(text: string): boolean
  /** To be called while the peer does not keep up, more often than every 8 s: the edge gives up sooner than we do. */
  keep(): void
  end(): void
  cut(): void
}

const KEEP_MS = 5_000
/** Of these; a peer that takes nothing for 30 s is too slow. */
const KEEPS_MOST = 6
const ABNORMAL = 1006
const NORMAL = 1000

/**
 * An open SSE response as a socket of one room. What a peer does not take costs no memory: after a refused write all that follows is
 * dropped, and once the peer has caught up its membership starts anew from a STATE.
 */
export class HttpStream implements HttpSocket {
  readonly response: { room: RoomId; as: 'stream' }
  /** Set before anything is sent. */
  peer: Peer | null = null
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #counts: { bytesOut: number }
  readonly #ended: () => void
  /** Null until the response has begun. */
  #chunks: Chunks | null = null
  #text = COMMENT
  #isCorked = false
  /** Set while the peer does not keep up. */
  #cancelKeep: (() => void) | null = null
  #hasEnded = false

  constructor(room: RoomId, topics: Topics, clock: Clock, counts: { bytesOut: number }, ended: () => void) {
    this.response = { room, as: 'stream' }
    this.#topics = topics
    this.#clock = clock
    this.#counts = counts
    this.#ended = ended
  }

  /** The head of the response was written: what has come for it follows. */
  begin(chunks: Chunks) {
    this.#chunks = chunks
    this.#flush()
    if (this.#hasEnded) chunks.end()
  }

  /** The peer has taken what was written. */
  writable() {
    if (!this.#cancelKeep) return
    this.#cancelKeep()
    this.#cancelKeep = null
    this.peer?.drained()
  }

  /** The peer has gone. */
  gone() {
    this.#finish(ABNORMAL)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#hasEnded || this.#isBlocked) return true
    this.#text += eventText(bytes)
    if (!this.#isCorked) this.#flush()
    return true
  }

  /** What is blocked is dropped, so nothing ever waits here. */
  bufferedAmount(): number {
    return 0
  }

  /** A response hears nothing from its peer but that it takes what is written, or not for too long. */
  ping() {
    this.peer?.alive()
    if (this.#hasEnded || this.#isBlocked) return
    this.#text += COMMENT
    this.#flush()
  }

  cork(task: () => void) {
    this.#isCorked = true
    task()
    this.#isCorked = false
    this.#flush()
  }

  subscribe(topic: string) {
    this.#topics.subscribe(topic, this)
  }

  unsubscribe(topic: string) {
    this.#topics.unsubscribe(topic, this)
  }

  end(code: CloseCode, _reason: string) {
    if (this.#hasEnded) return
    if (this.#isBlocked) return this.cut()
    if (code === CLOSE.takenOver) this.send(takenOver())
    this.#finish(NORMAL)
    this.#chunks?.end()
  }

  cut() {
    if (this.#hasEnded) return
    this.#finish(ABNORMAL)
    this.#chunks?.cut()
  }

  #flush() {
    if (!this.#chunks || this.#text === '' || this.#isBlocked) return
    const text = this.#text
    this.#text = ''
    this.#counts.bytesOut += Buffer.byteLength(text)
    if (this.#chunks.write(text)) return
    this.#keep(this.#chunks, KEEPS_MOST)
    this.peer?.blocked()
  }

  get #isBlocked(): boolean {
    return this.#cancelKeep !== null
  }

  /** Waits for a peer that takes nothing, which is cut in the end. */
  #keep(chunks: Chunks, times: number) {
    this.#cancelKeep = this.#clock.after(KEEP_MS, () => {
      if (times === 1) return this.cut()
      chunks.keep()
      this.#keep(chunks, times - 1)
    })
  }

  #finish(code: number) {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#cancelKeep?.()
    this.peer?.closed(code)
    this.#ended()
  }
}
