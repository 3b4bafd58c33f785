import type { AnswerItem, Attach, GatewayId } from '../bus/messages.ts'
import { commandSubject } from '../bus/subjects.ts'
import type { Clock } from '../protocol/clock.ts'
import type { GatewayCounters } from './counters.ts'
import { type Attaching, heardBy, leaveAudience, type Membership, type Position, type RoomHere } from './membership.ts'
import type { Requests } from './requests.ts'

const PUMP_MS = 50
/** 5,000 members a second: an engine's answers may each be a whole document. */
const MEMBERS_PER_PUMP = 250

/**
 * Asks engines to go on with members that missed something, at a bounded rate, until each is answered.
 * While a member waits here nothing of its room is sent to it, so that the answer fits where it stands, and its lane rests:
 * engines take an older request of the same connection and room for a late copy.
 */
export class Reattach {
  readonly #gateway: GatewayId
  readonly #requests: Requests
  readonly #clock: Clock
  readonly #counters: GatewayCounters
  readonly #onAnswer: (membership: Membership, standing: Attaching, item: AnswerItem) => void
  /** Players go first: who is not with a new owner within 5 s is dropped, and who only watches never is. */
  readonly #players = new Map<Membership, Attaching>()
  readonly #spectators = new Map<Membership, Attaching>()
  #cancelPump: (() => void) | null = null
  #scheduled = false

  constructor(
    gateway: GatewayId,
    requests: Requests,
    clock: Clock,
    counters: GatewayCounters,
    onAnswer: (membership: Membership, standing: Attaching, item: AnswerItem) => void,
  ) {
    this.#gateway = gateway
    this.#requests = requests
    this.#clock = clock
    this.#counters = counters
    this.#onAnswer = onAnswer
  }

  get size(): number {
    return this.#players.size + this.#spectators.size
  }

  /** Attaches this member again from where it stands, or from `position`. Nothing where that is under way. */
  add(membership: Membership, position?: Position) {
    if (membership.standing.is === 'attaching') return
    leaveAudience(membership)
    const at = position ?? positionOf(membership)
    const standing: Attaching = { is: 'attaching', seq: at.seq, heard: at.heard, held: [] }
    membership.standing = standing
    this.#counters.reattached++
    this.#enqueue(membership, standing)
  }

  /** Attaches all members of a room again, but for those whose sockets are full. */
  addRoom(room: RoomHere) {
    for (const membership of room.members.values()) if (membership.standing.is !== 'behind') this.add(membership)
  }

  close() {
    this.#cancelPump?.()
    this.#players.clear()
    this.#spectators.clear()
  }

  #enqueue(membership: Membership, standing: Attaching) {
    const queue = membership.role === 'player' ? this.#players : this.#spectators
    queue.set(membership, standing)
    if (this.#scheduled || this.#cancelPump) return
    this.#scheduled = true
    this.#clock.soon(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump() {
    this.#cancelPump = null
    const rooms = new Map<RoomHere, Map<Membership, Attaching>>()
    let taken = 0
    for (const queue of [this.#players, this.#spectators])
      for (const [membership, standing] of queue) {
        if (taken === MEMBERS_PER_PUMP) break
        const isGone = !isWaiting(membership, standing)
        if (!isGone && membership.connection.lanes.get(membership.room.id)?.isInFlight) continue
        queue.delete(membership)
        if (isGone) continue
        taken++
        const members = rooms.get(membership.room) ?? new Map<Membership, Attaching>()
        rooms.set(membership.room, members.set(membership, standing))
      }
    for (const [room, members] of rooms) this.#ask(room, members)
    if (taken > 0 || this.size > 0) this.#cancelPump = this.#clock.after(PUMP_MS, () => this.#pump())
  }

  #ask(room: RoomHere, members: Map<Membership, Attaching>) {
    this.#requests.open({
      subject: commandSubject(room.partition),
      message: (id) => this.#message(id, room, members),
      onReply: (reply) => reply.kind === 'answer' && this.#answered(members, reply),
      onGiveUp: () => {},
      giveUpMs: Number.POSITIVE_INFINITY,
    })
  }

  /** Built anew for each sending: a member that has gone must not be attached after its Detach. */
  #message(id: number, room: RoomHere, members: Map<Membership, Attaching>): Attach | null {
    const attach: Attach = { kind: 'attach', gateway: this.#gateway, id, room: room.id, members: [] }
    for (const [membership, standing] of members) {
      const { connection, role, ref } = membership
      const { lifecycle } = connection
      if (!isWaiting(membership, standing) || !('session' in lifecycle)) continue
      const { player, session } = lifecycle
      const { seq: since, heard } = standing
      const member = { conn: connection.id, player, session, role, since, heard, ref }
      const { response } = connection.socket
      attach.members.push(response ? { ...member, as: response.as } : member)
    }
    return attach.members.length > 0 ? attach : null
  }

  #answered(members: Map<Membership, Attaching>, item: AnswerItem): boolean {
    for (const [membership, standing] of members) {
      if (membership.connection.id !== item.conn) continue
      members.delete(membership)
      if (isWaiting(membership, standing)) this.#onAnswer(membership, standing, item)
      break
    }
    if (!item.done) return false
    // The answer's last part came, but not these members' parts: ask for them again.
    for (const [membership, standing] of members)
      if (isWaiting(membership, standing)) this.#enqueue(membership, standing)
    return true
  }
}

const positionOf = (membership: Membership): Position => {
  const { standing } = membership
  return standing.is === 'alone' ? { seq: standing.seq, heard: heardBy(membership, standing) } : { seq: 0, heard: 0 }
}

/** Whether this is still what the member waits for: it may have left, or been answered by a JOIN. */
const isWaiting = (membership: Membership, standing: Attaching): boolean =>
  membership.standing === standing &&
  membership.connection.memberships.get(membership.room.id) === membership &&
  !membership.connection.isClosed
