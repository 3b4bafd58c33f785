import { createContext, type ReactNode, use } from 'react'
import { createPortal } from 'react-dom'
import type { PlayerId } from '../../../client/client.ts'
import { Store } from '../../../client/store.ts'
import { useStore } from '../store.ts'

/** Places on the page, one for each player, into which others draw. */
class Places {
  readonly elements = new Store<ReadonlyMap<PlayerId, Element>>(new Map())
  readonly #refs = new Map<PlayerId, (element: Element | null) => void>()

  /** A ref for the place of `player`: the same function for the same player. */
  readonly of = (player: PlayerId): ((element: Element | null) => void) => {
    const known = this.#refs.get(player)
    if (known !== undefined) return known
    const ref = (element: Element | null): void => {
      const elements = new Map(this.elements.current)
      if (element === null) elements.delete(player)
      else elements.set(player, element)
      this.elements.set(elements)
    }
    this.#refs.set(player, ref)
    return ref
  }
}

/** What is drawn into at a table's people: the places under their names, for the board, and those over their masks, for video. */
export class Seats {
  readonly slots = new Places()
  readonly views = new Places()
}

const nowhere = new Seats()
export const SeatsContext = createContext(nowhere)

interface AtProps {
  readonly player: PlayerId
  readonly children: ReactNode
}

/** Draws its children at a player's seat. */
export const AtSeat = ({ player, children }: AtProps) => {
  const slot = useStore(use(SeatsContext).slots.elements).get(player)
  return slot === undefined ? null : createPortal(children, slot)
}

/** Draws its children over a player's mask. */
export const AtFace = ({ player, children }: AtProps) => {
  const view = useStore(use(SeatsContext).views.elements).get(player)
  return view === undefined ? null : createPortal(children, view)
}

/** Where a player's face is; null where it is not drawn. */
export const faceOf = (player: PlayerId): Element | null =>
  document.querySelector(`.people [data-player-id="${CSS.escape(player)}"] .face`)
