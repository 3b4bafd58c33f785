import type { ComponentType, ReactNode } from 'react'
import type { GameEvent, PlayerId } from '../protocol/frames.ts'
import type { DocumentOf, GameLike } from './game.ts'
import type { Room } from './room.ts'

/**
 * What a page hands the board of a game, the default export of `games/<id>/board.tsx`. The board is drawn while
 * `document.game` is there, in the middle of the table; the page around it shows the people, what happened, the
 * connection and what to do when the game is over.
 */
export interface BoardProps<G extends GameLike> {
  readonly document: DocumentOf<G>
  /** This page's player, who may be a spectator: then `document.room.players` does not hold the id. */
  readonly me: PlayerId
  readonly room: Room<G>
  /** The language that the page speaks. */
  readonly language: 'en' | 'ko'
  /** The server's time in ms since the epoch, renewed every second while the game is played. */
  readonly now: number
  /** Lets the page tell the player, in plain words, if this request is refused. Resolves, never rejects, with whether it was accepted. */
  attempt(request: Promise<unknown>): Promise<boolean>
  /**
   * Draws its children at a player's seat, under the name: what the game shows of that player, or asks. Text there has the
   * class `card-text`, so that it can be read wherever the seat is.
   */
  readonly AtSeat: ComponentType<{ readonly player: PlayerId; readonly children: ReactNode }>
  /** A player's face in small. */
  readonly Face: ComponentType<{ readonly player: PlayerId }>
  /** Where a player's face is on the page, for what travels between seats; null where it is not drawn. */
  faceOf(player: PlayerId): Element | null
}

/** What a game says of this moment, as far as this page's player may know it. */
export interface Standing {
  /** Whose move is awaited. */
  readonly active: readonly PlayerId[]
  /** When this phase ends, ms since the epoch at the server; null: never by time. */
  readonly endsAt: number | null
  /** Who plays no longer, though at the table. */
  readonly out?: readonly PlayerId[]
  /** Whether it is night in the game: the page is dimmed. */
  readonly isNight?: boolean
  /** Whom the rules' `media` lets this player not see now: their tiles are closed. */
  readonly hidden?: readonly PlayerId[]
}

/** Who alone gets the picture and the voice of this page's player, each an audience in words ("the mafia"); null: nobody; absent: everyone. */
export interface OwnReach {
  readonly sight?: string | null
  readonly voice?: string | null
}

/** What the page around a board says of the game, in one language. */
export interface PageWords<G extends GameLike> {
  /** What one does in this game, in a line. */
  readonly about: string
  /** What its options are called where a room is made. */
  readonly options?: Readonly<Record<string, string>>
  /** What its own audiences of text chat are called: "the mafia". */
  readonly audiences?: Readonly<Record<string, string>>
  /** Who alone sees and hears this page's player now, as the rules' `media` has it; null: everyone. */
  reach?(document: DocumentOf<G>, me: PlayerId): OwnReach | null
  /** What an EMIT means, as a sentence for the list of what happened; null: nothing to tell. */
  event?(event: GameEvent, nameOf: (id: PlayerId) => string): string | null
  /** What a change of the document means, likewise. */
  change?(before: DocumentOf<G>, now: DocumentOf<G>, nameOf: (id: PlayerId) => string): string | null
}

/** What a page knows of a game beside its board: the default export of `games/<id>/page.ts`. Pure. */
export interface GamePage<G extends GameLike> {
  standing(document: DocumentOf<G>, me: PlayerId): Standing
  readonly words: Readonly<Record<'en' | 'ko', PageWords<G>>>
}
