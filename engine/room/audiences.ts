import type { GatewayId, OutputPart } from '../../bus/messages.ts'
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
  /** The last of the ring. */
  #head: Moment
  readonly #ring: Moment[]
  readonly #apart: boolean
  /** By viewer (null: the spectators): the seq at which that viewer's document last changed. */
  readonly #seen = new Map<PlayerId | null, Seq>()

  constructor(first: Moment, apart: boolean) {
    this.#head = first
    this.#ring = [first]
    this.#apart = apart
  }

  get head(): Moment {
    return this.#head
  }

  /**
   * What a commit shows to these listeners, by gateway; visitors, who are sent nothing, are viewed all the same. Throws RulesError
   * where a view throws; changes nothing.
   */
  prepare(next: Moment, listeners: Iterable<Attachment>, visitors: Iterable<Member>): Prepared {
    const documents = new Map<PlayerId | null, Shown | null>()
    const outputs = new Outputs(next.state.room, next.seq)
    const emits = next.emits.map((emit) => ({ emit, frame: emitFrame(next.state.room, emit) }))
    // Most listeners are shown the same: they share it.
    let shared: Shown | null = null
    let shown: ShownToOne = { document: null, emits: NONE, ephemeral: NONE }
    for (const attachment of listeners) {
      const viewer = this.#viewer(attachment)
      let document = documents.get(viewer)
      if (document === undefined) {
        document = this.#shown(next, viewer, shared)
        shared ??= document
        documents.set(viewer, document)
      }
      const heard = emits.length === 0 ? NONE : heardOf(emits, attachment)
      if (document === null && heard.length === 0) continue
      if (shown.document !== document || shown.emits !== heard) shown = { document, emits: heard, ephemeral: NONE }
      outputs.add(attachment, shown)
    }
    for (const visitor of visitors) {
      const viewer = this.#viewer(visitor)
      if (!documents.has(viewer)) documents.set(viewer, this.#shown(next, viewer, shared))
    }
    return { next, documents, outputs: outputs.items() }
  }

  /** Makes the prepared moment the head, once it is durable. Of an audience that nobody is in, nothing is known any longer. */
  advance({ next, documents }: Prepared): void {
    this.#head.rest()
    this.#head = next
    this.#ring.push(next)
    if (this.#ring.length > MOMENTS_KEPT) this.#ring.shift()
    if (this.#seen.size > documents.size)
      for (const viewer of this.#seen.keys()) if (!documents.has(viewer)) this.#seen.delete(viewer)
    // Of a Map, `forEach` makes no list of two for each.
    documents.forEach((document, viewer) => {
      if (document !== null) this.#seen.set(viewer, next.seq)
    })
  }

  /**
   * The frames that bring a member from `since` to the head: nothing, a PATCH, or a STATE, and the EMITs since that are
   * still kept where no STATE was needed. `wasSent`: whether `since` is surely the seq of what the member was sent last.
   * Throws RulesError where a view throws.
   */
  resume(attachment: Member, since: Seq | null, heard: Seq | null, wasSent = true): Resumed {
    const viewer = this.#viewer(attachment)
    const at = this.#position(viewer, since)
    if (at === null) {
      const seq = this.#since(viewer)
      return { frames: [this.head.stateFrame(viewer, seq)], seq }
    }
    const emits = this.#emitsSince(heard ?? since ?? 0, attachment)
    if (at.frame !== null) return { frames: [at.frame, ...emits], seq: at.seq }
    // What it polled is stamped with a later seq than the last change, and its next PATCH must begin there. Spectators all stand at one.
    const seq = wasSent && attachment.role === 'player' ? (since ?? at.seq) : at.seq
    return { frames: emits, seq }
  }

  /**
   * The same for a member who polls, and stands at the head after it for EMITs too: nothing, or one STATE or PATCH (without
   * ops where only EMITs came) that is stamped with the head, then the EMITs. Throws RulesError where a view throws.
   */
  poll(member: Member, since: Seq): Uint8Array[] {
    const viewer = this.#viewer(member)
    const { head } = this
    const state = (): Uint8Array[] => [head.stateFrame(viewer, head.seq)]
    if (since < 1 || since > head.seq) return state()
    let change: Uint8Array | null = null
    const isBehind = since < (this.#seen.get(viewer) ?? head.seq)
    if (isBehind) {
      const then = this.#ring.find((moment) => moment.seq === since)
      // Who was no player then holds what spectators saw.
      if (then === undefined || (viewer !== null && !isPlayer(then.state, viewer))) return state()
      change = head.changeFrame(then, viewer, since)
    }
    const emits = this.#emitsSince(since, member)
    // What changed and changed back is said too: who asks since then may show what was between.
    if (!isBehind && emits.length === 0) return []
    return [change ?? head.emptyPatch(since, head.seq), ...emits]
  }

  /** Where this member's audience stands: what it is shown next begins there. */
  standing(member: Member): Seq {
    return this.#since(this.#viewer(member))
  }

  #emitsSince(seq: Seq, member: Member): Uint8Array[] {
    return this.#ring
      .flatMap((moment) => moment.emits)
      .filter((emit) => emit.seq > seq && mayHear(emit, member))
      .map((emit) => emitFrame(this.head.state.room, emit))
  }

  /** Null where this viewer sees no difference; `like` where that is the same. */
  #shown(next: Moment, viewer: PlayerId | null, like: Shown | null): Shown | null {
    const from = this.#since(viewer)
    const frame = next.changeFrame(this.head, viewer, from)
    if (frame !== null && frame === like?.frame) return like
    return frame === null ? null : { from: isPatch(frame) ? from : null, seq: next.seq, frame }
  }

  #viewer({ player, role }: Member): PlayerId | null {
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
    if (frame !== null && !isPatch(frame)) return null
    if (seen !== undefined) return { frame: frame ?? head.emptyPatch(since, seen), seq: seen }
    this.#seen.set(viewer, head.seq)
    // It may have been shown what changed in between, and has changed back.
    return { frame: frame ?? head.emptyPatch(since, head.seq), seq: head.seq }
  }
}

type Member = Pick<Attachment, 'player' | 'role'>
type Shown = NonNullable<OutputPart['document']>
type ShownToOne = Omit<OutputPart, 'to'>

const NONE: Uint8Array[] = []

export interface Prepared {
  readonly next: Moment
  /** By viewer, of all of whom somebody was there; null where the document did not change. */
  readonly documents: ReadonlyMap<PlayerId | null, Shown | null>
  readonly outputs: readonly (readonly [GatewayId, Output])[]
}

export interface Resumed {
  readonly frames: Uint8Array[]
  readonly seq: Seq
}

/** Whether the frame is a PATCH, by its header: five elements against a STATE's four. */
const isPatch = (frame: Uint8Array): boolean => frame[0] === 0x95

const heardOf = (emits: readonly { emit: Emit; frame: Uint8Array }[], member: Member): Uint8Array[] =>
  emits.flatMap(({ emit, frame }) => (mayHear(emit, member) ? [frame] : []))

const emitFrame = (room: string, { seq, event }: Emit): Uint8Array => encode([OP.emit, room, seq, event])

const mayHear = ({ to }: Emit, { player, role }: Member): boolean =>
  to === null || (role === 'player' && to.includes(player))
