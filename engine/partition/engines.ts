import type { EngineId } from '../../bus/messages.ts'
import type { Beats } from './beats.ts'

interface Known {
  /** When its last beat was heard: a mark of `Beats`. */
  mark: number
  isLeaving: boolean
  /** Whether it beat while this engine listened: else it may have died before. */
  isPresent: boolean
}

/** The other engines, by the beats of theirs that the watch has shown. One is dead once ROUNDS rounds have passed since the last of them. */
export class Engines {
  readonly #beats: Pick<Beats, 'mark' | 'hasPassed'>
  readonly #known = new Map<EngineId, Known>()

  constructor(beats: Pick<Beats, 'mark' | 'hasPassed'>) {
    this.#beats = beats
  }

  /** `isPast`: its last beat from before this engine listened. */
  heard(engine: EngineId, isLeaving: boolean, isPast: boolean): void {
    this.#known.set(engine, { mark: this.#beats.mark(), isLeaving, isPresent: !isPast })
  }

  /** Its key is gone. A dead engine is forgotten; one that was heard of lately is counted to its end first. */
  faded(engine: EngineId): void {
    if (this.isDead(engine)) this.#known.delete(engine)
  }

  /** True for one that was never heard of too: it has not beaten for as long as a key lasts. */
  isDead(engine: EngineId): boolean {
    const known = this.#known.get(engine)
    return known === undefined || this.#beats.hasPassed(known.mark)
  }

  /** Those that live and do not leave. */
  get staying(): EngineId[] {
    return [...this.#known]
      .filter(([engine, { isPresent, isLeaving }]) => isPresent && !isLeaving && !this.isDead(engine))
      .map(([engine]) => engine)
  }
}
