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
  /** The ref of its JOIN; null where a gateway brings it back by itself: it may be older than the session's other one, and dead. */
  readonly ref: Ref | null
}

/** Why a connection is out of a room that it did not LEAVE itself: the topic of the NOTE that tells it. */
export type Departure = 'kicked' | 'left'

export const departureNote = (room: RoomId, why: Departure): Uint8Array => encode([OP.note, room, why, null])

/** A player's connections to one room; above it the oldest gives way. */
const CONNECTIONS_PER_PLAYER = 8

/** The connections that are in one room, by connection and by player. */
export class Attachments {
  readonly #byConn = new Map<string, Attachment>()
  #spectators = 0
  readonly #byPlayer = new Map<PlayerId, Set<Attachment>>()

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

  get(gateway: GatewayId, conn: ConnId): Attachment | undefined {
    return this.#byConn.get(keyOf(gateway, conn))
  }

  of(player: PlayerId): ReadonlySet<Attachment> {
    return this.#byPlayer.get(player) ?? NONE
  }

  watches(player: PlayerId): boolean {
    return this.#byPlayer.has(player)
  }

  /** Adds a connection; returns those that it takes the place of: older ones of the same session, or one too many. */
  add(attachment: Attachment): Attachment[] {
    const old = this.get(attachment.gateway, attachment.conn)
    if (old !== undefined) this.remove(old)
    const own = this.#byPlayer.get(attachment.player)
    const replaced = [...(own ?? [])].filter((a) => isOlder(a, attachment))
    const first = own !== undefined && own.size - replaced.length >= CONNECTIONS_PER_PLAYER ? [...own][0] : undefined
    if (first !== undefined && !replaced.includes(first)) replaced.push(first)
    for (const gone of replaced) this.remove(gone)
    this.#byConn.set(keyOf(attachment.gateway, attachment.conn), attachment)
    if (attachment.role === 'spectator') this.#spectators += 1
    const set = this.#byPlayer.get(attachment.player)
    if (set === undefined) this.#byPlayer.set(attachment.player, new Set([attachment]))
    else set.add(attachment)
    return replaced
  }

  remove(attachment: Attachment): void {
    if (this.#byConn.delete(keyOf(attachment.gateway, attachment.conn)) && attachment.role === 'spectator')
      this.#spectators -= 1
    const own = this.#byPlayer.get(attachment.player)
    own?.delete(attachment)
    if (own?.size === 0) this.#byPlayer.delete(attachment.player)
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

const NONE: ReadonlySet<Attachment> = new Set()
const keyOf = (gateway: GatewayId, conn: ConnId): string => `${conn} ${gateway}`
