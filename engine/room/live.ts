import type { ConnId, GatewayId, Item } from '../../bus/messages.ts'
import type { Chance } from '../../protocol/clock.ts'
import { Refusal } from '../../protocol/errors.ts'
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
import { type LoadedGame, RulesError, type Stamp } from '../rules/game.ts'
import type { Asker, RoomRequest } from './admit.ts'
import type { Attachment, Attachments, Departure } from './attachments.ts'
import { Audiences, type Prepared, type Resumed } from './audiences.ts'
import { type Answer, type Batch, type BatchSetting, type Pending, type PendingRequest, takeBatch } from './batch.ts'
import type { LogEnd } from './chain.ts'
import { Deadlines } from './deadlines.ts'
import type { RoomInput } from './input.ts'
import { Members, type Place, type Reader, type Reading } from './members.ts'
import { isPlayer } from './membership.ts'
import { Moment } from './moment.ts'
import { isMoving, rulesFailed } from './refusals.ts'
import type { RoomState } from './state.ts'
import { RoomWriter, type WriterPorts } from './writer.ts'

/** Requests that may wait in one room. */
const QUEUE_MOST = 2_048
/** How long an append in flight may hold up the end of the process. */
const SETTLE_MS = 5_000
/** How long the room waits before it tries the store again on its own account. */
const RETRY_MS = 1_000

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
 * One room in memory: the only one who writes its log while this process owns it.
 *
 * A request goes queue → step on a candidate state → one append → ack → outputs and answers. At most one append is in
 * flight; what arrives meanwhile waits and goes into the next record. Nothing that reflects an event leaves before its
 * record is durable. A view that throws is found before the append, so that a throw of the rules rejects the move and
 * leaves the room as it was.
 */
export class LiveRoom {
  readonly room: RoomId
  readonly #ports: RoomPorts
  readonly #game: LoadedGame
  readonly #audiences: Audiences
  readonly #members: Members
  readonly #writer: RoomWriter
  readonly #queue: Pending[] = []
  readonly #deadlines = new Deadlines()
  /** Connections that were here before it was read again, until their turn comes. */
  readonly #adopting = new Set<Attachment>()
  readonly #setting: BatchSetting
  #busy = false
  #closed = false
  /** True while what threw in a batch is looked for, one event at a time. */
  #single = false
  #timer: (() => void) | null = null

  /** `wasLive`: at another owner, or before a restart. */
  constructor(state: RoomState, end: LogEnd, game: LoadedGame, ports: RoomPorts, wasLive: boolean) {
    this.room = state.room
    this.#ports = ports
    this.#game = game
    this.#writer = new RoomWriter(state.room, end, game, ports)
    this.#audiences = new Audiences(new Moment(state, [], game.runner, null), game.runner.hasOnly)
    this.#members = new Members(this.#audiences, {
      clock: ports.clock,
      runner: game.runner,
      wasLive,
      event: (make) => this.event(make),
      send: (outputs) => {
        for (const [gateway, output] of outputs.items()) ports.send(gateway, { ...output, epoch: ports.epoch })
      },
      close: ({ gateway, conn }, code, reason) =>
        ports.send(gateway, { kind: 'close', room: this.room, epoch: ports.epoch, conn, code, reason }),
    })
    this.#setting = {
      runner: game.runner,
      stamp: ({ at }) => ({ at: Math.max(ports.clock.now(), at), seed: ports.chance.uint32() }),
      watches: (player) => this.#members.watches(player),
      nextRoom: () => ports.nextRoom(this.room),
      deadlines: this.#deadlines,
    }
    this.#members.watchPresence(null)
    this.#arm()
  }

  get state(): RoomState {
    return this.#audiences.head.state
  }

  get game(): LoadedGame {
    return this.#game
  }

  get attachments(): Attachments {
    return this.#members.attachments
  }

  /** Nobody is connected, or was seen over HTTP lately. */
  get isEmpty(): boolean {
    return this.#members.isEmpty
  }

  get end(): LogEnd {
    return this.#writer.end
  }

  /** When the next deadline falls due that the rules have not failed on, or null. */
  get due(): number | null {
    return this.#deadlines.next(this.state)?.due ?? null
  }

  /** Resolves once no append is in flight, or the store has long been silent. What the store has refused meanwhile does not hold it up. */
  async settled(): Promise<void> {
    const until = this.#ports.clock.now() + SETTLE_MS
    while (!this.#closed && this.#busy && this.#ports.clock.now() < until)
      await new Promise<void>((resolve) => this.#ports.clock.after(1, resolve))
  }

  /** True once it has left memory: the room is to be had anew. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Somebody here uses video. */
  get hasVideo(): boolean {
    return this.#ports.media.isUsed(this.room)
  }

  /** Nothing waits and nothing is in flight. */
  get quiet(): boolean {
    return !this.#busy && this.#queue.length === 0
  }

  /** `settle` is called once; throws Refusal where too much waits already. */
  request(frame: RoomRequest, asker: Asker, settle: (answer: Answer) => void): void {
    if (this.#closed) throw isMoving()
    if (this.#queue.length >= QUEUE_MOST) throw hasTooMuch()
    if (frame[0] === OP.join) this.#members.endSpectatorPolls(asker.by)
    this.#queue.push({ frame, asker, settle })
    this.#pump()
  }

  /** Queues an event of the room itself. */
  event(make: (state: RoomState, stamp: Stamp) => RoomInput | null): void {
    if (this.#closed) return
    this.#queue.push({ make })
    this.#pump()
  }

  /** Runs `visit` in the room's turn, when no commit is in flight: the place to attach. `refuse` is called where that cannot be. */
  visit(visit: () => void, refuse: (refusal: Refusal) => void = () => {}): void {
    if (this.#closed) refuse(isMoving())
    else if (this.#queue.length >= QUEUE_MOST) refuse(hasTooMuch())
    else {
      this.#queue.push({ visit, refuse })
      this.#pump()
    }
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
    for (const attachment of attachments) {
      this.#adopting.add(attachment)
      const visit = () => {
        if (this.#adopting.delete(attachment)) this.#members.adopt(attachment)
      }
      this.#queue.push({ visit, refuse: () => {} })
    }
    this.#pump()
  }

  /** Those that are attached, and those that wait for their turn to be. */
  get connections(): readonly Attachment[] {
    return [...this.attachments.all(), ...this.#adopting]
  }

  /** Ends the room's work; requests that wait are answered `unavailable`. */
  close(): void {
    this.#closed = true
    this.#timer?.()
    this.#members.close()
    this.#writer.close()
    this.#refuseAll(this.#queue.splice(0))
  }

  #pump(): void {
    while (!this.#busy && !this.#closed && (this.#queue.length > 0 || this.due !== null)) {
      const batch = takeBatch(this.state, this.#queue, this.#setting, this.#single)
      this.#reportTroubles(batch)
      if (batch.taken.length === 0 && batch.inputs.length === 0) break
      const commit = this.#prepare(batch)
      if (commit === null) continue
      this.#busy = true
      if (commit !== 'nothing') void this.#commit(batch, commit)
      else {
        this.#answerAll(batch)
        this.#busy = false
      }
    }
    if (!this.#busy && !this.#closed) this.#arm()
  }

  /** What the commit will log and show, or null where that throws: then the batch is taken again, one event at a time. */
  #prepare(batch: Batch): Commit | 'nothing' | null {
    const { head } = this.#audiences
    const isCommit = batch.inputs.length > 0
    try {
      const next = isCommit ? new Moment(batch.state, batch.emits, this.#game.runner, head) : head
      for (const pending of batch.taken) if ('frame' in pending) viewForNewcomer(next, pending)
      const commit: Commit | 'nothing' = isCommit
        ? {
            record: this.#writer.seal(batch.inputs),
            shown: this.#audiences.prepare(next, this.attachments.listeners(), this.#members.visits.viewers()),
          }
        : 'nothing'
      this.#single = false
      return commit
    } catch (error) {
      if (!(error instanceof RulesError || error instanceof TypeError || error instanceof RangeError)) throw error
      if (this.#single || batch.taken.length + batch.inputs.length === 1) this.#refuse(batch, error)
      else this.#queue.unshift(...batch.taken)
      this.#single = !this.#single && batch.taken.length + batch.inputs.length > 1
      return null
    }
  }

  #refuse(batch: Batch, error: Error): void {
    this.#ports.report('error', `nothing was logged: ${error.message}`, { room: this.room, seq: this.state.seq })
    for (const input of batch.inputs) if (input.type === 'deadline') this.#deadlines.giveUp(this.state, input.id)
    const refusal = rulesFailed()
    for (const pending of batch.taken) if ('frame' in pending) pending.settle({ refusal })
  }

  #reportTroubles({ troubles }: Batch): void {
    for (const { input, error } of troubles) {
      this.#ports.report('error', error.message, {
        room: this.room,
        seq: this.state.seq,
        input: input?.type ?? 'request',
      })
      if (input?.type === 'deadline') this.#deadlines.giveUp(this.state, input.id)
    }
  }

  async #commit(batch: Batch, { record, shown }: Commit): Promise<void> {
    const fate = await this.#writer.append(record)
    if (fate === 'stored' && !this.#closed) {
      this.#land(batch, shown)
      this.#busy = false
      this.#pump()
      return
    }
    this.#busy = false
    if (this.#closed || fate === 'lost') this.#refuseAll(batch.taken)
    if (this.#closed) return
    if (fate === 'lost') {
      this.close()
      return this.#ports.lost(this, 'its log does not end with what was written last')
    }
    this.#refuseAll(batch.taken.filter((pending) => 'frame' in pending))
    this.#queue.unshift(...batch.taken.filter((pending) => !('frame' in pending)))
    this.#timer?.()
    this.#timer = this.#ports.clock.after(RETRY_MS, () => this.#pump())
  }

  #land(batch: Batch, shown: Prepared): void {
    const before = this.state
    this.#audiences.advance(shown)
    this.#ports.media.committed(this)
    for (const [gateway, output] of shown.outputs) this.#ports.send(gateway, { ...output, epoch: this.#ports.epoch })
    this.#answerAll(batch)
    const endless = this.#deadlines.committed(this.state, batch.isFullOfDeadlines)
    if (endless !== null)
      this.#ports.report('error', `timers of these rules fall due at once without end: "${endless}" is given up`, {
        room: this.room,
        seq: this.state.seq,
      })
    for (const input of batch.inputs) {
      if (input.type === 'player.kicked') this.detachPlayer(input.player, 'kicked')
      if (input.type !== 'player.joined') continue
      // Who watched with video until now was shown what spectators are.
      this.#ports.media.gone(this.room, input.by)
      for (const once of this.#members.onceSpectator(input.by, input.origin?.session ?? null))
        this.#queue.push({ visit: () => this.#members.seated(once), refuse: () => {} })
    }
    this.#members.watchPresence(before)
    this.#members.aside.committed(before)
    this.#ports.changed(this)
  }

  /** One answer that fails does not keep the others back. */
  #answerAll(batch: Batch): void {
    for (const settle of batch.answers)
      try {
        settle()
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        this.#ports.report('error', `an answer failed: ${why}`, { room: this.room, seq: this.state.seq })
      }
  }

  #refuseAll(pending: readonly Pending[]): void {
    const refusal = new Refusal(
      'unavailable',
      'It could not be stored just now, and may be sent again with the same ref.',
    )
    for (const p of pending) {
      if ('frame' in p) p.settle({ refusal })
      if ('visit' in p) p.refuse(refusal)
    }
  }

  #arm(): void {
    this.#timer?.()
    const { due } = this
    this.#timer = due === null ? null : this.#ports.clock.after(due - this.#ports.clock.now(), () => this.#pump())
  }
}

const hasTooMuch = (): Refusal => new Refusal('unavailable', 'The room has too much to do. Send it again.')

/** What one append holds, and what it shows once it is durable. */
interface Commit {
  readonly record: ReturnType<RoomWriter['seal']>
  readonly shown: Prepared
}

/** A view that throws for somebody who joins is found before the join is logged. */
const viewForNewcomer = (next: Moment, { frame, asker }: PendingRequest): void => {
  if (frame[0] === OP.join) next.document(isPlayer(next.state, asker.by) ? asker.by : null)
}
