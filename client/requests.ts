import type { Chance, Clock } from '../protocol/clock.ts'
import { encode } from '../protocol/codec.ts'
import { type ErrorCode, isRetryable, messageOf } from '../protocol/errors.ts'
import { type ClientFrame, type ErrFrame, FRAME_LIMITS, type Ref } from '../protocol/frames.ts'
import { backoff } from './backoff.ts'
import { MadangError } from './error.ts'

/**
 * How far a request may run ahead of the oldest one without an answer. The server keeps the last 64 answers of a session, so
 * the oldest can always be sent again; the rest is for the JOINs of reconnects.
 */
const WINDOW = 48
const MOST_WAITING = 512
const RETRY_CAP_MS = 5_000

export interface Answer {
  ok(value: unknown): void
  failed(error: MadangError): void
  /** `unavailable` is told at once, instead of asking again until the deadline. */
  readonly impatient?: boolean
}

interface Pending {
  readonly ref: Ref
  readonly bytes: Uint8Array
  readonly answer: Answer
  /** Of this connection only: given up without a word when it ends. */
  readonly bound: boolean
  readonly cancelDeadline: () => void
  cancelRetry: () => void
  /** Refusals that asked to come again. */
  attempts: number
  /** Whether it ever left: if so, it may have taken effect. */
  sent: boolean
  /** The last refusal, for the error at the deadline. */
  refusal: MadangError | null
}

/**
 * The requests that wait for their answer. Each has a ref that it keeps however often it is sent; each is answered exactly once,
 * by the server, by its deadline or by the end of the session.
 */
export class Requests {
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #server: string
  readonly #send: (bytes: Uint8Array) => boolean
  /** By ref, which is also the order of insertion. */
  readonly #pending = new Map<Ref, Pending>()
  #next: Ref
  #frameLimit: number = FRAME_LIMITS.bytes

  /** `server`: what errors call it. `send` says whether the bytes left. `first`: the first ref, above all that the session used before. */
  constructor(clock: Clock, chance: Chance, server: string, first: Ref, send: (bytes: Uint8Array) => boolean) {
    this.#clock = clock
    this.#chance = chance
    this.#server = server
    this.#next = first
    this.#send = send
  }

  /**
   * Sends a request as soon as the connection and the order of refs allow. `deadline`: ms until it fails as `unavailable`,
   * null for a request of this connection only.
   */
  ask(frame: (ref: Ref) => ClientFrame, deadline: number | null, answer: Answer): void {
    const bound = deadline === null
    if (!bound && this.#pending.size >= MOST_WAITING) {
      answer.failed(new MadangError('rate_limited', `${MOST_WAITING} requests wait for their answer: await some first`))
      return
    }
    const ref = this.#next
    let bytes: Uint8Array
    try {
      bytes = encodeFrame(frame(ref), this.#frameLimit)
    } catch (error) {
      answer.failed(error instanceof MadangError ? error : new MadangError('bad_frame', String(error)))
      return
    }
    this.#next++
    const cancelDeadline = bound ? () => {} : this.#clock.after(deadline, () => this.#late(ref, deadline))
    const cancelRetry = (): void => {}
    const pending = { ref, bytes, answer, bound, cancelDeadline, cancelRetry, attempts: 0, sent: false, refusal: null }
    this.#pending.set(ref, pending)
    if (bound) this.#put(pending)
    else this.#fill()
  }

  /** The connection is up: sends again all that has no answer, in the order of refs. */
  connected(frameLimit: number): void {
    this.#frameLimit = frameLimit
    for (const pending of [...this.#pending.values()]) {
      if (pending.bytes.length > frameLimit) this.#take(pending.ref)?.answer.failed(tooLarge(pending.bytes, frameLimit))
    }
    this.#fill(true)
  }

  /** The connection is gone, and the requests that were bound to it. */
  disconnected(): void {
    for (const pending of this.#pending.values()) {
      pending.cancelRetry()
      if (pending.bound) this.#pending.delete(pending.ref)
    }
  }

  /** OK came. False where no request waits for it any more. */
  ok(ref: Ref, value: unknown): boolean {
    const pending = this.#take(ref)
    pending?.answer.ok(value)
    this.#fill()
    return pending !== undefined
  }

  /** ERR came. What may succeed later is sent again later, with the same ref. */
  refused([, ref, code, message, detail]: ErrFrame): void {
    const pending = ref === null ? undefined : this.#pending.get(ref)
    if (!pending) return
    const error = new MadangError(code, message, detail, ref)
    if (isRetryable(code) && !(pending.answer.impatient && code === 'unavailable')) {
      pending.refusal = error
      pending.cancelRetry()
      const wait = error.retryAfter + backoff(pending.attempts++, this.#chance, RETRY_CAP_MS)
      pending.cancelRetry = this.#clock.after(wait, () => this.#put(pending))
      return
    }
    this.#take(pending.ref)
    pending.answer.failed(error)
    this.#fill()
  }

  /** The session is over. */
  close(error: MadangError): void {
    for (const { ref } of [...this.#pending.values()]) {
      const pending = this.#take(ref)
      pending?.answer.failed(unanswered(pending, error.message, error.code))
    }
  }

  #late(ref: Ref, deadline: number): void {
    const pending = this.#take(ref)
    pending?.answer.failed(unanswered(pending, `no answer from ${this.#server} within ${deadline / 1000} s`))
    this.#fill()
  }

  #take(ref: Ref): Pending | undefined {
    const pending = this.#pending.get(ref)
    pending?.cancelDeadline()
    pending?.cancelRetry()
    this.#pending.delete(ref)
    return pending
  }

  /** Sends what has not left yet, or with `again` all, as far as the window reaches. */
  #fill(again = false): void {
    let oldest: Ref | null = null
    for (const pending of this.#pending.values()) {
      if (pending.bound) continue
      oldest ??= pending.ref
      if (pending.ref >= oldest + WINDOW) return
      if (again || !pending.sent) this.#put(pending)
    }
  }

  #put(pending: Pending): void {
    pending.cancelRetry()
    if (this.#send(pending.bytes)) pending.sent = true
  }
}

/** The bytes of a frame. Throws MadangError `bad_frame` where it cannot be encoded or is larger than `limit` bytes. */
export const encodeFrame = (frame: ClientFrame, limit: number): Uint8Array => {
  let bytes: Uint8Array
  try {
    bytes = encode(frame)
  } catch (error) {
    throw new MadangError('bad_frame', messageOf(error))
  }
  if (bytes.length > limit) throw tooLarge(bytes, limit)
  return bytes
}

const tooLarge = (bytes: Uint8Array, limit: number): MadangError =>
  new MadangError('bad_frame', `the frame has ${bytes.length} bytes, the server takes ${limit}: send less at once`, {
    size: bytes.length,
    limit,
  })

/** `code`: why the session is over, which holds for what was never sent. */
const unanswered = ({ sent, refusal, ref }: Pending, reason: string, code: ErrorCode = 'unavailable'): MadangError => {
  if (!sent) return new MadangError(code, `${reason}; the request was never sent`, undefined, ref)
  const last = refusal === null ? '' : ` (last: ${refusal.message})`
  return new MadangError('unavailable', `${reason}${last}; it is not known whether it took effect`, undefined, ref)
}
