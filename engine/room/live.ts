import type { ConnId, GatewayId, Item } from '../../bus/messages.ts'
import type { Chance, Clock } from '../../protocol/clock.ts'
import { encode } from '../../protocol/codec.ts'
import { CLOSE, Refusal } from '../../protocol/errors.ts'
import { type CastFrame, OP, type PlayerId, type RoomId, type Seq } from '../../protocol/frames.ts'
import { decodeRecord, encodeRecord, recordChecksum } from '../../protocol/record.ts'
import { FateUnknown, Fenced, NotStored, type Position, type Storage } from '../log/log.ts'
import { type LoadedGame, RulesError, type Stamp } from '../rules/game.ts'
import type { Asker, RoomRequest } from './admit.ts'
import { type Attachment, Attachments } from './attachments.ts'
import { AudienceCount } from './audience-count.ts'
import { Audiences, type Prepared, type Resumed } from './audiences.ts'
import { type Answer, type Batch, nextDeadline, type Pending, type PendingRequest, takeBatch } from './batch.ts'
import { Casts } from './casts.ts'
import type { LogEnd } from './chain.ts'
import type { RoomInput } from './input.ts'
import { isConnected, isPlayer } from './membership.ts'
import { Moment } from './moment.ts'
import { Outputs } from './outputs.ts'
import { Presence } from './presence.ts'
import { type Keys, sealInput } from './sealing.ts'
import type { RoomState } from './state.ts'

/** Requests that may wait in one room. */
const QUEUE_MOST = 2_048
/** How long the room waits before it tries the store again on its own account. */
const RETRY_MS = 1_000

/** A report for the log: never with a payload, a token or a name. */
export type Report = (level: 'error' | 'warn' | 'info', message: string, fields: Record<string, unknown>) => void

export interface RoomPorts {
  readonly clock: Clock
  readonly chance: Chance
  readonly storage: Pick<Storage, 'append' | 'last'>
  readonly keys: Keys
  readonly epoch: number
  readonly report: Report
  /** Unique per owner and append. */
  recordId(): string
  /** The id of the room that `again` makes of this one. */
  nextRoom(room: RoomId): RoomId
  send(gateway: GatewayId, item: Item): void
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
  readonly attachments = new Attachments()
  readonly #ports: RoomPorts
  readonly #game: LoadedGame
  readonly #audiences: Audiences
  readonly #presence: Presence
  readonly #casts: Casts
  readonly #watching: AudienceCount
  readonly #queue: Pending[] = []
  readonly #stuck = new Set<number>()
  #end: LogEnd
  #busy = false
  #closed = false
  #most = Number.POSITIVE_INFINITY
  #timer: (() => void) | null = null

  constructor(state: RoomState, end: LogEnd, game: LoadedGame, ports: RoomPorts) {
    this.room = state.room
    this.#ports = ports
    this.#game = game
    this.#end = end
    this.#audiences = new Audiences(new Moment(state, [], game.runner, null), game.runner.hasOnly)
    this.#presence = new Presence(ports.clock, (player) => this.#absent(player))
    this.#casts = new Casts(ports.clock, game.runner)
    this.#watching = new AudienceCount(ports.clock, () => this.#tellWatching())
    this.#watchPresence(null)
    this.#arm()
  }

  get state(): RoomState {
    return this.#audiences.head.state
  }

  get game(): LoadedGame {
    return this.#game
  }

  get end(): LogEnd {
    return this.#end
  }

  /** Resolves once no append is in flight and nothing waits. */
  async settled(): Promise<void> {
    while (!this.#closed && !this.quiet) await new Promise<void>((resolve) => this.#ports.clock.after(1, resolve))
  }

  /** Nothing waits and nothing is in flight. */
  get quiet(): boolean {
    return !this.#busy && this.#queue.length === 0
  }

  /** `settle` is called once; throws Refusal where too much waits already. */
  request(frame: RoomRequest, asker: Asker, settle: (answer: Answer) => void): void {
    if (this.#closed) throw new Refusal('unavailable', 'The room is moving. Send it again.')
    if (this.#queue.length >= QUEUE_MOST)
      throw new Refusal('unavailable', 'The room has too much to do. Send it again.')
    this.#queue.push({ frame, asker, settle })
    this.#pump()
  }

  /** Queues an event of the room itself. */
  event(make: (state: RoomState, stamp: Stamp) => RoomInput | null): void {
    if (this.#closed) return
    this.#queue.push({ make })
    this.#pump()
  }

  /** Runs `visit` in the room's turn, when no commit is in flight: the place to attach. */
  visit(visit: () => void): void {
    if (this.#closed) return
    this.#queue.push({ visit })
    this.#pump()
  }

  /** Takes a connection into the room; returns the frames that bring it to the present. Throws RulesError where a view throws. */
  attach(attachment: Attachment, since: Seq | null, heard: Seq | null): Resumed {
    const resumed = this.#audiences.resume(attachment, since, heard)
    for (const replaced of this.attachments.add(attachment))
      this.#close(replaced, CLOSE.takenOver, 'This session was opened somewhere else.')
    this.#presence.here(attachment.player)
    if (this.attachments.spectators > 0) this.#watching.changed()
    return resumed
  }

  detach(gateway: GatewayId, conn: ConnId): void {
    const attachment = this.attachments.get(gateway, conn)
    if (attachment !== undefined) this.#release(attachment)
  }

  /** Ends the room on all connections of a player. */
  detachPlayer(player: PlayerId, reason: string, but?: { gateway: GatewayId; conn: ConnId }): void {
    for (const attachment of [...this.attachments.of(player)]) {
      this.#release(attachment)
      if (attachment.gateway !== but?.gateway || attachment.conn !== but.conn) this.#close(attachment, null, reason)
    }
  }

  /** Sends an ephemeral CAST past the log. Throws Refusal `forbidden`, RulesError where the channel's rules throw. */
  cast(frame: CastFrame, by: PlayerId, from: { gateway: GatewayId; conn: ConnId | null }): void {
    const cast = this.#casts.send(frame, by, this.state, this.attachments.all(), from)
    if (cast !== null) this.#sendEphemeral(cast.frame, cast.to)
  }

  /** Sends every connection of another owner's room the present state, and keeps them. */
  adopt(attachments: Iterable<Attachment>): void {
    for (const attachment of attachments) {
      const { frames, seq } = this.attach(attachment, null, null)
      const [frame] = frames
      if (frame === undefined) continue
      const part = { to: [attachment.conn], document: { from: null, seq, frame }, emits: [], ephemeral: [] }
      const { epoch } = this.#ports
      this.#ports.send(attachment.gateway, {
        kind: 'output',
        room: this.room,
        epoch,
        head: this.state.seq,
        parts: [part],
      })
    }
  }

  /** Ends the room's work; requests that wait are answered `unavailable`. */
  close(): void {
    this.#closed = true
    this.#timer?.()
    this.#presence.close()
    this.#watching.close()
    this.#refuseAll(this.#queue.splice(0))
  }

  #close({ gateway, conn }: Attachment, code: typeof CLOSE.takenOver | null, reason: string): void {
    this.#ports.send(gateway, { kind: 'close', room: this.room, epoch: this.#ports.epoch, conn, code, reason })
  }

  #release(attachment: Attachment): void {
    this.attachments.remove(attachment)
    const { player } = attachment
    if (attachment.role === 'spectator') this.#watching.changed()
    if (this.attachments.watches(player)) return
    this.#casts.forget(player)
    this.#audiences.forget(attachment)
    if (isConnected(this.state, player)) this.#presence.gone(player)
  }

  #sendEphemeral(frame: Uint8Array, to: Iterable<Attachment>): void {
    const outputs = new Outputs(this.room, this.state.seq)
    const shown = { document: null, emits: [], ephemeral: [frame] }
    for (const attachment of to) outputs.add(attachment, shown)
    for (const [gateway, output] of outputs.items()) this.#ports.send(gateway, { ...output, epoch: this.#ports.epoch })
  }

  #tellWatching(): void {
    const frame = encode([OP.note, this.room, 'spectators', { count: this.attachments.spectators }])
    this.#sendEphemeral(frame, this.attachments.all())
  }

  #absent(player: PlayerId): void {
    this.event((state, stamp) =>
      isConnected(state, player) && !this.attachments.watches(player)
        ? { type: 'player.dropped', by: player, ...stamp }
        : null,
    )
  }

  /** Players who count as connected but have no connection are on their way back, or will be dropped. */
  #watchPresence(before: RoomState | null): void {
    if (before?.members === this.state.members) return
    for (const player of this.state.players)
      if (isConnected(this.state, player) && !this.attachments.watches(player)) this.#presence.gone(player)
  }

  #stamp = (): Stamp => ({
    at: Math.max(this.#ports.clock.now(), this.state.at),
    seed: this.#ports.chance.uint32(),
  })

  #pump(): void {
    while (!this.#busy && !this.#closed) {
      const batch = takeBatch(this.state, this.#queue, {
        runner: this.#game.runner,
        stamp: this.#stamp,
        watches: (player) => this.attachments.watches(player),
        nextRoom: () => this.#ports.nextRoom(this.room),
        stuck: this.#stuck,
        most: this.#most,
      })
      this.#reportTroubles(batch)
      if (batch.taken.length === 0 && batch.inputs.length === 0) break
      const prepared = this.#prepare(batch)
      if (prepared === null) continue
      if (batch.inputs.length === 0) this.#answerAll(batch)
      else void this.#commit(batch, prepared)
    }
    if (!this.#busy && !this.#closed) this.#arm()
  }

  /** What the commit will show, or null where a view throws: then the batch is taken again in smaller parts. */
  #prepare(batch: Batch): Prepared | null {
    try {
      const next = new Moment(batch.state, batch.emits, this.#game.runner, this.#audiences.head)
      for (const pending of batch.taken) if ('frame' in pending) viewForNewcomer(next, pending)
      const prepared = this.#audiences.prepare(next, this.attachments.all())
      this.#most = Number.POSITIVE_INFINITY
      return prepared
    } catch (error) {
      if (!(error instanceof RulesError)) throw error
      this.#splitOrRefuse(batch, error)
      return null
    }
  }

  #splitOrRefuse(batch: Batch, error: RulesError): void {
    const fired = batch.inputs.some((input) => input.type === 'deadline')
    if (batch.taken.length > 1 || (batch.taken.length === 1 && fired)) {
      this.#queue.unshift(...batch.taken)
      this.#most = fired ? 0 : 1
      return
    }
    this.#most = Number.POSITIVE_INFINITY
    this.#ports.report('error', `a view failed: ${error.message}`, { room: this.room, seq: this.state.seq })
    for (const input of batch.inputs) if (input.type === 'deadline') this.#giveUp(input.id)
    const refusal = new Refusal('internal', 'The rules of this game failed on that; nothing has changed.')
    for (const pending of batch.taken) if ('frame' in pending) pending.settle({ refusal })
  }

  #reportTroubles({ troubles }: Batch): void {
    for (const { input, error } of troubles) {
      this.#ports.report('error', error.message, { room: this.room, seq: this.state.seq, input: input.type })
      if (input.type === 'deadline') this.#giveUp(input.id)
    }
  }

  /** A deadline on which the rules throw would throw for ever. */
  #giveUp(id: string): void {
    const deadline = this.state.rules?.deadlines.find((d) => d.id === id)
    if (deadline !== undefined) this.#stuck.add(deadline.order)
  }

  async #commit(batch: Batch, prepared: Prepared): Promise<void> {
    this.#busy = true
    const id = this.#ports.recordId()
    const record = encodeRecord({
      room: this.room,
      kind: 'events',
      epoch: this.#ports.epoch,
      id,
      first: this.state.seq + 1,
      previous: this.#end.checksum,
      inputs: batch.inputs.map((input) => sealInput(input, this.room, this.#game.runner, this.#ports.keys)),
      rules: this.#game.hash,
    })
    const fate = await this.#append(record, id)
    this.#busy = false
    if (typeof fate === 'number') {
      this.#end = { position: fate, checksum: recordChecksum(record), seq: batch.state.seq }
      if (!this.#closed) this.#land(batch, prepared)
      return this.#pump()
    }
    this.#refuseAll(batch.taken)
    if (this.#closed) return
    if (fate === 'lost') {
      this.close()
      return this.#ports.lost(this, 'its log was appended to by another owner')
    }
    this.#queue.unshift(...batch.taken.filter((pending) => !('frame' in pending)))
    this.#timer?.()
    this.#timer = this.#ports.clock.after(RETRY_MS, () => this.#pump())
  }

  /** The record's position once it is durable; 'refused' where it is surely not stored, 'lost' where the log is not ours. */
  async #append(record: Uint8Array, id: string): Promise<Position | 'refused' | 'lost'> {
    try {
      return await this.#ports.storage.append(this.room, this.#end.position, record)
    } catch (error) {
      if (error instanceof Fenced || error instanceof FateUnknown) return await this.#learnFate(id)
      if (!(error instanceof NotStored)) throw error
      this.#ports.report('error', `the log refused a record: ${error.message}`, {
        room: this.room,
        seq: this.state.seq,
      })
      return 'refused'
    }
  }

  /** Neither a fence nor a timeout says that the record is not there: the room's last record does. */
  async #learnFate(id: string): Promise<Position | 'lost'> {
    while (!this.#closed) {
      try {
        const last = await this.#ports.storage.last(this.room)
        return last !== null && decodeRecord(last.record).id === id ? last.position : 'lost'
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        this.#ports.report('warn', `asking the log for the fate of a record: ${why}`, { room: this.room })
        await new Promise<void>((resolve) => this.#ports.clock.after(RETRY_MS, resolve))
      }
    }
    return 'lost'
  }

  #land(batch: Batch, prepared: Prepared): void {
    const before = this.state
    this.#audiences.advance(prepared)
    for (const [gateway, output] of prepared.outputs) this.#ports.send(gateway, { ...output, epoch: this.#ports.epoch })
    this.#answerAll(batch)
    for (const input of batch.inputs) if (input.type === 'player.kicked') this.detachPlayer(input.player, 'kicked')
    this.#watchPresence(before)
    this.#ports.changed(this)
  }

  #answerAll(batch: Batch): void {
    for (const settle of batch.answers) settle()
  }

  #refuseAll(pending: readonly Pending[]): void {
    const refusal = new Refusal(
      'unavailable',
      'It could not be stored just now, and may be sent again with the same ref.',
    )
    for (const p of pending) if ('frame' in p) p.settle({ refusal })
  }

  #arm(): void {
    this.#timer?.()
    const due = nextDeadline(this.state, this.#stuck)?.due
    this.#timer = due === undefined ? null : this.#ports.clock.after(due - this.#ports.clock.now(), () => this.#pump())
  }
}

/** A view that throws for somebody who joins is found before the join is logged. */
const viewForNewcomer = (next: Moment, { frame, asker }: PendingRequest): void => {
  if (frame[0] === OP.join) next.document(isPlayer(next.state, asker.by) ? asker.by : null)
}
