import type { Clock } from '../../protocol/clock.ts'
import { decode, readHead, SERVER_LIMITS } from '../../protocol/codec.ts'
import { CLOSE, type CloseCode } from '../../protocol/errors.ts'
import { OP, type RoomId } from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'
import type { HttpSocket, Peer } from '../socket.ts'
import type { Topics } from '../topics.ts'

/** CASTs and NOTEs alone end a poll, but not each for itself; how many watch waits for something else to say. */
const GATHER_MS = 100
/** Where a player holds too many polls of a room the oldest gives way. Answered at once, it would come back at once, and push out the next. */
const PUSHED_OUT_MS = 1_000
const NORMAL = 1000
const ABNORMAL = 1006
const NEWS: ReadonlySet<number> = new Set([OP.state, OP.patch, OP.emit])

/**
 * A poll that waits, as a socket of one room: it ends with the first document or EMIT, and takes along what comes in the same turn.
 * It resolves once, and is deaf afterwards: the next poll goes on from the seq that this one is answered with.
 */
export class HeldPoll implements HttpSocket {
  readonly response: { room: RoomId; as: 'held' }
  /** Set before anything is sent. */
  peer: Peer | null = null
  /** Resolves with what came; with nothing at the end of its wait, when BYE says to come back, or when the peer has gone. */
  readonly ended: Promise<readonly Uint8Array[]>
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #resolve: (frames: readonly Uint8Array[]) => void
  readonly #frames: Uint8Array[] = []
  #bytes = 0
  #ending: 'not yet' | 'gathering' | 'soon' | 'ended' = 'not yet'
  readonly #cancel: (() => void)[] = []

  constructor(room: RoomId, topics: Topics, clock: Clock, waitMs: number) {
    const { promise, resolve } = Promise.withResolvers<readonly Uint8Array[]>()
    this.response = { room, as: 'held' }
    this.#topics = topics
    this.#clock = clock
    this.ended = promise
    this.#resolve = resolve
    this.#cancel.push(
      clock.after(waitMs, () => {
        this.#finish(NORMAL)
        this.#leave()
      }),
    )
  }

  send(bytes: Uint8Array): boolean {
    if (this.#ending === 'ended') return true
    const { op } = readHead(bytes)
    if (op === OP.bye) {
      // Answered at once, all who poll would come back at once.
      this.#cancel.push(this.#clock.after(returnsAfter(bytes), () => this.#finish(NORMAL)))
      return true
    }
    this.#frames.push(bytes)
    this.#bytes += bytes.length
    if (NEWS.has(op)) {
      if (this.#ending !== 'soon') this.#clock.soon(() => this.#finish(NORMAL))
      this.#ending = 'soon'
    } else if (this.#ending === 'not yet' && !isCount(op, bytes)) {
      this.#ending = 'gathering'
      this.#cancel.push(this.#clock.after(GATHER_MS, () => this.#finish(NORMAL)))
    }
    return true
  }

  /** CASTs and NOTEs are left out above a limit; a document is not, and nothing follows it. */
  bufferedAmount(): number {
    return this.#ending === 'soon' ? 0 : this.#bytes
  }

  /** The response says nothing until its end, which comes soon enough. */
  ping() {
    this.peer?.alive()
  }

  cork(task: () => void) {
    task()
  }

  subscribe(topic: string) {
    this.#topics.subscribe(topic, this)
  }

  unsubscribe(topic: string) {
    this.#topics.unsubscribe(topic, this)
  }

  end(code?: CloseCode) {
    if (code !== CLOSE.takenOver || this.#ending !== 'not yet') return this.#finish(NORMAL)
    this.#ending = 'ended'
    this.#clock.after(PUSHED_OUT_MS, () => this.#leave())
    this.peer?.closed(NORMAL)
  }

  cut() {
    this.#finish(ABNORMAL)
  }

  #finish(code: number) {
    if (this.#ending === 'ended') return
    this.#ending = 'ended'
    this.peer?.closed(code)
    this.#leave()
  }

  #leave() {
    for (const cancel of this.#cancel) cancel()
    this.#resolve(this.#frames)
  }
}

/** The `retryAfter` of a BYE, ms. */
const returnsAfter = (bytes: Uint8Array): number => {
  const bye = parseServerFrame(decode(bytes, SERVER_LIMITS))
  return (bye?.[0] === OP.bye && bye[2].retryAfter) || 0
}

/** Whether it is the NOTE of how many watch: where people come and go, each poll would end with it. */
const isCount = (op: number, bytes: Uint8Array): boolean => {
  if (op !== OP.note) return false
  const frame = decode(bytes, SERVER_LIMITS)
  return Array.isArray(frame) && frame[2] === 'spectators'
}
