import type { SessionId } from '../../protocol/frames.ts'

const FRAMES_MOST = 32
const BYTES_MOST = 16_384

export interface Kept {
  readonly frame: Uint8Array
  /** The session of this viewer that sent it, and does not hear itself; null where it is another's. */
  readonly by: SessionId | null
  /** Whether who is welcomed is told it anyway. */
  readonly isWelcome: boolean
}

/** The CASTs and NOTEs that one viewer could be sent lately: each of its visits reads on from its own place. */
export class Backlog {
  /** Visits that read it: without any it is forgotten. */
  readers = 0
  readonly #kept: Kept[] = []
  #bytes = 0
  #end = 0

  /** The place behind the last frame. */
  get end(): number {
    return this.#end
  }

  /** Adds a frame; the oldest give way. */
  push(kept: Kept): void {
    this.#kept.push(kept)
    this.#bytes += kept.frame.length
    this.#end += 1
    while (this.#kept.length > FRAMES_MOST || this.#bytes > BYTES_MOST)
      this.#bytes -= this.#kept.shift()?.frame.length ?? 0
  }

  /** What was kept since a place, as far as it is still here. */
  since(place: number): readonly Kept[] {
    return this.#kept.slice(Math.max(0, this.#kept.length - (this.#end - place)))
  }
}
