import type { PlayerId, Ref, RoomId, SessionId } from '../../protocol/frames.ts'

/** Where a logged request came from: what makes its retry harmless. */
export interface Origin {
  readonly by: PlayerId
  readonly session: SessionId
  readonly ref: Ref
  /** Of the request's content: a ref reused with other content is a conflict. */
  readonly digest: number
}

interface Stamped {
  /** Ms since the epoch; never less than the room's last. */
  readonly at: number
  /** uint32: the chance that the rules may draw from in this step. */
  readonly seed: number
}

/**
 * One event of a room's log: all that `step` is told. Plain data. In the log, `name` and the personal parts of
 * `payload` are sealed (sealing.ts).
 */
export type RoomInput = Stamped &
  (
    | {
        readonly type: 'room.created'
        readonly room: RoomId
        readonly by: PlayerId
        /** Of the request that made it; a room made by `again` has none. */
        readonly digest: number
        readonly game: string
        readonly version: number
        readonly options: unknown
        readonly public: boolean
      }
    | { readonly type: 'seat.kept'; readonly origin: Origin }
    | {
        readonly type: 'player.joined'
        readonly by: PlayerId
        readonly name: string
        readonly origin: Origin | null
        /** The rules failed at the start that should have followed by itself: the answer does not count it. */
        readonly startFailed?: true
      }
    | { readonly type: 'room.started'; readonly origin: Origin | null }
    | { readonly type: 'move'; readonly origin: Origin; readonly move: string; readonly payload: unknown }
    | { readonly type: 'deadline'; readonly id: string }
    | { readonly type: 'player.dropped'; readonly by: PlayerId }
    | { readonly type: 'player.returned'; readonly by: PlayerId }
    | { readonly type: 'player.left'; readonly by: PlayerId; readonly origin: Origin }
    | { readonly type: 'player.kicked'; readonly player: PlayerId; readonly origin: Origin }
    /** Who speaks loudest now, or that they speak no more and nobody else does. Only where the rules ask. */
    | { readonly type: 'media.speaking'; readonly by: PlayerId; readonly speaking: boolean }
    | { readonly type: 'room.again'; readonly origin: Origin; readonly next: RoomId }
    | {
        readonly type: 'room.migrated'
        readonly version: number
        readonly rules: string
        /** The whole state under the new rules, as a snapshot holds it: replay starts here. */
        readonly state: unknown
      }
  )

export type InputOf<T extends RoomInput['type']> = Extract<RoomInput, { type: T }>
