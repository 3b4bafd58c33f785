import type { Seq } from '../../protocol/frames.ts'

interface Waiting {
  /** Null: whatever the room shows now, which only a later look can tell. */
  seq: Seq | null
  readonly task: () => void
}

/** Answers of a room that wait for the document, in their order: one that waits keeps those behind it. */
export class Held {
  #waiting: Waiting[] = []

  get size(): number {
    return this.#waiting.length
  }

  add(seq: Seq | null, task: () => void): void {
    this.#waiting.push({ seq, task })
  }

  /** Whether one waits for what only a look can tell. */
  get isBlind(): boolean {
    return this.#waiting.some(({ seq }) => seq === null)
  }

  /** A look told: what the first `count` wait for is there at `seq`. */
  known(count: number, seq: Seq): void {
    for (const waiting of this.#waiting.slice(0, count)) waiting.seq ??= seq
  }

  /** The document is at `seq`. */
  reached(seq: Seq): void {
    while (this.#waiting[0] && this.#waiting[0].seq !== null && this.#waiting[0].seq <= seq) this.release(1)
  }

  /** The document shows all that the first `count` wait for. */
  release(count: number): void {
    for (const { task } of this.#waiting.splice(0, count)) task()
  }
}
