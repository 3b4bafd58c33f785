import { decode, encode } from '../../protocol/codec.ts'
import type { PlayerId, RoomId, Seq } from '../../protocol/frames.ts'
import { RECORD_LIMITS, unwrap, wrap } from '../../protocol/record.ts'
import type { Position } from '../log/log.ts'
import type { Runner } from '../rules/game.ts'
import { plainState, thawState } from './plain.ts'
import { type Keys, openState, sealState } from './sealing.ts'
import type { RoomState } from './state.ts'

/** A room's state at a position of its log: a cache, rebuilt from the log at will. */
export interface Snapshot {
  readonly room: RoomId
  readonly seq: Seq
  /** Of the last record that went into it. */
  readonly position: Position
  readonly checksum: number
  /** Hash of the rules that the state belongs to. */
  readonly rules: string
  readonly players: readonly PlayerId[]
  /** Sealed: `openSnapshot` gives the state. */
  readonly state: unknown
}

const MAGIC = 'MS'

export const encodeSnapshot = (
  state: RoomState,
  at: { position: Position; checksum: number; rules: string },
  runner: Runner,
  keys: Keys,
): Uint8Array => {
  const sealed = sealState(plainState(state, runner), keys)
  const players = Object.keys(state.members)
  const snapshot: Snapshot = { room: state.room, seq: state.seq, ...at, players, state: sealed }
  return wrap(MAGIC, encode(snapshot, RECORD_LIMITS.depth))
}

/** Throws CorruptRecord, naming what is wrong. */
export const decodeSnapshot = (bytes: Uint8Array): Snapshot =>
  decode(unwrap(MAGIC, bytes).body, RECORD_LIMITS) as Snapshot

export const openSnapshot = (snapshot: Snapshot, runner: Runner, keys: Keys): RoomState =>
  thawState(openState(snapshot.state, keys), runner)
