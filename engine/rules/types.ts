import type { AnyMachineSnapshot, AnyStateMachine, SnapshotFrom } from 'xstate'
import type { PlayerId } from '../../protocol/frames.ts'
import type { MediaPolicy, StandardSchemaV1, Text } from './game.ts'

export type Moves = Readonly<Record<string, StandardSchemaV1>>
/** The options of a game that takes none. */
export type NoOptions = Readonly<Record<string, never>>
/** What a game's `emit` may send; with `to`, only these players get it. */
export type Emit = {
  readonly type: string
  readonly to?: readonly PlayerId[] | undefined
  readonly [key: string]: unknown
}

/** Events of the room itself that reach the machine. */
export const ROOM_EVENTS = [
  'player.joined',
  'player.dropped',
  'player.returned',
  'player.left',
  'media.speaking',
] as const
type PlayerEventType = Exclude<(typeof ROOM_EVENTS)[number], 'media.speaking'>

/** Every event that reaches the machine, by its type. */
export type Events<M extends Moves> = {
  [K in keyof M & string]: {
    readonly type: K
    readonly by: PlayerId
    readonly payload: StandardSchemaV1.InferOutput<M[K]>
  }
} & { [K in PlayerEventType]: { readonly type: K; readonly by: PlayerId } } & {
  /** Who speaks loudest now, or that they speak no more and nobody else does; at most twice a second. */
  readonly 'media.speaking': {
    readonly type: 'media.speaking'
    readonly by: PlayerId
    readonly payload: { readonly speaking: boolean }
  }
}

/** The machine's input: the players in the order in which they joined, and the options with defaults filled in. */
export type Input<O> = { readonly players: readonly PlayerId[]; readonly options: O }

/** The names of a game, and the schemas of what its players send. */
export interface Head<M extends Moves = Moves, S extends StandardSchemaV1 = StandardSchemaV1> {
  /** `a-z`, `0-9` and `-`, at most 32 characters; the name of its folder. */
  readonly id: string
  /** A positive integer; grows with each change of the rules that old rooms cannot follow. */
  readonly version: number
  readonly title: Text
  readonly players: readonly [min: number, max: number]
  readonly moves: M
  readonly options?: S
  /** Parts of payloads that are somebody's words, as `move.path`: sealed in the log. */
  readonly personal?: readonly `${keyof M & string}.${string}`[]
}

type MoveMap<M extends Moves, Side extends 'input' | 'output'> = {
  [K in keyof M & string]: {
    readonly type: K
    readonly payload: Side extends 'input' ? StandardSchemaV1.InferInput<M[K]> : StandardSchemaV1.InferOutput<M[K]>
  }
}
/** A move that `legal` lists: its payload as a client would send it. */
export type LegalMove<M extends Moves> = MoveMap<M, 'input'>[keyof M & string]
/** A move as `explain` sees it: its payload as the schema returned it. */
export type RefusedMove<M extends Moves> = MoveMap<M, 'output'>[keyof M & string] & { readonly by: PlayerId }

export interface Channel<Snapshot> {
  readonly maxBytes: number
  /** Messages a second. */
  readonly rate: number
  readonly from?: (s: Snapshot, player: PlayerId) => boolean
  readonly to?: (s: Snapshot, player: PlayerId, viewer: PlayerId | null) => boolean
}

/** Whom text chat goes to, by the rules: `players` and `spectators` are there without being named. */
export interface ChatAudience<Snapshot> {
  /** Who may write to it; null: a spectator. Without it: nobody, but players to `players` and spectators to `spectators`. */
  readonly from?: (s: Snapshot, member: PlayerId | null) => boolean
  /** Who reads it; without it: nobody, but players read `players` and spectators `spectators`. */
  readonly to?: (s: Snapshot, viewer: PlayerId | null) => boolean
}

/** A room's machine as plain data: what `migrate` takes from the older version and gives to this one. */
export type PlainSnapshot = { status: 'active' | 'done'; value: unknown; context: unknown; output?: unknown }

/** Realtime games: a tick at this rate, with each player's newest input. */
export interface Tick {
  readonly rate: number
  readonly input: StandardSchemaV1
}

/** What a game shows, to whom, and how its rooms are run. */
export interface Face<M extends Moves, A extends AnyStateMachine, P extends object, S extends object> {
  /** What everyone may know: computed, diffed and encoded once. */
  readonly everyone: (s: SnapshotFrom<A>) => P
  /** What this viewer knows besides (null: a spectator); its keys differ from `everyone`'s. */
  readonly only?: (s: SnapshotFrom<A>, viewer: PlayerId | null) => S
  /** Whom this viewer sees and hears. */
  readonly media?: (s: SnapshotFrom<A>, viewer: PlayerId | null) => MediaPolicy
  /** Moves that a bot, a check or a hint may try. */
  readonly legal?: (s: SnapshotFrom<A>, player: PlayerId) => readonly LegalMove<M>[]
  /** Why a move was refused. */
  readonly explain?: (s: SnapshotFrom<A>, move: RefusedMove<M>) => Text | null
  /** What came out, once the machine is done. */
  readonly result?: (s: SnapshotFrom<A>) => unknown
  readonly channels?: Readonly<Record<string, Channel<SnapshotFrom<A>>>>
  /** Audiences of text chat while the game is played. */
  readonly chat?: Readonly<Record<string, ChatAudience<SnapshotFrom<A>>>>
  /** Start when full; else the host starts. */
  readonly autoStart?: boolean
  /** Start at creation; players come and go. */
  readonly dropIn?: boolean
  /** Who is seen and heard while the room is open. */
  readonly lobbyMedia?: 'all' | 'none'
  readonly tick?: Tick
  /** By the version that a room in play has: its snapshot under this version. */
  readonly migrate?: Readonly<Record<number, (snapshot: PlainSnapshot) => PlainSnapshot>>
}

/** A defined game: the default export of a `rules.ts`. */
export type Game<
  H extends Head = Head,
  A extends AnyStateMachine = AnyStateMachine,
  P extends object = object,
  S extends object = object,
> = H & { readonly machine: A } & Face<H['moves'], A, P, S>

/** Any game, as the runner takes it. Methods, not properties: each game's own snapshot type must fit. */
export interface AnyGame extends Omit<Head, 'personal'> {
  readonly personal?: readonly string[]
  readonly machine: AnyStateMachine
  everyone(s: AnyMachineSnapshot): object
  only?(s: AnyMachineSnapshot, viewer: PlayerId | null): object
  media?(s: AnyMachineSnapshot, viewer: PlayerId | null): MediaPolicy
  legal?(s: AnyMachineSnapshot, player: PlayerId): readonly { type: string; payload?: unknown }[]
  explain?(s: AnyMachineSnapshot, move: { type: string; by: PlayerId; payload: unknown }): Text | null
  result?(s: AnyMachineSnapshot): unknown
  readonly channels?: Readonly<Record<string, AnyChannel>>
  readonly chat?: Readonly<Record<string, AnyChatAudience>>
  readonly autoStart?: boolean
  readonly dropIn?: boolean
  readonly lobbyMedia?: 'all' | 'none'
  readonly tick?: Tick
  readonly migrate?: Readonly<Record<number, (snapshot: PlainSnapshot) => PlainSnapshot>>
}
export interface AnyChannel {
  readonly maxBytes: number
  readonly rate: number
  from?(s: AnyMachineSnapshot, player: PlayerId): boolean
  to?(s: AnyMachineSnapshot, player: PlayerId, viewer: PlayerId | null): boolean
}

export interface AnyChatAudience {
  from?(s: AnyMachineSnapshot, member: PlayerId | null): boolean
  to?(s: AnyMachineSnapshot, viewer: PlayerId | null): boolean
}

/** Move name → the payload that a client sends. */
export type MovesOf<G> = G extends { readonly moves: infer M }
  ? { [K in keyof M & string]: M[K] extends StandardSchemaV1 ? StandardSchemaV1.InferInput<M[K]> : never }
  : never

/** The `game` part of a member's document: what everyone knows, and what this member knows besides. */
export type GameDocumentOf<G> = G extends { readonly everyone: (s: never) => infer P }
  ? G extends { readonly only?: (s: never, viewer: never) => infer S }
    ? P & S
    : P
  : never
