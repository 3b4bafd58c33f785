import type { PlayerId } from '../protocol/frames.ts'
import type { DocumentOf, GameLike } from './game.ts'
import type { Room } from './room.ts'

/**
 * What a page hands the board of a game, the default export of `games/<id>/board.tsx`. The board is drawn while
 * `document.game` is there; the page around it shows the people, the connection and what to do when the game is over.
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
}
