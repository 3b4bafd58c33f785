import type { Member, Phase, PlayerId, RoomId, Seq } from '../../protocol/frames.ts'
import type { RulesState } from '../rules/game.ts'
import type { Windows } from './window.ts'

/** A seat that MATCH keeps for a player until `until` (ms since the epoch). */
export interface KeptSeat {
  readonly player: PlayerId
  readonly until: number
}

/** All that a room is, after `seq` events. Immutable; successive states share what did not change. */
export interface RoomState {
  readonly room: RoomId
  readonly seq: Seq
  /** `at` of the last event. */
  readonly at: number
  readonly phase: Phase
  readonly game: string
  readonly version: number
  readonly options: unknown
  readonly public: boolean
  /** Of the request that created the room. */
  readonly created: { readonly by: PlayerId; readonly digest: number }
  readonly host: PlayerId
  /** True once a host who played went away and nobody was there to take over: the next player who comes is host. */
  readonly hostAway: boolean
  /** In the order of joining. */
  readonly players: readonly PlayerId[]
  readonly members: Readonly<Record<PlayerId, Member>>
  readonly kept: readonly KeptSeat[]
  readonly kicked: readonly PlayerId[]
  /** Players who left while the game was on: they keep their place, and are out of the room until they JOIN again. */
  readonly gone: readonly PlayerId[]
  readonly next: RoomId | null
  readonly windows: Windows
  /** Null while the room is open. */
  readonly rules: RulesState | null
}

/** How long MATCH keeps a seat. */
export const SEAT_KEPT_MS = 10_000
