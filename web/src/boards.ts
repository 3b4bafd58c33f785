import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type { BoardProps, GamePage } from '../../client/board.ts'
import type { GameLike } from '../../client/game.ts'

type Board = ComponentType<BoardProps<GameLike>>

const boards = import.meta.glob<{ default: Board }>('../../games/*/board.tsx')
const pages = import.meta.glob<GamePage<GameLike>>('../../games/*/page.ts', { eager: true, import: 'default' })
const icons = import.meta.glob<string>('../../games/*/icon.svg', { eager: true, import: 'default', query: '?url' })

const loaded = new Map<string, LazyExoticComponent<Board>>()

/** The board of a game, loaded when it is first drawn; null where this page has none. */
export const boardOf = (game: string): LazyExoticComponent<Board> | null => {
  const load = boards[`../../games/${game}/board.tsx`]
  if (load === undefined) return null
  const board = loaded.get(game) ?? lazy(load)
  loaded.set(game, board)
  return board
}

/** What the page knows of a game beside its board; null where the game does not say. */
export const gamePageOf = (game: string): GamePage<GameLike> | null => pages[`../../games/${game}/page.ts`] ?? null

/** The address of a game's sign; null where it has none. */
export const iconOf = (game: string): string | null => icons[`../../games/${game}/icon.svg`] ?? null
