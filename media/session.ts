import { Refusal } from '../protocol/errors.ts'
import type { Ref } from '../protocol/frames.ts'
import { ANSWERS_KEPT, CALLS_WAITING } from './limits.ts'
import type { Peer } from './peer.ts'
import { type Answer, answerOf } from './refusals.ts'

/** The calls of one session of a member: one after the other, each answered once. */
export class Session {
  peer: Peer | null = null
  readonly #answers = new Map<Ref, Promise<Answer>>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  get isIdle(): boolean {
    return this.peer === null && this.#waiting === 0
  }

  /**
   * The answer of `work`, once the calls before it are done. A retry of a call that is under way, or that had an effect, gets
   * the answer of the first; a refusal, and what only reads, is not kept.
   */
  answer(ref: Ref, onlyReads: boolean, work: () => Promise<unknown>): Promise<Answer> {
    const known = this.#answers.get(ref)
    if (known !== undefined) return known
    if (this.#waiting >= CALLS_WAITING)
      return Promise.resolve(answerOf(new Refusal('rate_limited', 'too many calls are waiting', { retryAfter: 1_000 })))
    this.#waiting++
    const answer = this.#last.then(work).then((value): Answer => ({ value }), answerOf)
    this.#answers.set(ref, answer)
    this.#last = answer.then((given) => {
      this.#waiting--
      if (onlyReads || 'refused' in given) this.#answers.delete(ref)
      else if (this.#answers.size > ANSWERS_KEPT) this.#forgetOldest()
    })
    return answer
  }

  #forgetOldest(): void {
    const [oldest] = this.#answers.keys()
    if (oldest !== undefined) this.#answers.delete(oldest)
  }
}
