import type { Chance } from '../../protocol/clock.ts'
import type { PlayerId } from '../../protocol/frames.ts'
import type { KeyStore } from '../log/log.ts'
import type { Keys } from './sealing.ts'

const KEYS_CACHED = 20_000
const NONCE_BYTES = 12

/** The players' keys in memory, the most recently used ones; fetched before they are needed, so that a commit never waits. */
export class KeyRing implements Keys {
  readonly #store: Pick<KeyStore, 'playerKey' | 'existingKey'>
  readonly #chance: Chance
  readonly #cache = new Map<PlayerId, Uint8Array>()

  constructor(store: Pick<KeyStore, 'playerKey' | 'existingKey'>, chance: Chance) {
    this.#store = store
    this.#chance = chance
  }

  of(player: PlayerId): Uint8Array | undefined {
    return this.#cache.get(player)
  }

  nonce(): Uint8Array {
    return this.#chance.bytes(NONCE_BYTES)
  }

  /** Whether the player's key is in memory; it counts as used now. */
  has(player: PlayerId): boolean {
    const key = this.#cache.get(player)
    // Who is the first to go does not matter yet; and keys that move in their order make the map write itself anew.
    if (key !== undefined && this.#cache.size > KEYS_CACHED / 2) this.#keep(player, key)
    return key !== undefined
  }

  /** Makes sure that the player has a key, and that it is in memory. Rejects where the store fails. */
  async need(player: PlayerId): Promise<void> {
    if (!this.has(player)) this.#keep(player, await this.#store.playerKey(player))
  }

  /** Brings the keys that exist into memory; a forgotten player has none. */
  async recall(players: Iterable<PlayerId>): Promise<void> {
    for (const player of players) {
      const key = this.#cache.get(player) ?? (await this.#store.existingKey(player))
      if (key !== null) this.#keep(player, key)
    }
  }

  /** Of a player whose key was deleted in the store. */
  drop(player: PlayerId): void {
    this.#cache.delete(player)
  }

  #keep(player: PlayerId, key: Uint8Array): void {
    this.#cache.delete(player)
    this.#cache.set(player, key)
    if (this.#cache.size > KEYS_CACHED) this.#cache.delete(this.#cache.keys().next().value ?? player)
  }
}
