import type { GatewayId } from '../../bus/messages.ts'
import { encode } from '../../protocol/codec.ts'
import { OP, type PlayerId, type Seq } from '../../protocol/frames.ts'
import type { Attachment } from './attachments.ts'
import { isPlayer } from './membership.ts'
import type { Moment } from './moment.ts'
import { type Output, Outputs } from './outputs.ts'
import type { Emit } from './step.ts'

/** Commits whose states and EMITs a room keeps: from these a PATCH can be made. */
const MOMENTS_KEPT = 64

/**
 * What each audience of one room has seen. Players are an audience each where the game shows them their own view
 * (`only`), spectators are one; without `only` all are one audience. Members of an audience stand at the same seq.
 */
export class Audiences {
  #ring: Moment[]
  readonly #apart: boolean
  /** By viewer (null: the spectators): the seq at which that viewer's document last changed. */
  readonly #seen = new Map<PlayerId | null, Seq>()

  constructor(first: Moment, apart: boolean) {
    this.#ring = [first]
    this.#apart = apart
  }

  get head(): Moment {
    const head = this.#ring.at(-1)
    if (head === undefined) throw new Error('a room always has a moment')
    return head
  }

  /** What a commit shows to these listeners, by gateway. Throws RulesError where a view throws; changes nothing. */
  prepare(next: Moment, listeners: Iterable<Attachment>): Prepared {
    const frames = new Map<PlayerId | null, { frame: Uint8Array; from: Seq } | null>()
    const outputs = new Outputs(next.state.room, next.seq)
    const emits = next.emits.map((emit) => ({ emit, frame: emitFrame(next.state.room, emit) }))
    for (const attachment of listeners) {
      const viewer = this.#viewer(attachment)
      let change = frames.get(viewer)
      if (change === undefined) {
        const from = this.#since(viewer)
        const frame = next.changeFrame(this.head, viewer, from)
        change = frame === null ? null : { frame, from }
        frames.set(viewer, change)
      }
      const document = change === null ? null : { ...documentOf(change.frame, change.from), seq: next.seq }
      const heard = emits.filter(({ emit }) => mayHear(emit, attachment))
      if (document === null && heard.length === 0) continue
      outputs.add(attachment, { document, emits: heard.map((e) => e.frame), ephemeral: [] })
    }
    const changed = new Set<PlayerId | null>()
    for (const [viewer, change] of frames) if (change !== null) changed.add(viewer)
    return { next, present: new Set(frames.keys()), changed, outputs: outputs.items() }
  }

  /** Makes the prepared moment the head, once it is durable. Of an audience that nobody is in, nothing is known any longer. */
  advance({ next, present, changed }: Prepared): void {
    this.#ring.push(next)
    if (this.#ring.length > MOMENTS_KEPT) this.#ring = this.#ring.slice(1)
    for (const viewer of this.#seen.keys()) if (!present.has(viewer)) this.#seen.delete(viewer)
    for (const viewer of changed) this.#seen.set(viewer, next.seq)
  }

  /**
   * The frames that bring a member from `since` to the head: nothing, a PATCH, or a STATE, and the EMITs since that are
   * still kept where no STATE was needed. Throws RulesError where a view throws.
   */
  resume(attachment: Pick<Attachment, 'player' | 'role'>, since: Seq | null, heard: Seq | null): Resumed {
    const viewer = this.#viewer(attachment)
    const at = this.#position(viewer, since)
    if (at === null) {
      const seq = this.#since(viewer)
      return { frames: [this.head.stateFrame(viewer, seq)], seq }
    }
    const emits = this.#ring
      .flatMap((moment) => moment.emits)
      .filter((emit) => emit.seq > (heard ?? since ?? 0) && mayHear(emit, attachment))
      .map((emit) => emitFrame(this.head.state.room, emit))
    return { frames: at.frame === null ? emits : [at.frame, ...emits], seq: at.seq }
  }

  #viewer({ player, role }: Pick<Attachment, 'player' | 'role'>): PlayerId | null {
    return this.#apart && role === 'player' ? player : null
  }

  #since(viewer: PlayerId | null): Seq {
    let seq = this.#seen.get(viewer)
    if (seq === undefined) {
      seq = this.head.seq
      this.#seen.set(viewer, seq)
    }
    return seq
  }

  /** Where a client that holds the document at `since` comes to stand, or null where it needs a STATE. */
  #position(viewer: PlayerId | null, since: Seq | null): { frame: Uint8Array | null; seq: Seq } | null {
    const { head } = this
    if (since === null || since < 1 || since > head.seq) return null
    const seen = this.#seen.get(viewer)
    if (seen !== undefined && since >= seen) return { frame: null, seq: seen }
    if (seen === undefined && since === head.seq) return { frame: null, seq: this.#since(viewer) }
    const then = this.#ring.find((moment) => moment.seq === since)
    if (then === undefined) return null
    // Who was no player then holds what spectators saw.
    if (viewer !== null && !isPlayer(then.state, viewer)) return null
    // The rest of the audience stands at `seen`: the head's document has been the same since then.
    const frame = head.changeFrame(then, viewer, since, seen ?? head.seq)
    if (frame !== null && documentOf(frame, since).from === null) return null
    if (seen !== undefined) return { frame: frame ?? head.emptyPatch(since, seen), seq: seen }
    const seq = frame === null ? since : head.seq
    this.#seen.set(viewer, seq)
    return { frame, seq }
  }
}

export interface Prepared {
  readonly next: Moment
  /** The viewers of whom somebody was there, and those whose document changed. */
  readonly present: ReadonlySet<PlayerId | null>
  readonly changed: ReadonlySet<PlayerId | null>
  readonly outputs: readonly (readonly [GatewayId, Output])[]
}

export interface Resumed {
  readonly frames: Uint8Array[]
  readonly seq: Seq
}

/** Whether the frame is a PATCH, by its header: five elements against a STATE's four. */
const documentOf = (frame: Uint8Array, from: Seq): { from: Seq | null; frame: Uint8Array } => ({
  from: frame[0] === 0x95 ? from : null,
  frame,
})

const emitFrame = (room: string, { seq, event }: Emit): Uint8Array => encode([OP.emit, room, seq, event])

const mayHear = ({ to }: Emit, { player, role }: Pick<Attachment, 'player' | 'role'>): boolean =>
  to === null || (role === 'player' && to.includes(player))
