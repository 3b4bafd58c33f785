import type { RoomDocument } from '../protocol/frames.ts'

// The shape of a game as `defineGame` returns it, as far as the SDK's types need it: the SDK imports nothing of the engine.

/** The part of Standard Schema that carries the types. */
interface Schema {
  readonly '~standard': { readonly types?: { readonly input: unknown; readonly output: unknown } | undefined }
}

/** Any game: `typeof` what a `rules.ts` exports. */
export interface GameLike {
  readonly moves: Readonly<Record<string, Schema>>
  readonly everyone: (...args: never[]) => object
  readonly only?: ((...args: never[]) => object) | undefined
}

type InputOf<S extends Schema> = NonNullable<S['~standard']['types']>['input']

/** A move's function: sends it, and resolves with the seq after it once it is durable and the document shows it. */
export type MoveOf<Input> = unknown extends Input
  ? (payload?: unknown) => Promise<number>
  : undefined extends Input
    ? (payload?: Input) => Promise<number>
    : (payload: Input) => Promise<number>

/** The moves of a game by name. */
export type MovesOf<G extends GameLike> = { readonly [K in keyof G['moves'] & string]: MoveOf<InputOf<G['moves'][K]>> }

type EveryoneOf<G extends GameLike> = G extends { readonly everyone: (...args: never[]) => infer P } ? P : never
type OnlyOf<G extends GameLike> = G extends { readonly only?: (...args: never[]) => infer S } ? S : unknown

/** What a game shows a viewer: what everyone may know, and what only this viewer does. */
export type GameViewOf<G extends GameLike> = EveryoneOf<G> & OnlyOf<G>

/** The document of a room in which the game is played. */
export type DocumentOf<G extends GameLike> = RoomDocument<GameViewOf<G>>
