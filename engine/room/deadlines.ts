import type { Deadline } from '../rules/game.ts'
import type { RoomState } from './state.ts'

/** Commits in a row that deadlines alone may fill: after them, timers that are due at once without end are given up. */
const FULL_COMMITS = 10

/** The deadlines of one room that are still tried: one on which the rules throw would throw for ever. */
export class Deadlines {
  /** `order` of those given up. */
  readonly #givenUp = new Set<number>()
  #full = 0

  /** The earliest deadline that is set, or null. */
  next(state: RoomState): Deadline | null {
    let next: Deadline | null = null
    for (const deadline of state.rules?.deadlines ?? []) {
      if (this.#givenUp.has(deadline.order)) continue
      if (next === null || deadline.due < next.due || (deadline.due === next.due && deadline.order < next.order))
        next = deadline
    }
    return next
  }

  giveUp(state: RoomState, id: string): void {
    const deadline = state.rules?.deadlines.find((d) => d.id === id)
    if (deadline !== undefined) this.#givenUp.add(deadline.order)
  }

  /**
   * After each commit: gives up the next deadline, and returns its id, where deadlines have filled so many commits that
   * nothing else gets its turn.
   */
  committed(state: RoomState, isFull: boolean): string | null {
    this.#full = isFull ? this.#full + 1 : 0
    const next = this.#full < FULL_COMMITS ? null : this.next(state)
    if (next === null) return null
    this.#givenUp.add(next.order)
    return next.id
  }
}
