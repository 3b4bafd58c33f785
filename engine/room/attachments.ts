import type { ConnId, GatewayId } from '../../bus/messages.ts'
import { encode } from '../../protocol/codec.ts'
import { OP, type PlayerId, type Ref, type Role, type RoomId, type SessionId } from '../../protocol/frames.ts'

/** One connection that is in the room. */
export interface Attachment {
  readonly gateway: GatewayId
  readonly conn: ConnId
  readonly player: PlayerId
  readonly session: SessionId
  readonly role: Role
  /** The ref of its JOIN; null where its gateway does not know it. */
  readonly ref: Ref | null
}

/** Why a connection is out of a room that it did not LEAVE itself: the topic of the NOTE that tells it. */
export type Departure = 'kicked' | 'left'

export const departureNote = (room: RoomId, why: Departure): Uint8Array => encode([OP.note, room, why, null])

/** A player's connections to one room; above it the oldest gives way. */
const CONNECTIONS_PER_PLAYER = 8

/** The connections that are in one room, by connection, by player, and by what they are shown. */
export class Attachments {
  readonly #byConn = new Map<string, Attachment>()
  /** Nearly all have one: an array of one is a fifth of a set. */
  readonly #byPlayer = new Map<PlayerId, readonly Attachment[]>()
  readonly #players = new Set<Attachment>()
  /** Who only watches, by gateway. */
  readonly #audiences = new Map<GatewayId, Set<Attachment>>()
  #spectators = 0

  get size(): number {
    return this.#byConn.size
  }

  /** Connections that only watch. */
  get spectators(): number {
    return this.#spectators
  }

  all(): Iterable<Attachment> {
    return this.#byConn.values()
  }

  /** Every player's connections, and one spectator of each gateway, for all of that gateway's: ten thousand may watch. */
  *listeners(): Generator<Attachment> {
    yield* this.#players
    for (const [first] of this.#audiences.values()) if (first !== undefined) yield first
  }

  get(gateway: GatewayId, conn: ConnId): Attachment | undefined {
    return this.#byConn.get(keyOf(gateway, conn))
  }

  of(player: PlayerId): readonly Attachment[] {
    return this.#byPlayer.get(player) ?? NONE
  }

  watches(player: PlayerId): boolean {
    return this.#byPlayer.has(player)
  }

  /** Adds a connection; returns those that it takes the place of: older ones of the same session, or one too many. */
  add(attachment: Attachment): Attachment[] {
    const { gateway, conn, player, role } = attachment
    const old = this.get(gateway, conn)
    if (old !== undefined) this.remove(old)
    const own = this.of(player)
    const replaced = own.filter((a) => isOlder(a, attachment))
    const [first] = own
    if (first !== undefined && own.length - replaced.length >= CONNECTIONS_PER_PLAYER && !replaced.includes(first))
      replaced.push(first)
    for (const gone of replaced) this.remove(gone)
    this.#byConn.set(keyOf(gateway, conn), attachment)
    this.#byPlayer.set(player, [...this.of(player), attachment])
    if (role === 'player') this.#players.add(attachment)
    else {
      this.#spectators += 1
      const audience = this.#audiences.get(gateway)
      if (audience === undefined) this.#audiences.set(gateway, new Set([attachment]))
      else audience.add(attachment)
    }
    return replaced
  }

  remove(attachment: Attachment): void {
    const { gateway, conn, player, role } = attachment
    if (!this.#byConn.delete(keyOf(gateway, conn))) return
    const others = this.of(player).filter((a) => a !== attachment)
    if (others.length > 0) this.#byPlayer.set(player, others)
    else this.#byPlayer.delete(player)
    if (role === 'player') this.#players.delete(attachment)
    else {
      this.#spectators -= 1
      const audience = this.#audiences.get(gateway)
      audience?.delete(attachment)
      if (audience?.size === 0) this.#audiences.delete(gateway)
    }
  }
}

/**
 * Whether it gives way to another one of its session. Gateways number their connections, sessions their refs: so a JOIN that
 * comes late, for a connection that is gone, ends no other.
 */
const isOlder = (a: Attachment, than: Attachment): boolean => {
  if (a.session !== than.session || than.ref === null) return false
  return a.gateway === than.gateway ? a.conn < than.conn : a.ref === null || a.ref < than.ref
}

const NONE: readonly Attachment[] = []
const keyOf = (gateway: GatewayId, conn: ConnId): string => `${conn} ${gateway}`
