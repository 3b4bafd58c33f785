import { createContext, type ReactNode, use } from 'react'
import { createPortal } from 'react-dom'
import type { PlayerId } from '../../../client/client.ts'
import { Store } from '../../../client/store.ts'
import { useStore } from '../store.ts'

/** The places under the names of a table's people into which its board draws. */
export class Seats {
  readonly slots = new Store<ReadonlyMap<PlayerId, Element>>(new Map())

  /** A ref for the place at `player`'s seat: the same function for the same player. */
  readonly slotOf = (player: PlayerId): ((element: Element | null) => void) => {
    const known = this.#refs.get(player)
    if (known !== undefined) return known
    const ref = (element: Element | null): void => {
      const slots = new Map(this.slots.current)
      if (element === null) slots.delete(player)
      else slots.set(player, element)
      this.slots.set(slots)
    }
    this.#refs.set(player, ref)
    return ref
  }
  readonly #refs = new Map<PlayerId, (element: Element | null) => void>()
}

const nowhere = new Seats()
export const SeatsContext = createContext(nowhere)

/** Draws its children at a player's seat. */
export const AtSeat = ({ player, children }: { player: PlayerId; children: ReactNode }) => {
  const slot = useStore(use(SeatsContext).slots).get(player)
  return slot === undefined ? null : createPortal(children, slot)
}

/** Where a player's face is; null where it is not drawn. */
export const faceOf = (player: PlayerId): Element | null =>
  document.querySelector(`.people [data-player-id="${CSS.escape(player)}"] .face`)
