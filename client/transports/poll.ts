import { OP, type Seq } from '../../protocol/frames.ts'
import { MadangError } from '../error.ts'
import { ANSWER_MS, type Channel, type ChannelPort, pathOf } from './channel.ts'
import { framesIn } from './frames.ts'
import { Held } from './held.ts'
import type { Answer, Call } from './http.ts'

/** The rhythm of polls: how long the server holds one, and what comes after it. */
export interface Pace {
  /** Seconds that the server holds the next poll. */
  wait(): number
  /** Ms between a poll that took `lasted` ms and the next. */
  pause(lasted: number, status: number): number
  /** What a document that does not follow by itself is given before the room is polled for it, ms. */
  readonly follows: number
  /** A poll that was to be held broke off after `lasted` ms. True where the pace takes account of it: poll again. */
  cut(lasted: number): boolean
  /** Failures in a row after which this transport is given up. */
  readonly failures: number
}

/** Every `interval` ms, and at once after something went up. */
export const steady = (interval: number): Pace => ({
  wait: () => 0,
  pause: () => interval,
  follows: 0,
  cut: () => false,
  failures: 3,
})

/**
 * A room that is polled: one poll at a time, each from the seq of the one before. What comes next is the answer of the poll that runs,
 * or where none does the timer of the next one. A held poll that is given up for one at once may lose CASTs that were on
 * their way: so only where an answer waits for what it may not bring.
 */
export class PollChannel implements Channel {
  readonly #port: ChannelPort
  readonly #pace: Pace
  readonly #held: Held
  #since: Seq | null
  #call: (Call & { readonly wait: number }) | null = null
  /** Poll at once when the running poll has its answer. */
  #hurry = false
  #begun = false
  #over = false
  #failures = 0
  #cancelNext: () => void = () => {}
  #cancelFollows: (() => void) | null = null

  /** `held`: what waits for the document already. */
  constructor(port: ChannelPort, pace: Pace, held = new Held()) {
    this.#port = port
    this.#pace = pace
    this.#held = held
    this.#since = port.since
    this.#poll(0)
  }

  whenShown(seq: Seq | null, task: () => void): void {
    if (this.#held.size === 0 && seq !== null && this.#begun && seq <= (this.#since ?? 0)) {
      task()
      return
    }
    this.#held.add(seq, task)
    const { follows } = this.#pace
    if (seq === null || follows === 0) this.#pollNow()
    else
      this.#cancelFollows ??= this.#port.environment.clock.after(follows, () => {
        this.#cancelFollows = null
        if (this.#held.size > 0) this.#pollNow()
      })
  }

  nudge(): void {
    if (this.#call === null) this.#pollNow()
  }

  probe(): void {
    if (this.#call === null || this.#call.wait === 0) return
    this.#call.abort()
    this.#poll(0)
  }

  end(): void {
    this.#over = true
    this.#cancelNext()
    this.#cancelFollows?.()
    this.#call?.abort()
    this.#held.release(this.#held.end)
  }

  /** A poll at once is answered as it is: what it was asked before may be missing from it. A held one is asked anew. */
  #pollNow(): void {
    if (this.#over) return
    if (this.#call?.wait === 0) {
      this.#hurry = true
      return
    }
    this.#call?.abort()
    this.#poll(0)
  }

  #poll(wait: number): void {
    const { clock } = this.#port.environment
    this.#cancelNext()
    this.#hurry = false
    const asked = this.#held.end
    const began = clock.now()
    const path = pathOf('poll', this.#port.room, this.#since, wait)
    const call = { ...this.#port.http.ask(path, wait * 1000 + ANSWER_MS), wait }
    this.#call = call
    const mine = (): boolean => !this.#over && this.#call === call
    call.answer.then(
      (answer) => {
        if (!mine()) return
        this.#call = null
        const lasted = clock.now() - began
        if (answer.status === 204 || answer.status === 200) this.#took(answer, { asked, lasted, wait })
        else this.#failed(answer, lasted, wait)
      },
      (error: unknown) => {
        if (!mine()) return
        this.#call = null
        const lasted =
          error instanceof MadangError && error.detail === 'timeout' ? Number.POSITIVE_INFINITY : clock.now() - began
        this.#failed(null, lasted, wait)
      },
    )
  }

  #took(answer: Answer, { asked, lasted, wait }: { asked: number; lasted: number; wait: number }): void {
    // That a poll at once works says nothing about those that are held.
    if (wait >= this.#pace.wait()) this.#failures = 0
    if (!this.#begun) {
      this.#begun = true
      this.#port.begun()
    }
    if (answer.status === 200 && !this.#deliver(answer.body)) return
    if (this.#over) return
    this.#held.release(asked)
    this.#held.reached(this.#since ?? 0)
    if (this.#over) return
    if (this.#hurry) this.#poll(0)
    else this.#next(this.#pace.pause(lasted, answer.status), this.#pace.wait())
  }

  /** False where the body cannot be read. */
  #deliver(body: Uint8Array): boolean {
    try {
      for (const frame of framesIn(body)) {
        if (frame[0] === OP.state) this.#since = frame[2]
        else if (frame[0] === OP.patch) this.#since = Math.max(frame[2], frame[3])
        this.#port.frame(frame, true)
        if (this.#over) return true
      }
      return true
    } catch (error) {
      this.#port.unfit(`what a poll brought cannot be read: ${error}`)
      return false
    }
  }

  #failed(answer: Answer | null, lasted: number, wait: number): void {
    const isCut = answer === null || answer.status === 408 || answer.status === 504
    if (isCut && wait > 0 && this.#pace.cut(lasted)) {
      this.#next(0, 0)
    } else if (++this.#failures >= this.#pace.failures && isCut) {
      this.#port.unfit('polls break off')
    } else {
      const pause = this.#port.refused(answer, this.#failures)
      if (pause !== null) this.#next(pause, 0)
    }
  }

  #next(pause: number, wait: number): void {
    this.#cancelNext = this.#port.environment.clock.after(pause, () => this.#poll(wait))
  }
}
