import type { AnswerItem, Command } from '../../bus/messages.ts'
import { encode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import { OP, type Ref } from '../../protocol/frames.ts'
import { rulesFailed } from '../room/refusals.ts'
import { RulesError } from '../rules/game.ts'

export interface FrameAnswer {
  readonly frames: Uint8Array[]
  /** Where the connection stands in the room after them; null: out of it; undefined: as before. */
  readonly attached?: AnswerItem['attached']
  /** True for an ERR that is no invitation to try again. */
  readonly isRefused?: boolean
}

export const ok = (ref: Ref, value: unknown): Uint8Array =>
  encode(value === null || value === undefined ? [OP.ok, ref] : [OP.ok, ref, value])

export const err = (ref: Ref | null, { code, message, detail }: Refusal): Uint8Array =>
  encode(detail === undefined ? [OP.err, ref, code, message] : [OP.err, ref, code, message, detail])

/** What a sender is told of an error. Pure. What nobody foresaw may have happened or not: it may be sent again. */
export const refusalOf = (error: unknown): Refusal => {
  if (error instanceof Refusal) return error
  if (error instanceof RulesError) return rulesFailed()
  return new Refusal('unavailable', 'That failed on the server. Send it again.')
}

/** The answers to the frames of one command, given out in the order of the frames, each as soon as those before it are there. */
export class CommandAnswers {
  readonly #command: Command
  readonly #give: (answer: Omit<AnswerItem, 'epoch'>) => void
  readonly #waiting: (FrameAnswer | undefined)[]
  #next = 0

  constructor(command: Command, give: (answer: Omit<AnswerItem, 'epoch'>) => void) {
    this.#command = command
    this.#give = give
    this.#waiting = command.frames.map(() => undefined)
  }

  set(frame: number, answer: FrameAnswer): void {
    this.#waiting[frame] = answer
    for (let next = this.#waiting[this.#next]; next !== undefined; next = this.#waiting[this.#next]) {
      this.#next += 1
      const { id, conn, room } = this.#command
      const done = this.#next === this.#waiting.length
      const attached = next.attached === undefined ? {} : { attached: next.attached }
      this.#give({ kind: 'answer', room, id, conn, frames: [...next.frames], done, ...attached })
    }
  }
}
