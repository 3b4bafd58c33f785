import { apply } from '../protocol/apply.ts'
import type { EmitFrame, PatchFrame, RoomDocument, Seq, StateFrame } from '../protocol/frames.ts'

/** A document, which did not change from `floor` to `seq`: polls tell how far the room is, others at which seq it changed. */
interface Held {
  readonly seq: Seq
  readonly floor: Seq
  readonly document: RoomDocument
}

/**
 * One member's view of a room as its frames bring it, across connections: the document and its seq, and which EMITs came.
 * No I/O. It is `current` while each frame follows the one before; `asking` while a JOIN is on its way, when the document
 * stands still; `answered` from its OK to the frame that brings the document up to date, if one is needed.
 */
export class Feed {
  #held: Held | null = null
  /** What a JOIN goes on from: the document before the last PATCH, whose EMITs may be cut off where those of the last one are. */
  #base: Held | null = null
  #phase: 'current' | 'asking' | 'answered' = 'asking'
  /** An answer to a JOIN did not fit what is held: the next JOIN asks for the whole document. */
  #distrusted = false
  /** EMITs up to here were delivered, of the last seq `count` of them. */
  #delivered = { seq: 0, count: 0 }
  /** Where the stream of EMITs since the last JOIN stands: it may begin with some that came before. */
  #stream = { seq: 0, count: 0 }

  get document(): RoomDocument | null {
    return this.#held?.document ?? null
  }

  get seq(): Seq {
    return this.#held?.seq ?? 0
  }

  /** What a JOIN may go on from; null: nothing. */
  get since(): Seq | null {
    return this.#base === null || this.#distrusted ? null : this.#base.seq
  }

  get asking(): boolean {
    return this.#phase === 'asking'
  }

  /** A JOIN was sent: what still comes from before its answer does not count. */
  ask(): void {
    this.#phase = 'asking'
  }

  /** The JOIN's OK came. */
  answer(): void {
    this.#phase = 'answered'
    this.#stream = { seq: 0, count: 0 }
  }

  /** Takes a whole document; false where it is not newer than what is held. `atHead`: its seq is the room's, it may have changed before. */
  state([, , seq, document]: StateFrame, atHead = false): boolean {
    if (this.#phase === 'asking') return false
    if (this.#phase === 'current' && seq <= this.seq) return false
    // What was polled up to a seq, and is said to have changed last before it, is not older for that.
    const isPolled = this.#held !== null && seq >= this.#held.floor && seq < this.#held.seq
    this.#now({ seq: isPolled ? this.seq : seq, floor: atHead ? 0 : seq, document })
    return true
  }

  /**
   * Takes a patch. `same`: what is held is up to date, as a JOIN asked. `gap`: it does not fit what is held, so a JOIN must bring the
   * document up to date.
   */
  patch([, , from, seq, ops]: PatchFrame, atHead = false): 'applied' | 'same' | 'old' | 'gap' {
    if (this.#phase === 'asking') return 'old'
    if (this.#phase === 'current' && seq <= this.seq) return 'old'
    const before = fits(this.#held, from) ?? (this.#phase === 'answered' ? fits(this.#base, from) : null)
    const document = before && patched(before.document, ops)
    if (before === null || document === null) {
      this.#distrusted = this.#phase === 'answered'
      return 'gap'
    }
    const isSame = seq === this.seq
    this.#now(
      { seq, floor: ops.length === 0 ? before.floor : atHead ? from + 1 : seq, document },
      atHead ? null : before,
    )
    return isSame ? 'same' : 'applied'
  }

  /** Whether this EMIT is to be delivered: once each, and not before the document that it belongs to. */
  emit([, , seq]: EmitFrame): boolean {
    if (this.#phase === 'asking' || this.#held === null) return false
    const count = seq === this.#stream.seq ? this.#stream.count + 1 : 1
    this.#stream = { seq, count }
    if (seq > this.#held.seq) this.#base = this.#held
    const delivered = this.#delivered
    if (seq < delivered.seq || (seq === delivered.seq && count <= delivered.count)) return false
    this.#delivered = { seq, count }
    return true
  }

  /** `base`: null where the EMITs that belong to it come all or none. */
  #now(held: Held, base: Held | null = null): void {
    this.#held = held
    this.#base = base ?? held
    this.#phase = 'current'
    this.#distrusted = false
  }
}

const fits = (held: Held | null, from: Seq): Held | null =>
  held !== null && from >= held.floor && from <= held.seq ? held : null

/** The document after `ops`, or null where they do not apply to it. */
const patched = (document: RoomDocument, ops: PatchFrame[4]): RoomDocument | null => {
  try {
    return apply(document, ops) as RoomDocument
  } catch {
    return null
  }
}
