import { arrayHeader, concat, encode, mapHeader } from '../../protocol/codec.ts'
import {
  FRAME_LIMITS,
  OP,
  type PatchOp,
  type PlayerId,
  type RoomDocument,
  type RoomId,
  type Seq,
} from '../../protocol/frames.ts'
import { diff, diffKeys } from '../../protocol/patch.ts'
import { headerSize } from '../../protocol/size.ts'
import type { Runner } from '../rules/game.ts'
import type { RoomState } from './state.ts'
import type { Emit } from './step.ts'

/** Patch ops, encoded one after another without the header of their array. */
interface Ops {
  readonly count: number
  readonly bytes: Uint8Array
}

const NO_WINDOWS = {}
const NO_OPS: Ops = { count: 0, bytes: new Uint8Array(0) }

/**
 * A room after one commit, as its members may know it. What all may know is viewed, compared and encoded once, what
 * one viewer knows besides once per viewer, and the bytes are joined. All of it is computed when first asked for and
 * kept; views are pure. Any method that views throws RulesError where the rules' views throw.
 */
export class Moment {
  #state: RoomState
  /** Of this commit. */
  readonly emits: readonly Emit[]
  readonly room: RoomDocument['room']
  readonly #runner: Runner
  #everyone: Record<string, unknown> | null | undefined
  #shared: { room: Uint8Array; entries: number; game: Uint8Array } | undefined
  /** Null until there is one: a room keeps many moments that are never asked. */
  #only: Map<PlayerId | null, Record<string, unknown>> | null
  #opsSince: Map<Seq, Ops> | null = null

  constructor(state: RoomState, emits: readonly Emit[], runner: Runner, before: Moment | null) {
    this.#state = state
    this.emits = emits
    this.#runner = runner
    const same = before !== null && sameRoom(before.state, state)
    this.room = same ? before.room : roomPart(state)
    const alike = before !== null && before.#runner === runner && before.state.rules === state.rules
    this.#everyone = alike ? before.#everyone : undefined
    this.#only = alike ? before.#only : null
  }

  get state(): RoomState {
    return this.#state
  }

  get seq(): Seq {
    return this.#state.seq
  }

  everyone(): Record<string, unknown> | null {
    if (this.#everyone === undefined)
      this.#everyone = this.state.rules === null ? null : this.#runner.everyone(this.state.rules)
    return this.#everyone
  }

  only(viewer: PlayerId | null): Record<string, unknown> {
    if (this.state.rules === null || !this.#runner.hasOnly) return {}
    this.#only ??= new Map()
    let view = this.#only.get(viewer)
    if (view === undefined) {
      view = this.#runner.only(this.state.rules, viewer)
      this.#only.set(viewer, view)
    }
    return view
  }

  document(viewer: PlayerId | null): RoomDocument {
    const everyone = this.everyone()
    return { room: this.room, game: everyone === null ? null : { ...everyone, ...this.only(viewer) } }
  }

  /** A STATE frame, stamped with the seq since which this viewer's document has been like this. */
  stateFrame(viewer: PlayerId | null, seq: Seq): Uint8Array {
    const everyone = this.everyone()
    const head = concat(arrayHeader(4), encode(OP.state), encode(this.state.room), encode(seq), mapHeader(2), ROOM_KEY)
    if (everyone === null) return concat(head, encode(this.room), GAME_KEY, encode(null))
    const shared = this.#sharedParts(everyone)
    const own = Object.entries(this.only(viewer))
    const game = mapHeader(shared.entries + own.length)
    return concat(head, shared.room, GAME_KEY, game, shared.game, ...own.map(entryBytes))
  }

  /**
   * A PATCH frame from an earlier moment, seen at `from`, to this one, seen at `seq`; a STATE where that is smaller;
   * null where this viewer sees no difference.
   */
  changeFrame(before: Moment, viewer: PlayerId | null, from: Seq, seq: Seq = this.seq): Uint8Array | null {
    if ((before.everyone() === null) !== (this.everyone() === null)) return this.stateFrame(viewer, seq)
    const shared = this.#sharedOps(before)
    const own = this.everyone() === null ? NO_OPS : this.#ownOps(before, viewer)
    const count = shared.count + own.count
    if (count === 0) return null
    const patch = own.count === 0 ? this.#sharedPatch(from, seq, shared) : this.#patch(from, seq, shared, own)
    if (patch.length <= this.#stateAtLeast()) return patch
    const state = this.stateFrame(viewer, seq)
    return patch.length <= state.length ? patch : state
  }

  /** Lets go of what can be had again, and of the kept answers, which only the head needs: what past moments hold lives long. */
  rest(): void {
    this.#state = { ...this.#state, windows: NO_WINDOWS }
    this.#everyone = undefined
    this.#only = null
    this.#opsSince = null
    this.#shared = undefined
    this.#last = null
    this.#head = null
  }

  /** A PATCH without ops: the document did not change, the viewer's seq goes on. */
  emptyPatch(from: Seq, seq: Seq): Uint8Array {
    return concat(patchHead(this.state.room, from, seq), arrayHeader(0))
  }

  #patch(from: Seq, seq: Seq, shared: Ops, own: Ops): Uint8Array {
    return concat(this.#patchHead(from, seq), arrayHeader(shared.count + own.count), shared.bytes, own.bytes)
  }

  #last: { from: Seq; seq: Seq; shared: Ops; frame: Uint8Array } | null = null
  /** The same bytes for all viewers who have nothing of their own in it, so that they can be sent as one. */
  #sharedPatch(from: Seq, seq: Seq, shared: Ops): Uint8Array {
    if (this.#last?.from !== from || this.#last.seq !== seq || this.#last.shared !== shared)
      this.#last = { from, seq, shared, frame: this.#patch(from, seq, shared, NO_OPS) }
    return this.#last.frame
  }

  #head: { from: Seq; seq: Seq; bytes: Uint8Array } | null = null
  /** Most viewers stand at the same place. */
  #patchHead(from: Seq, seq: Seq): Uint8Array {
    if (this.#head?.from !== from || this.#head.seq !== seq)
      this.#head = { from, seq, bytes: patchHead(this.state.room, from, seq) }
    return this.#head.bytes
  }

  #ownOps(before: Moment, viewer: PlayerId | null): Ops {
    const was = before.only(viewer)
    const is = this.only(viewer)
    if (was === is) return NO_OPS
    if (!sameFields(was, is)) return ops(gameDiff(this.#notShared(was), is))
    this.#only?.set(viewer, was)
    return NO_OPS
  }

  /** What a viewer knew alone, without what everyone knows now: that is set for all, and must not be deleted for one. */
  #notShared(only: Record<string, unknown>): Record<string, unknown> {
    const everyone = this.everyone() ?? {}
    if (!Object.keys(only).some((key) => Object.hasOwn(everyone, key))) return only
    return Object.fromEntries(Object.entries(only).filter(([key]) => !Object.hasOwn(everyone, key)))
  }

  #sharedParts(everyone: Record<string, unknown>): { room: Uint8Array; entries: number; game: Uint8Array } {
    if (this.#shared === undefined) {
      const entries = Object.entries(everyone)
      this.#shared = { room: encode(this.room), entries: entries.length, game: concat(...entries.map(entryBytes)) }
    }
    return this.#shared
  }

  #sharedOps(before: Moment): Ops {
    this.#opsSince ??= new Map()
    let known = this.#opsSince.get(before.seq)
    if (known === undefined) {
      const game = gameDiff(before.everyone() ?? {}, this.everyone() ?? {})
      known = ops(before.room === this.room ? game : [...diff(before.room, this.room, ['room']), ...game])
      this.#opsSince.set(before.seq, known)
    }
    return known
  }

  #least = 0
  /** A lower bound of any STATE's size, cheap to know: its room part. */
  #stateAtLeast(): number {
    if (this.#least === 0) this.#least = roomSize(this.room)
    return this.#least
  }
}

const ROOM_KEY = encode('room')
const GAME_KEY = encode('game')

const entryBytes = ([key, value]: [string, unknown]): Uint8Array => concat(encode(key), encode(value))

const patchHead = (room: RoomId, from: Seq, seq: Seq): Uint8Array => {
  const head = encode([OP.patch, room, from, seq])
  // The ops follow as a fifth element.
  head[0] = 0x95
  return head
}

const ops = (list: readonly PatchOp[]): Ops =>
  list.length === 0
    ? NO_OPS
    : { count: list.length, bytes: encode(list, FRAME_LIMITS.depth + 1).subarray(headerSize(list.length)) }

/** Whether two views have the same keys with the same values: a view is most often made anew of what was there. */
const sameFields = (a: Record<string, unknown>, b: Record<string, unknown>): boolean => {
  let more = 0
  for (const key in a) {
    if (a[key] !== b[key] || !Object.hasOwn(b, key)) return false
    more++
  }
  for (const _ in b) more--
  return more === 0
}

/** Key by key: `game` itself is never set, for it holds keys of `everyone` and of `only`. */
const gameDiff = (before: Record<string, unknown>, after: Record<string, unknown>): PatchOp[] =>
  diffKeys(before, after, ['game'])

const sameRoom = (a: RoomState, b: RoomState): boolean =>
  a.phase === b.phase &&
  a.host === b.host &&
  a.players === b.players &&
  a.members === b.members &&
  a.next === b.next &&
  a.version === b.version

const roomPart = ({ phase, game, version, host, players, members, next }: RoomState): RoomDocument['room'] => ({
  phase,
  game,
  version,
  host,
  players: [...players],
  members,
  ...(next === null ? {} : { next }),
})

const sizes = new WeakMap<object, number>()
const roomSize = (room: object): number => {
  let size = sizes.get(room)
  if (size === undefined) {
    size = encode(room).length
    sizes.set(room, size)
  }
  return size
}
