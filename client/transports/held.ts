import type { Seq } from '../../protocol/frames.ts'

interface Waiting {
  /** Null: whatever the room shows now, which only a later look can tell. */
  seq: Seq | null
  readonly task: () => void
}

/** Answers of a room that wait for the document, in their order: one that waits keeps those behind it. */
export class Held {
  #waiting: Waiting[] = []
  /** How many have been let go. */
  #gone = 0

  get size(): number {
    return this.#waiting.length
  }

  /** A mark after the last one that waits now, which stays where it is when others before it are let go. */
  get end(): number {
    return this.#gone + this.#waiting.length
  }

  add(seq: Seq | null, task: () => void): void {
    this.#waiting.push({ seq, task })
  }

  /** Whether one waits for what only a look can tell. */
  get isBlind(): boolean {
    return this.#waiting.some(({ seq }) => seq === null)
  }

  /** A look told: what those before this mark wait for is there at `seq`. */
  known(end: number, seq: Seq): void {
    for (const waiting of this.#waiting.slice(0, Math.max(0, end - this.#gone))) waiting.seq ??= seq
  }

  /** The document is at `seq`. */
  reached(seq: Seq): void {
    while (this.#waiting[0] && this.#waiting[0].seq !== null && this.#waiting[0].seq <= seq)
      this.release(this.#gone + 1)
  }

  /** The document shows all that those before this mark wait for. */
  release(end: number): void {
    const released = this.#waiting.splice(0, Math.max(0, end - this.#gone))
    this.#gone += released.length
    for (const { task } of released) task()
  }
}
