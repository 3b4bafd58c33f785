import type { Chance } from '../../protocol/clock.ts'
import { messageOf, Refusal } from '../../protocol/errors.ts'
import { OP, type RoomId } from '../../protocol/frames.ts'
import { type LoadedGame, RulesError } from '../rules/game.ts'
import type { Audiences, Prepared } from './audiences.ts'
import { type Batch, type BatchSetting, type Pending, type PendingRequest, takeBatch } from './batch.ts'
import type { LogEnd } from './chain.ts'
import { Deadlines } from './deadlines.ts'
import type { RoomInput } from './input.ts'
import type { Members } from './members.ts'
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

export interface CommitsPorts extends WriterPorts {
  readonly chance: Chance
  readonly game: LoadedGame
  readonly audiences: Audiences
  readonly members: Pick<Members, 'watches' | 'attachments' | 'visits'>
  /** The id of the room that `again` makes of this one. */
  nextRoom(): RoomId
  /** A commit is durable, and the room's state is its own: it goes out, before its requests are answered. */
  show(shown: Prepared): void
  /** It is shown and answered. */
  landed(before: RoomState, inputs: readonly RoomInput[]): void
  /** The log holds something that this owner did not write. */
  lost(why: string): void
}

/**
 * What waits for its turn in one room, and the commits that are made of it.
 *
 * A request goes queue → step on a candidate state → one append → ack → outputs and answers. At most one append is in
 * flight; what arrives meanwhile waits and goes into the next record. Nothing that reflects an event leaves before its
 * record is durable. A view that throws is found before the append, so that a throw of the rules rejects the move and
 * leaves the room as it was.
 */
export class Commits {
  readonly #ports: CommitsPorts
  readonly #writer: RoomWriter
  readonly #queue: Pending[] = []
  readonly #deadlines = new Deadlines()
  readonly #setting: BatchSetting
  #busy = false
  #closed = false
  /** True while what threw in a batch is looked for, one event at a time. */
  #single = false
  #timer: (() => void) | null = null

  constructor(end: LogEnd, ports: CommitsPorts) {
    this.#ports = ports
    this.#writer = new RoomWriter(this.#state.room, end, ports.game, ports)
    this.#setting = {
      runner: ports.game.runner,
      stamp: ({ at }) => ({ at: Math.max(ports.clock.now(), at), seed: ports.chance.uint32() }),
      watches: (player) => ports.members.watches(player),
      nextRoom: () => ports.nextRoom(),
      deadlines: this.#deadlines,
    }
    this.#arm()
  }

  get end(): LogEnd {
    return this.#writer.end
  }

  /** When the next deadline falls due that the rules have not failed on, or null. */
  get due(): number | null {
    return this.#deadlines.next(this.#state)?.due ?? null
  }

  /** Nothing waits and nothing is in flight. */
  get quiet(): boolean {
    return !this.#busy && this.#queue.length === 0
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Why nothing more of a client may wait, or null. */
  refusal(): Refusal | null {
    if (this.#closed) return isMoving()
    return this.#queue.length < QUEUE_MOST ? null : hasTooMuch()
  }

  push(pending: readonly Pending[]): void {
    for (const p of pending) this.#queue.push(p)
    this.#pump()
  }

  /** Resolves once no append is in flight, or the store has long been silent. What the store has refused meanwhile does not hold it up. */
  async settled(): Promise<void> {
    const until = this.#ports.clock.now() + SETTLE_MS
    while (!this.#closed && this.#busy && this.#ports.clock.now() < until)
      await new Promise<void>((resolve) => this.#ports.clock.after(1, resolve))
  }

  /** Ends the work; requests that wait are answered `unavailable`. */
  close(): void {
    this.#closed = true
    this.#timer?.()
    this.#writer.close()
    this.#refuseAll(this.#queue.splice(0))
  }

  #pump(): void {
    while (!this.#busy && !this.#closed && (this.#queue.length > 0 || this.due !== null)) {
      const batch = takeBatch(this.#state, this.#queue, this.#setting, this.#single)
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
    const { audiences, members, game } = this.#ports
    const { head } = audiences
    const isCommit = batch.inputs.length > 0
    try {
      const next = isCommit ? new Moment(batch.state, batch.emits, game.runner, head) : head
      for (const pending of batch.taken) if ('frame' in pending) viewForNewcomer(next, pending)
      const commit: Commit | 'nothing' = isCommit
        ? {
            record: this.#writer.seal(batch.inputs),
            shown: audiences.prepare(next, members.attachments.listeners(), members.visits.viewers()),
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
    this.#report(`nothing was logged: ${error.message}`)
    for (const input of batch.inputs) if (input.type === 'deadline') this.#deadlines.giveUp(this.#state, input.id)
    const refusal = rulesFailed()
    for (const pending of batch.taken) if ('frame' in pending) pending.settle({ refusal })
  }

  #reportTroubles({ troubles }: Batch): void {
    for (const { input, error } of troubles) {
      this.#report(error.message, { input: input?.type ?? 'request' })
      if (input?.type === 'deadline') this.#deadlines.giveUp(this.#state, input.id)
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
    if (fate === 'lost') return this.#ports.lost('its log does not end with what was written last')
    this.#refuseAll(batch.taken.filter((pending) => 'frame' in pending))
    this.#queue.unshift(...batch.taken.filter((pending) => !('frame' in pending)))
    this.#timer?.()
    this.#timer = this.#ports.clock.after(RETRY_MS, () => this.#pump())
  }

  #land(batch: Batch, shown: Prepared): void {
    const before = this.#state
    this.#ports.audiences.advance(shown)
    this.#ports.show(shown)
    this.#answerAll(batch)
    const endless = this.#deadlines.committed(this.#state, batch.isFullOfDeadlines)
    if (endless !== null) this.#report(`timers of these rules fall due at once without end: "${endless}" is given up`)
    this.#ports.landed(before, batch.inputs)
  }

  /** One answer that fails does not keep the others back. */
  #answerAll(batch: Batch): void {
    for (const settle of batch.answers)
      try {
        settle()
      } catch (error) {
        const why = messageOf(error)
        this.#report(`an answer failed: ${why}`)
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

  get #state(): RoomState {
    return this.#ports.audiences.head.state
  }

  #report(message: string, fields: object = {}): void {
    const { room, seq } = this.#state
    this.#ports.report('error', message, { room, seq, ...fields })
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
