import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId } from '../../protocol/frames.ts'
import { type Layer, layerFor } from './layers.ts'
import type { Source } from './types.ts'

/** While the page moves its tiles about, what is in between does not count. */
const SETTLE_MS = 200
/** Who scrolls by and back should find the picture still there. */
const HIDE_MS = 1_000

export interface Look {
  /** Whether anybody looks at it. */
  readonly on: boolean
  /** Null: as large as the network can. */
  readonly layer: Layer | null
}

const UNTOLD: Look = { on: true, layer: null }

interface Tile {
  look: Look
  width: number
  cancel: () => void
}

/** How the page shows the others' pictures, told once it settled. */
export class Tiles {
  readonly #clock: Clock
  readonly #changed: (player: PlayerId, source: Source) => void
  readonly #tiles = new Map<string, Tile>()

  constructor(clock: Clock, changed: (player: PlayerId, source: Source) => void) {
    this.#clock = clock
    this.#changed = changed
  }

  look(player: PlayerId, source: Source): Look {
    return this.#tiles.get(keyOf(player, source))?.look ?? UNTOLD
  }

  /** Counts at once where it is the first word or the tile comes back, else after a short while. */
  show(player: PlayerId, source: 'camera' | 'screen', width: number): void {
    const key = keyOf(player, source)
    const known = this.#tiles.get(key)
    const tile = known ?? { look: UNTOLD, width, cancel: () => {} }
    this.#tiles.set(key, tile)
    if (known && tile.width === width) return
    tile.width = width
    tile.cancel()
    const settle = (): void => {
      const look = width > 0 ? { on: true, layer: layerFor(width, tile.look.layer) } : { ...tile.look, on: false }
      if (look.on === tile.look.on && look.layer === tile.look.layer) return
      tile.look = look
      this.#changed(player, source)
    }
    if (!known || (width > 0 && !tile.look.on)) settle()
    else tile.cancel = this.#clock.after(width > 0 ? SETTLE_MS : HIDE_MS, settle)
  }

  close(): void {
    for (const tile of this.#tiles.values()) tile.cancel()
  }
}

const keyOf = (player: PlayerId, source: Source): string => `${source} ${player}`
