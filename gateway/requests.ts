import type { Bus } from '../bus/bus.ts'
import type { AnswerItem, Request, ToldItem } from '../bus/messages.ts'
import { resend } from '../bus/resend.ts'
import type { Clock } from '../protocol/clock.ts'
import type { GatewayCounters } from './counters.ts'

export const GIVE_UP_MS = 10_000
/** What the client is told then. */
export const NO_ANSWER = 'no answer from the room in time: send it again with the same ref or key'

export type Reply = AnswerItem | ToldItem

export interface PendingRequest {
  /** Where to send it. */
  subject: string
  /** The message under this id, as things stand now; null when there is nothing left to ask. */
  message: (id: number) => Request | null
  /** True once this reply completes the request. */
  onReply: (reply: Reply) => boolean
  /** No reply completed it in time. */
  onGiveUp: () => void
  giveUpMs: number
}

interface Sent extends PendingRequest {
  cancel: () => void
}

/**
 * The requests of one gateway that no engine has answered yet. Each is sent at once, again every second under the
 * same id, and given up after its time. Whoever opens one hears either its last reply or that it was given up, or has dropped it.
 */
export class Requests {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #counters: GatewayCounters
  readonly #pending = new Map<number, Sent>()
  #lastId = 0

  constructor(bus: Bus, clock: Clock, counters: GatewayCounters) {
    this.#bus = bus
    this.#clock = clock
    this.#counters = counters
  }

  get size(): number {
    return this.#pending.size
  }

  /** Sends a request and returns its id. */
  open(request: PendingRequest): number {
    const id = ++this.#lastId
    const sent: Sent = { ...request, cancel: () => {} }
    this.#pending.set(id, sent)
    let sends = 0
    sent.cancel = resend(
      this.#clock,
      request.giveUpMs,
      () => {
        const message = request.message(id)
        if (message === null) this.#pending.delete(id)
        else {
          if (sends++ > 0) this.#counters.resent++
          this.#bus.publish(request.subject, message)
        }
        return message !== null
      },
      () => {
        this.#pending.delete(id)
        this.#counters.unanswered++
        request.onGiveUp()
      },
    )
    return id
  }

  /** Sends what waits there at once: who listens there now has not heard it. */
  sendAgain(subject: string) {
    for (const [id, sent] of this.#pending) {
      if (sent.subject !== subject) continue
      const message = sent.message(id)
      if (message) this.#bus.publish(subject, message)
    }
  }

  /** Hands a reply to the request that it is for; false where that was answered before, or given up. */
  reply(reply: Reply): boolean {
    const sent = this.#pending.get(reply.id)
    if (sent?.onReply(reply)) this.drop(reply.id)
    return sent !== undefined
  }

  /** Forgets a request. */
  drop(id: number) {
    this.#pending.get(id)?.cancel()
    this.#pending.delete(id)
  }

  close() {
    for (const id of [...this.#pending.keys()]) this.drop(id)
  }
}
