import { apply } from '../protocol/apply.ts'
import type { EmitFrame, PatchFrame, RoomDocument, Seq, StateFrame } from '../protocol/frames.ts'

/**
 * One member's view of a room as its frames bring it, across connections: the document and its seq, and which EMITs came.
 * No I/O. It is `current` while each frame follows the one before; `asking` while a JOIN is on its way, when the document
 * stands still; `answered` from its OK to the frame that brings the document up to date, if one is needed.
 */
export class Feed {
  #held: { seq: Seq; document: RoomDocument } | null = null
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
    return this.#held === null || this.#distrusted ? null : this.#held.seq
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

  /** Takes a whole document; false where it is not newer than what is held. */
  state([, , seq, document]: StateFrame): boolean {
    if (this.#phase === 'asking') return false
    if (this.#phase === 'current' && seq <= this.seq) return false
    this.#now(seq, document)
    return true
  }

  /** Takes a patch. `gap`: it does not fit what is held, so a JOIN must bring the document up to date. */
  patch([, , from, seq, ops]: PatchFrame): 'applied' | 'old' | 'gap' {
    if (this.#phase === 'asking') return 'old'
    if (this.#phase === 'current' && seq <= this.seq) return 'old'
    if (this.#held !== null && from === this.#held.seq) {
      const document = patched(this.#held.document, ops)
      if (document !== null) {
        this.#now(seq, document)
        return 'applied'
      }
    }
    this.#distrusted = this.#phase === 'answered'
    return 'gap'
  }

  /** Whether this EMIT is to be delivered: once each, and not before the document that it belongs to. */
  emit([, , seq]: EmitFrame): boolean {
    if (this.#phase === 'asking' || this.#held === null) return false
    const count = seq === this.#stream.seq ? this.#stream.count + 1 : 1
    this.#stream = { seq, count }
    const delivered = this.#delivered
    if (seq < delivered.seq || (seq === delivered.seq && count <= delivered.count)) return false
    this.#delivered = { seq, count }
    return true
  }

  #now(seq: Seq, document: RoomDocument): void {
    this.#held = { seq, document }
    this.#phase = 'current'
    this.#distrusted = false
  }
}

/** The document after `ops`, or null where they do not apply to it. */
const patched = (document: RoomDocument, ops: PatchFrame[4]): RoomDocument | null => {
  try {
    return apply(document, ops) as RoomDocument
  } catch {
    return null
  }
}
