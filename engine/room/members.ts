import type { ConnId, GatewayId } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'
import { CLOSE, type CloseCode, Refusal } from '../../protocol/errors.ts'
import type { PlayerId, Ref, Role, Seq, SessionId } from '../../protocol/frames.ts'
import type { Runner, Stamp } from '../rules/game.ts'
import { Aside } from './aside.ts'
import { type Attachment, Attachments, type Departure } from './attachments.ts'
import type { Audiences, Resumed } from './audiences.ts'
import type { RoomInput } from './input.ts'
import { isConnected, isOut, isPlayer } from './membership.ts'
import { Outputs } from './outputs.ts'
import { Presence } from './presence.ts'
import type { RoomState } from './state.ts'
import { type Visitor, Visits } from './visits.ts'

/** How long a request over HTTP counts as presence, besides what it waits; and how long a spectator's stream may be away. */
const VISIT_MS = 10_000

export interface Reader {
  readonly player: PlayerId
  readonly session: SessionId
}

/** What a read attaches. */
export interface Place {
  readonly gateway: GatewayId
  readonly conn: ConnId
  readonly as: 'held' | 'stream'
  /** Of a read that came before: what was not attached by it, or is no more, is not attached by a late copy. */
  readonly isCopy: boolean
}

/** What a read is answered; `attached` as in an AnswerItem. */
export interface Reading {
  readonly frames: Uint8Array[]
  readonly attached?: { role: Role; seq: Seq; heard: Seq; ref?: Ref } | null
}

/** A poll that is held for 30 s counts for 10 s more. */
const LONGEST_VISIT_MS = 40_000

export interface MembersPorts {
  readonly clock: Clock
  readonly runner: Runner
  /** Whether the room was live at another owner until now, who knew of spectators that this one does not. */
  readonly wasLive: boolean
  /** Queues an event of the room itself. */
  event(make: (state: RoomState, stamp: Stamp) => RoomInput | null): void
  send(outputs: Outputs): void
  close(attachment: Attachment, code: CloseCode | null, reason: string): void
}

/**
 * Who is in one room, by a connection or by a visit over HTTP: what brings them to the present, what passes between them beside
 * the log, and how long a player may be away before the room counts the player as dropped. All of it runs in the room's turn.
 */
export class Members {
  /** Until then, ms since the epoch, whoever goes on from somewhere may have been a spectator at the owner before. */
  readonly #strangersUntil: number
  readonly attachments = new Attachments()
  readonly visits: Visits
  readonly aside: Aside
  readonly #ports: MembersPorts
  readonly #audiences: Audiences
  readonly #presence: Presence

  constructor(audiences: Audiences, ports: MembersPorts) {
    const { clock, runner, wasLive } = ports
    this.#ports = ports
    this.#strangersUntil = wasLive ? clock.now() + LONGEST_VISIT_MS : 0
    this.#audiences = audiences
    this.#presence = new Presence(clock, (player) => this.#absent(player))
    this.visits = new Visits(clock, (visitor) => this.#left(visitor))
    this.aside = new Aside(this.attachments, this.visits, () => this.#state, runner, clock, ports.send)
  }

  /** Nobody is connected, or was seen over HTTP lately. */
  get isEmpty(): boolean {
    return this.attachments.size === 0 && this.visits.size === 0
  }

  watches(player: PlayerId): boolean {
    return this.attachments.watches(player) || this.visits.watches(player)
  }

  /** As `attach`, for a JOIN: a connection that is here was sent meanwhile what came after a lower `since`. */
  join(attachment: Attachment, since: Seq | null): Resumed {
    const isHere = this.attachments.get(attachment.gateway, attachment.conn) !== undefined
    const isOld = isHere && since !== null && since < this.#audiences.standing(attachment)
    return this.attach(attachment, isOld ? null : since, null, { wasSent: this.#polls(attachment) })
  }

  /**
   * Takes a connection into the room; returns the frames that bring it to the present. `wasSent`: whether `since` is the seq of what this
   * member was sent last, and not of the log's end. Throws RulesError where a view throws.
   */
  attach(
    attachment: Attachment,
    since: Seq | null,
    heard: Seq | null,
    { opens = false, wasSent = true }: { opens?: boolean; wasSent?: boolean } = {},
  ): Resumed {
    const before = this.attachments.get(attachment.gateway, attachment.conn)
    const held = before === undefined || before.role === attachment.role ? since : null
    const resumed = this.#audiences.resume(attachment, held, heard, wasSent)
    this.#enter(attachment, opens)
    return resumed
  }

  /**
   * What a member missed since `since`, who counts as present from now on; with `attach`, a place in the room for what comes
   * next: of a held poll only where it missed nothing. Throws Refusal `not_member`, RulesError where a view throws.
   */
  read(reader: Reader, since: Seq, attach: Place | null, presenceMs: number): Reading {
    const { player, session } = reader
    const isStranger = since > 0 && !this.#isMember(player) && this.#ports.clock.now() < this.#strangersUntil
    const isSpectator = isStranger && !isPlayer(this.#state, player) && !this.#state.kicked.includes(player)
    const member = { player, session, role: isSpectator ? ('spectator' as const) : this.roleOf(player) }
    const isOver = attach?.isCopy === true && this.attachments.get(attach.gateway, attach.conn) === undefined
    if (attach?.as === 'stream') {
      if (isOver) throw new Refusal('unavailable', 'This stream is over. Open it again.')
      return this.#stream(member, attach, since)
    }
    const news = this.#audiences.poll(member, since)
    this.#stay(member, presenceMs, 0)
    const missed = this.aside.missed(member, since === 0)
    const { head } = this.#audiences
    const frames =
      news.length === 0 && missed.length > 0 ? [head.emptyPatch(since, head.seq), ...missed] : [...news, ...missed]
    if (attach === null) return { frames }
    if (frames.length > 0 || isOver) {
      // An earlier copy of this read may have found nothing.
      this.detach(attach.gateway, attach.conn)
      return { frames, attached: null }
    }
    const { gateway, conn, as } = attach
    this.#enter({ ...member, gateway, conn, as, ref: null }, false)
    return { frames, attached: { role: member.role, seq: this.#audiences.standing(member), heard: head.seq } }
  }

  /** A request over HTTP came from this player: who is a member stays one for a while. */
  visited(reader: Reader): void {
    if (this.#isMember(reader.player)) this.#request(reader, 0)
  }

  /** A JOIN over HTTP makes a member, and attaches nothing. */
  joined(reader: Reader, ref: Ref): void {
    this.#request(reader, ref)
  }

  /** The role of a member. Throws Refusal `not_member`. */
  roleOf(player: PlayerId): Role {
    if (this.#state.kicked.includes(player)) throw new Refusal('not_member', 'The host removed you from this room.')
    if (!this.#isMember(player)) throw new Refusal('not_member', 'You are not in this room: JOIN it first.')
    return isPlayer(this.#state, player) ? 'player' : 'spectator'
  }

  detach(gateway: GatewayId, conn: ConnId): void {
    const attachment = this.attachments.get(gateway, conn)
    if (attachment === undefined) return
    this.attachments.remove(attachment)
    // Over HTTP a spectator comes back without a JOIN.
    if (attachment.role === 'spectator' && attachment.as !== 'socket')
      this.visits.stay(attachment, VISIT_MS, attachment.ref ?? 0)
    this.#follow(attachment)
    this.#left(attachment)
  }

  /** Ends the room on all connections and visits of a player, and tells all connections why but the one that knows. */
  detachPlayer(player: PlayerId, reason: Departure, but?: { gateway: GatewayId; conn: ConnId }): void {
    const visitors = this.visits.end(player)
    const attachments = this.attachments.of(player)
    for (const attachment of attachments) {
      this.attachments.remove(attachment)
      if (attachment.gateway !== but?.gateway || attachment.conn !== but.conn)
        this.#ports.close(attachment, null, reason)
    }
    for (const member of [...visitors, ...attachments]) this.#left(member)
  }

  /** Connections that still show spectators' views to one who took a seat by a JOIN of `session`, whose answer goes to its own socket. */
  onceSpectator(player: PlayerId, session: SessionId | null): readonly Attachment[] {
    return this.attachments
      .of(player)
      .filter((a) => a.role === 'spectator' && (a.as === 'stream' || (a.as === 'socket' && a.session !== session)))
  }

  /** Shows the connection of who was a spectator until now what the player may see, where it is still here. Throws as `adopt`. */
  seated(attachment: Attachment): void {
    if (this.attachments.get(attachment.gateway, attachment.conn) === attachment) this.adopt(attachment)
  }

  /**
   * Ends the polls that wait for a spectator who may be about to take a seat: with the commit of the seat they would show a
   * spectator's view, and stand where the player's begins.
   */
  endSpectatorPolls(player: PlayerId): void {
    for (const poll of this.attachments.of(player).filter((a) => a.as === 'held' && a.role === 'spectator')) {
      this.detach(poll.gateway, poll.conn)
      this.#ports.close(poll, CLOSE.takenOver, 'Read again: a JOIN was sent.')
    }
  }

  /**
   * Takes over a connection of another owner's room, or of who was a spectator until now, and sends it the present state. Throws
   * RulesError where a view throws.
   */
  adopt(attachment: Attachment): void {
    const role = isPlayer(this.#state, attachment.player) ? 'player' : 'spectator'
    if (this.#state.kicked.includes(attachment.player)) {
      this.#ports.close(attachment, null, 'kicked')
      return
    }
    if (role === 'spectator' && attachment.role === 'player') {
      this.#ports.close(attachment, null, 'left')
      return
    }
    const { frames, seq } = this.attach({ ...attachment, role }, null, null)
    const [frame] = frames
    if (frame === undefined) return
    const outputs = new Outputs(this.#state.room, this.#state.seq)
    // Under the role of now: what a player may see is not for the spectators that the connection was among.
    outputs.add({ ...attachment, role }, { document: { from: null, seq, frame }, emits: [], ephemeral: [] })
    this.#ports.send(outputs)
  }

  /** Players who count as connected but are not here are on their way back, or will be dropped. `before`: the state before a commit. */
  watchPresence(before: RoomState | null): void {
    if (before?.members === this.#state.members) return
    for (const player of this.#state.players)
      if (isConnected(this.#state, player) && !this.watches(player)) this.#presence.gone(player)
  }

  close(): void {
    this.#presence.close()
    this.visits.close()
    this.aside.close()
  }

  get #state(): RoomState {
    return this.#audiences.head.state
  }

  #stream(member: Visitor, { gateway, conn, as, isCopy }: Place, since: Seq): Reading {
    const { player, session, role } = member
    const refs = this.attachments.ofSession(player, session).map((a) => a.ref ?? 0)
    const last = Math.max(this.visits.refOf(player, session), ...refs)
    // An owner who is new to the room knows of no JOIN before the stream.
    const ref = last === 0 ? null : last
    const welcome = this.aside.welcome(member)
    const { frames, seq } = this.attach({ ...member, gateway, conn, as, ref }, since, since, {
      opens: !isCopy,
      wasSent: this.#polls(member),
    })
    return {
      frames: [...frames, ...welcome],
      attached: { role, seq, heard: this.#state.seq, ...(ref !== null && { ref }) },
    }
  }

  /** Whether the session has polled lately: then it holds what is stamped with the head, and may go on from there. */
  #polls({ player, session }: Pick<Visitor, 'player' | 'session'>): boolean {
    return !this.visits.isNew(player, session)
  }

  #enter(attachment: Attachment, opens: boolean): void {
    const { player, session, as } = attachment
    const isNew = as !== 'held' || !this.#isHere(attachment)
    for (const replaced of this.attachments.add(attachment, opens)) {
      this.#ports.close(replaced, CLOSE.takenOver, 'This session was opened somewhere else.')
      this.#follow(replaced)
    }
    // From now on it is here for as long as its connection.
    if (as !== 'held') this.visits.end(player, session)
    this.#follow(attachment)
    this.#here(attachment)
    if (isNew) this.aside.came()
  }

  #request({ player, session }: Reader, ref: Ref): void {
    const role = isPlayer(this.#state, player) ? 'player' : 'spectator'
    // Who plays on a connection is here for as long as that.
    if (role === 'player' && this.attachments.ofSession(player, session).some((a) => a.as !== 'held')) return
    this.#stay({ player, session, role }, VISIT_MS, ref)
  }

  #stay(visitor: Visitor, ms: number, ref: Ref): void {
    const isNew = !this.#isHere(visitor)
    this.visits.stay(visitor, ms, ref)
    this.#follow(visitor)
    this.#here(visitor)
    if (isNew) this.aside.came()
  }

  #here({ player, role }: Pick<Visitor, 'player' | 'role'>): void {
    this.#presence.here(player)
    if (role === 'player' && !isConnected(this.#state, player)) this.#returned(player)
  }

  /** A connection or a visit ended. */
  #left(member: Visitor): void {
    if (this.#isHere(member)) return
    const { player } = member
    this.aside.went(member)
    if (!this.watches(player) && isConnected(this.#state, player)) this.#presence.gone(player)
  }

  /** While a session has a connection, nothing is kept for its visit. */
  #follow({ player, session }: Reader): void {
    this.visits.follow(player, session, this.attachments.ofSession(player, session).length > 0)
  }

  #isHere({ player, session }: Reader): boolean {
    return this.visits.has(player, session) || this.attachments.ofSession(player, session).length > 0
  }

  #isMember(player: PlayerId): boolean {
    return isPlayer(this.#state, player) ? !isOut(this.#state, player) : this.watches(player)
  }

  /** Of a player who counts as dropped and is here. */
  #returned(player: PlayerId): void {
    this.#ports.event((state, stamp) =>
      isPlayer(state, player) && !isOut(state, player) && !isConnected(state, player) && this.watches(player)
        ? { type: 'player.returned', by: player, ...stamp }
        : null,
    )
  }

  #absent(player: PlayerId): void {
    this.#ports.event((state, stamp) =>
      isConnected(state, player) && !this.watches(player) ? { type: 'player.dropped', by: player, ...stamp } : null,
    )
  }
}
