import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { GameEvent, PlayerId } from '../../protocol/frames.ts'

/** Text in one language, or by language tag (`en`, `ko`). */
export type Text = string | Readonly<Record<string, string>>
export type Seen = readonly PlayerId[] | 'all' | 'none'
export interface MediaPolicy {
  see: Seen
  hear: Seen
}

/** A timer that runs: an input of its own, once it falls due. */
export interface Deadline {
  /** XState's id of the delayed send: embeds machine id, state path and delay name. */
  readonly id: string
  /** Ms since the epoch. */
  readonly due: number
  /** Grows with each timer set: orders deadlines that fall due together. */
  readonly order: number
  readonly event: { readonly type: string }
}

/** All that the rules of a room know. Immutable; structure is shared between successive states. */
export interface RulesState {
  /** The XState snapshot; opaque outside `engine/rules`. */
  readonly snapshot: object
  readonly deadlines: readonly Deadline[]
  readonly nextOrder: number
}

/** A state as plain JSON-compatible data: what a snapshot on disk holds. */
export type PlainRulesState = { snapshot: unknown; deadlines: Deadline[]; nextOrder: number }

export interface Stepped {
  readonly state: RulesState
  /** In the order in which the rules emitted them; `to`: only these players. */
  readonly emits: readonly { event: GameEvent; to: readonly PlayerId[] | null }[]
}

/** The moment and the chance that an input carries. */
export interface Stamp {
  /** Ms since the epoch. */
  readonly at: number
  /** uint32. */
  readonly seed: number
}

/** What the machine is told: a move (`payload` as its schema returned it) or a room event such as `player.left`. */
export interface RulesEvent extends Stamp {
  readonly type: string
  readonly by: PlayerId
  readonly payload?: unknown
}

/** A throw inside the rules. The message names the game, the function or state, and the author's own error. */
export class RulesError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RulesError'
  }
}

/** Runs one game's rules. Every method is pure: the same arguments give equal results; a throw in the rules comes out as RulesError. */
export interface Runner {
  readonly id: string
  readonly version: number
  readonly title: Text
  readonly players: readonly [min: number, max: number]
  readonly autoStart: boolean
  readonly dropIn: boolean
  readonly lobbyMedia: 'all' | 'none'
  /** Whether the machine takes `media.speaking`. */
  readonly hearsSpeaking: boolean
  /** Names of the moves. */
  readonly moves: readonly string[]
  /** By move: its payload as JSON Schema 2020-12; `{}` where its library cannot say. */
  readonly moveSchemas: Readonly<Record<string, object>>
  /** Whether each player's view differs (`only` is there): without it all members share one document. */
  readonly hasOnly: boolean
  /** Options as JSON Schema 2020-12; `{}` where the game takes none. */
  readonly optionsSchema: object
  /** Paths inside move payloads that hold somebody's words, by move: `{ chat: [['text']] }`. */
  readonly personal: Readonly<Record<string, readonly (readonly string[])[]>>
  readonly channels: Readonly<Record<string, { maxBytes: number; rate: number }>>
  /** Chat audiences: `players`, `spectators`, and those that the game names. */
  readonly chatAudiences: readonly string[]
  /** Whether the game says who writes and reads where. */
  readonly namesAudiences: boolean

  /** The options with defaults filled in, plain data; throws Refusal `invalid_payload` with the issues as detail. */
  parseOptions(options: unknown): unknown
  /** The payload as its schema returns it; throws Refusal `invalid_payload` (an unknown move type too, naming the known ones). */
  parseMove(type: string, payload: unknown): unknown

  start(input: { players: readonly PlayerId[]; options: unknown } & Stamp): Stepped
  /** The next state, or null where no transition takes the event (the same snapshot came back and no action ran). */
  step(state: RulesState, event: RulesEvent): Stepped | null
  /** The state after a deadline fell due; the deadline is gone from it, whether or not a transition took its event. */
  fire(state: RulesState, deadline: Deadline, stamp: Stamp): Stepped

  /** True once the machine reached its final state. */
  done(state: RulesState): boolean
  result(state: RulesState): unknown
  everyone(state: RulesState): Record<string, unknown>
  /** `{}` where the game has no `only`. Throws where a key is one of `everyone`'s. */
  only(state: RulesState, viewer: PlayerId | null): Record<string, unknown>
  /** The rules' media policy for this viewer; without one: everybody sees and hears the players. */
  media(state: RulesState, viewer: PlayerId | null): MediaPolicy
  /** Moves that this player may try now, as `legal` lists them; null where the game has no `legal`. */
  legal(state: RulesState, player: PlayerId): readonly { type: string; payload?: unknown }[] | null
  /** Why a move was refused, from `explain`, or null. */
  explain(state: RulesState, move: { type: string; by: PlayerId; payload: unknown }): Text | null
  /** Whether this player may send on the channel now; false where the channel has no `from`. */
  mayCast(state: RulesState, channel: string, player: PlayerId): boolean
  /** Whether this viewer gets what `player` sends on the channel; without `to`: every player, no spectator. */
  mayReceive(state: RulesState, channel: string, player: PlayerId, viewer: PlayerId | null): boolean

  /** Whether this member (null: a spectator) may write to the chat audience now. */
  mayWrite(state: RulesState, audience: string, member: PlayerId | null): boolean
  /** Whether this viewer reads what is written to the chat audience now. */
  mayRead(state: RulesState, audience: string, viewer: PlayerId | null): boolean

  /** Throws RulesError where the state is not plain JSON-compatible data, naming the path. */
  toPlain(state: RulesState): PlainRulesState
  fromPlain(plain: PlainRulesState): RulesState
  /** The plain state of version `from` carried over by the game's `migrate`, or null where it names no such version. */
  migrate(from: number, plain: PlainRulesState): PlainRulesState | null
}

/** A game ready to run, and what it was made of. */
export interface LoadedGame {
  readonly runner: Runner
  /** Of the bundled source and the version of XState: a room names it, and runs on no other rules. 32 hex digits. */
  readonly hash: string
  readonly source: string
}

export type { StandardSchemaV1 }
