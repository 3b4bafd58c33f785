import type { ConnId, GatewayId, Item } from '../../bus/messages.ts'
import { partitionOf } from '../../bus/subjects.ts'
import type { Chance } from '../../protocol/clock.ts'
import type { Refusal } from '../../protocol/errors.ts'
import {
  type CallFrame,
  type CastFrame,
  OP,
  type PlayerId,
  type Ref,
  type Role,
  type RoomId,
  type Seq,
  type SessionId,
} from '../../protocol/frames.ts'
import type { LoadedGame, Stamp } from '../rules/game.ts'
import type { Asker, RoomRequest } from './admit.ts'
import type { Attachment, Attachments, Departure } from './attachments.ts'
import { Audiences, type Prepared, type Resumed } from './audiences.ts'
import type { Answer } from './batch.ts'
import type { LogEnd } from './chain.ts'
import { Commits } from './commits.ts'
import type { RoomInput } from './input.ts'
import { Members, type Place, type Reader, type Reading } from './members.ts'
import { Moment } from './moment.ts'
import type { RoomState } from './state.ts'
import type { WriterPorts } from './writer.ts'

export interface RoomPorts extends WriterPorts {
  readonly chance: Chance
  /** The id of the room that `again` makes of this one. */
  nextRoom(room: RoomId): RoomId
  send(gateway: GatewayId, item: Item): void
  /** Who may see and hear whom follows the room. */
  readonly media: {
    committed(room: LiveRoom): void
    gone(room: RoomId, player: PlayerId): void
    isUsed(room: RoomId): boolean
  }
  /** Called after each commit. */
  changed(room: LiveRoom): void
  /** The log holds something that this owner did not write: the room must be read again. Called once. */
  lost(room: LiveRoom, why: string): void
}

/**
 * One room in memory: the only one who writes its log while this process owns it. What it is asked waits for its turn in
 * `Commits`; who is here, and is shown what comes of it, `Members` knows.
 */
export class LiveRoom {
  readonly room: RoomId
  /** Kept, for all rooms are gone through for each partition that leaves. */
  readonly partition: number
  readonly game: LoadedGame
  readonly #ports: RoomPorts
  readonly #audiences: Audiences
  readonly #members: Members
  readonly #commits: Commits
  /** Connections that were here before it was read again, until their turn comes. */
  readonly #adopting = new Set<Attachment>()

  /** `wasLive`: at another owner, or before a restart. */
  constructor(state: RoomState, end: LogEnd, game: LoadedGame, ports: RoomPorts, wasLive: boolean) {
    this.room = state.room
    this.partition = partitionOf(state.room)
    this.game = game
    this.#ports = ports
    this.#audiences = new Audiences(new Moment(state, [], game.runner, null), game.runner.hasOnly)
    this.#members = new Members(this.#audiences, {
      clock: ports.clock,
      runner: game.runner,
      wasLive,
      event: (make) => this.event(make),
      send: (outputs) => this.#send(outputs.items()),
      close: ({ gateway, conn }, code, reason) =>
        ports.send(gateway, { kind: 'close', room: this.room, epoch: ports.epoch, conn, code, reason }),
    })
    this.#commits = new Commits(end, {
      ...ports,
      game,
      audiences: this.#audiences,
      members: this.#members,
      nextRoom: () => ports.nextRoom(this.room),
      show: ({ outputs }) => {
        ports.media.committed(this)
        this.#send(outputs)
      },
      landed: (before, inputs) => this.#landed(before, inputs),
      lost: (why) => {
        this.close()
        ports.lost(this, why)
      },
    })
    this.#members.watchPresence(null)
  }

  get state(): RoomState {
    return this.#audiences.head.state
  }

  get attachments(): Attachments {
    return this.#members.attachments
  }

  /** Nobody is connected, or was seen over HTTP lately. */
  get isEmpty(): boolean {
    return this.#members.isEmpty
  }

  get end(): LogEnd {
    return this.#commits.end
  }

  /** When the next deadline falls due that the rules have not failed on, or null. */
  get due(): number | null {
    return this.#commits.due
  }

  /** As `Commits.settled`. */
  settled(): Promise<void> {
    return this.#commits.settled()
  }

  /** True once it has left memory: the room is to be had anew. */
  get isClosed(): boolean {
    return this.#commits.isClosed
  }

  /** Somebody here uses video. */
  get hasVideo(): boolean {
    return this.#ports.media.isUsed(this.room)
  }

  /** Nothing waits and nothing is in flight. */
  get quiet(): boolean {
    return this.#commits.quiet
  }

  /** `settle` is called once; throws Refusal where too much waits already. */
  request(frame: RoomRequest, asker: Asker, settle: (answer: Answer) => void): void {
    const refusal = this.#commits.refusal()
    if (refusal !== null) throw refusal
    if (frame[0] === OP.join) this.#members.endSpectatorPolls(asker.by)
    this.#commits.push([{ frame, asker, settle }])
  }

  /** Queues an event of the room itself. */
  event(make: (state: RoomState, stamp: Stamp) => RoomInput | null): void {
    if (!this.isClosed) this.#commits.push([{ make }])
  }

  /** Runs `visit` in the room's turn, when no commit is in flight: the place to attach. `refuse` is called where that cannot be. */
  visit(visit: () => void, refuse: (refusal: Refusal) => void = () => {}): void {
    const refusal = this.#commits.refusal()
    if (refusal === null) this.#commits.push([{ visit, refuse }])
    else refuse(refusal)
  }

  /** Takes a connection into the room that JOINs; returns as `attach`. */
  join(attachment: Attachment, since: Seq | null): Resumed {
    return this.#members.join(attachment, since)
  }

  /** Takes a connection into the room; returns the frames that bring it to the present. Throws RulesError where a view throws. */
  attach(attachment: Attachment, since: Seq | null, heard: Seq | null): Resumed {
    return this.#members.attach(attachment, since, heard)
  }

  /** What a member missed, as `Members.read`. Throws Refusal `not_member`, RulesError where a view throws. */
  read(reader: Reader, since: Seq, attach: Place | null, presenceMs: number): Reading {
    return this.#members.read(reader, since, attach, presenceMs)
  }

  /** A request over HTTP came from this player: who is a member stays one for a while. */
  visited(reader: Reader): void {
    this.#members.visited(reader)
  }

  /** A JOIN over HTTP makes a member, and attaches nothing. */
  joined(reader: Reader, ref: Ref): void {
    this.#members.joined(reader, ref)
  }

  detach(gateway: GatewayId, conn: ConnId): void {
    for (const waiting of this.#adopting)
      if (waiting.gateway === gateway && waiting.conn === conn) this.#adopting.delete(waiting)
    this.#members.detach(gateway, conn)
  }

  /** Ends the room on all connections and visits of a player, and tells all connections why but the one that knows. */
  detachPlayer(player: PlayerId, reason: Departure, but?: { gateway: GatewayId; conn: ConnId }): void {
    this.#members.detachPlayer(player, reason, but)
    this.#ports.media.gone(this.room, player)
  }

  /** Sends an ephemeral CAST past the log. Throws Refusal `forbidden`, RulesError where the channel's rules throw. */
  cast(frame: CastFrame, by: PlayerId, session: SessionId): void {
    this.#members.aside.cast(frame, by, session)
  }

  /** CALL `chat`, past the log: the id of the line. Throws Refusal, RulesError where the rules throw. */
  chat(frame: CallFrame, asker: Asker): { id: number } {
    return this.#members.aside.chat(frame, asker)
  }

  /** The role of a member. Throws Refusal `not_member`. */
  roleOf(player: PlayerId): Role {
    return this.#members.roleOf(player)
  }

  /** Tells one session of a member, on each of its connections or at its next poll. */
  note(to: Reader, topic: string, data: unknown): void {
    this.#members.aside.note(to, topic, data)
  }

  /** Tells each member for whom this is true. */
  noteTo(isFor: (player: PlayerId) => boolean, topic: string, data: unknown): void {
    this.#members.aside.noteTo(isFor, topic, data)
  }

  /** The frames that follow the answer to a JOIN: chat that this member may read. */
  welcome(attachment: Attachment): Uint8Array[] {
    return this.#members.aside.welcome(attachment)
  }

  /** Takes over the connections of another owner's room, and sends each the present state. */
  adopt(attachments: readonly Attachment[]): void {
    for (const attachment of attachments) this.#adopting.add(attachment)
    const visits = attachments.map((attachment) => ({
      visit: () => {
        if (this.#adopting.delete(attachment)) this.#members.adopt(attachment)
      },
      refuse: () => {},
    }))
    this.#commits.push(visits)
  }

  /** Those that are attached, and those that wait for their turn to be. */
  get connections(): readonly Attachment[] {
    return [...this.attachments.all(), ...this.#adopting]
  }

  /** Ends the room's work; requests that wait are answered `unavailable`. */
  close(): void {
    this.#members.close()
    this.#commits.close()
  }

  #send(outputs: Prepared['outputs']): void {
    const { epoch, send } = this.#ports
    for (const [gateway, output] of outputs) send(gateway, { ...output, epoch })
  }

  /** After a commit, its outputs and its answers. */
  #landed(before: RoomState, inputs: readonly RoomInput[]): void {
    for (const input of inputs) {
      if (input.type === 'player.kicked') this.detachPlayer(input.player, 'kicked')
      if (input.type !== 'player.joined') continue
      // Who watched with video until now was shown what spectators are.
      this.#ports.media.gone(this.room, input.by)
      for (const once of this.#members.onceSpectator(input.by, input.origin?.session ?? null))
        this.#commits.push([{ visit: () => this.#members.seated(once), refuse: () => {} }])
    }
    this.#members.watchPresence(before)
    this.#members.aside.committed(before)
    this.#ports.changed(this)
  }
}
