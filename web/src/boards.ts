import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type { BoardProps } from '../../client/board.ts'
import type { GameLike } from '../../client/game.ts'

type Board = ComponentType<BoardProps<GameLike>>
type Labels = Readonly<Record<'en' | 'ko', Readonly<Record<string, string>>>>

const boards = import.meta.glob<{ default: Board }>('../../games/*/board.tsx')
const labels = import.meta.glob<Labels>('../../games/*/options.ts', { eager: true, import: 'optionLabels' })

const loaded = new Map<string, LazyExoticComponent<Board>>()

/** The board of a game, loaded when it is first drawn; null where this page has none. */
export const boardOf = (game: string): LazyExoticComponent<Board> | null => {
  const load = boards[`../../games/${game}/board.tsx`]
  if (load === undefined) return null
  const board = loaded.get(game) ?? lazy(load)
  loaded.set(game, board)
  return board
}

/** What a game calls its options; null where it does not say. */
export const optionLabel = (game: string, option: string, language: 'en' | 'ko'): string | null =>
  labels[`../../games/${game}/options.ts`]?.[language][option] ?? null
