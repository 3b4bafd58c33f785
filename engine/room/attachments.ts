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
  /** The ref of its JOIN, of a stream the newest of its session; null where it is not known. */
  readonly ref: Ref | null
  /** A held poll ends with what it waits for, and takes no other connection's place. */
  readonly as: 'socket' | 'stream' | 'held'
}

/** Whose view a member is shown: a player's own, or null, that of all spectators. Pure. */
export const viewerOf = ({ player, role }: Pick<Attachment, 'player' | 'role'>): PlayerId | null =>
  role === 'player' ? player : null

/** Why a connection is out of a room that it did not LEAVE itself: the topic of the NOTE that tells it. */
export type Departure = 'kicked' | 'left'

export const departureNote = (room: RoomId, why: Departure): Uint8Array => encode([OP.note, room, why, null])

/** A player's connections to one room, and its held polls; above it the oldest of these gives way. */
const CONNECTIONS_PER_PLAYER = 8

/** The connections that are in one room, by connection, by player, and by what they are shown. */
export class Attachments {
  /** Nearly all have one, and so no array. */
  readonly #byPlayer = new Map<PlayerId, Attachment | readonly Attachment[]>()
  readonly #players = new Map<string, Attachment>()
  /** Who only watches, by gateway. */
  readonly #audiences = new Map<GatewayId, Map<ConnId, Attachment>>()
  #spectators = 0
  /** Null after a change: who listens changes seldom, and is asked at each commit. */
  #listeners: readonly Attachment[] | null = null

  get size(): number {
    return this.#players.size + this.#spectators
  }

  /** Connections that only watch. */
  get spectators(): number {
    return this.#spectators
  }

  *all(): Generator<Attachment> {
    yield* this.#players.values()
    for (const audience of this.#audiences.values()) yield* audience.values()
  }

  /** Every player's connections, and one spectator of each gateway, for all of that gateway's: ten thousand may watch. */
  listeners(): readonly Attachment[] {
    if (this.#listeners !== null) return this.#listeners
    const listeners = [...this.#players.values()]
    for (const audience of this.#audiences.values()) {
      const [first] = audience.values()
      if (first !== undefined) listeners.push(first)
    }
    this.#listeners = listeners
    return listeners
  }

  get(gateway: GatewayId, conn: ConnId): Attachment | undefined {
    return this.#audiences.get(gateway)?.get(conn) ?? this.#players.get(keyOf(gateway, conn))
  }

  of(player: PlayerId): readonly Attachment[] {
    const own = this.#byPlayer.get(player)
    if (own === undefined) return NONE
    return 'conn' in own ? [own] : own
  }

  watches(player: PlayerId): boolean {
    return this.#byPlayer.has(player)
  }

  ofSession(player: PlayerId, session: SessionId): readonly Attachment[] {
    return this.of(player).filter((a) => a.session === session)
  }

  /**
   * Adds a connection; returns those that it takes the place of: older ones of the same session, or one too many. A stream that
   * `opens` is newer than all that its session has at other gateways.
   */
  add(attachment: Attachment, opens = false): Attachment[] {
    const { gateway, conn, player, role } = attachment
    const old = this.get(gateway, conn)
    if (old !== undefined) this.remove(old)
    const own = this.of(player)
    const replaced = own.filter((a) => isOlder(a, attachment, opens))
    const alike = own.filter((a) => (a.as === 'held') === (attachment.as === 'held') && !replaced.includes(a))
    const [first] = alike
    if (first !== undefined && alike.length >= CONNECTIONS_PER_PLAYER) replaced.push(first)
    for (const gone of replaced) this.remove(gone)
    this.#keep(player, [...this.of(player), attachment])
    if (role === 'player') this.#players.set(keyOf(gateway, conn), attachment)
    else {
      this.#spectators += 1
      const audience = this.#audiences.get(gateway)
      if (audience === undefined) this.#audiences.set(gateway, new Map([[conn, attachment]]))
      else audience.set(conn, attachment)
    }
    return replaced
  }

  remove(attachment: Attachment): void {
    const { gateway, conn, player, role } = attachment
    if (this.get(gateway, conn) !== attachment) return
    this.#keep(
      player,
      this.of(player).filter((a) => a !== attachment),
    )
    if (role === 'player') this.#players.delete(keyOf(gateway, conn))
    else {
      this.#spectators -= 1
      const audience = this.#audiences.get(gateway)
      audience?.delete(conn)
      if (audience?.size === 0) this.#audiences.delete(gateway)
    }
  }

  #keep(player: PlayerId, own: readonly Attachment[]): void {
    this.#listeners = null
    const [first] = own
    if (first === undefined) this.#byPlayer.delete(player)
    else this.#byPlayer.set(player, own.length === 1 ? first : own)
  }
}

/**
 * Whether it gives way to another one of its session. Gateways number their connections, sessions their refs: so a JOIN that
 * comes late, for a connection that is gone, ends no other, and a socket that was open before a stream takes its place by
 * joining after it. A stream has no ref where the room's owner knows of no JOIN before it.
 */
const isOlder = (a: Attachment, than: Attachment, opens: boolean): boolean => {
  if (a.session !== than.session || than.as === 'held' || (than.ref === null && !opens)) return false
  const isBefore = a.ref !== null && than.ref !== null && a.ref < than.ref
  if (a.gateway === than.gateway) return a.conn < than.conn || isBefore
  return opens || isBefore || (a.ref === null && a.as === 'socket')
}

const NONE: readonly Attachment[] = []
const keyOf = (gateway: GatewayId, conn: ConnId): string => `${conn} ${gateway}`
