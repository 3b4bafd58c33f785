import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId } from '../../protocol/frames.ts'
import type { Store } from '../store.ts'

/** Levels come whenever they change, up to four times a second: without any for so long, the word of the silence was lost. */
const SILENT_MS = 5_000

/** Who speaks, as the server said last. */
export class Speaking {
  readonly #clock: Clock
  readonly #store: Store<ReadonlyMap<PlayerId, number>>
  #cancel: () => void = () => {}

  constructor(clock: Clock, store: Store<ReadonlyMap<PlayerId, number>>) {
    this.#clock = clock
    this.#store = store
  }

  /** Null: nobody is heard. */
  hear(levels: ReadonlyMap<PlayerId, number> | null): void {
    this.#cancel()
    if (levels !== null) {
      this.#store.set(levels)
      this.#cancel = this.#clock.after(SILENT_MS, () => this.hear(null))
    } else if (this.#store.current.size > 0) {
      this.#store.set(new Map())
    }
  }
}
