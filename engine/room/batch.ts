import { Refusal } from '../../protocol/errors.ts'
import { OP, type PlayerId, type Role } from '../../protocol/frames.ts'
import { encodedSize } from '../../protocol/size.ts'
import { RulesError, type Runner, type Stamp } from '../rules/game.ts'
import { type Asker, admit, type RoomRequest } from './admit.ts'
import type { Deadlines } from './deadlines.ts'
import type { RoomInput } from './input.ts'
import { startsNow } from './membership.ts'
import { rulesFailed } from './refusals.ts'
import type { RoomState } from './state.ts'
import { type Emit, type Outcome, step } from './step.ts'

/** A client's request, waiting for its turn in one room. */
export interface PendingRequest {
  readonly frame: RoomRequest
  readonly asker: Asker
  /** Called once, after the commit that the answer depends on is durable. */
  readonly settle: (answer: Answer) => void
}

/** An event of the room itself; `make` gives nothing where it no longer applies. */
export interface PendingEvent {
  readonly make: (state: RoomState, stamp: Stamp) => RoomInput | null
}

/** Something to do in the room's turn that logs nothing. */
export interface PendingVisit {
  readonly visit: () => void
  /** Called instead where the room ends before its turn. */
  readonly refuse: (refusal: Refusal) => void
}

export type Pending = PendingRequest | PendingEvent | PendingVisit

export type Answer = { readonly value: unknown } | { readonly refusal: Refusal }

/** Events that one commit may hold, and how many bytes of requests it takes up before it is sent on. */
const BATCH_EVENTS = 60
const BATCH_BYTES = 192 * 1024

/** A throw of the rules; `input` is null where a request was refused for it. */
interface Trouble {
  readonly input: RoomInput | null
  readonly error: RulesError
}

/** What one commit will log and answer. `state` is the candidate: it counts only once the append is durable. */
export interface Batch {
  readonly state: RoomState
  readonly inputs: readonly RoomInput[]
  readonly emits: readonly Emit[]
  readonly taken: readonly Pending[]
  /** To be called in this order once the commit is durable. */
  readonly answers: readonly (() => void)[]
  /** Throws of the rules, to be reported to the game's author. */
  readonly troubles: readonly Trouble[]
  /** Whether due deadlines left no room for anything else. */
  readonly isFullOfDeadlines: boolean
}

export interface BatchSetting {
  readonly runner: Runner
  /** For the next event after this state. */
  readonly stamp: (state: RoomState) => Stamp
  readonly watches: (player: string) => boolean
  readonly nextRoom: () => string
  readonly deadlines: Pick<Deadlines, 'next'>
}

/**
 * Takes pending requests and events from the front of the queue into one commit. Due deadlines go first. A JOIN that is
 * logged ends the commit, so that its answer names the log's end; so does a LEAVE, so that its player's connections are let go
 * before another JOIN. What puts a player out of the room waits for the next commit where this one has a request of theirs: its OK
 * comes after its document, which nobody is shown who is out. Changes the queue and nothing else; never throws for what the rules
 * do. `single`: one due deadline or one pending, to find the one whose view throws.
 */
export const takeBatch = (state: RoomState, queue: Pending[], setting: BatchSetting, single: boolean): Batch => {
  const batch = new BatchBuilder(state, setting)
  const most = single ? 1 : BATCH_EVENTS
  batch.fireDue(most)
  if (single && batch.inputs.length > 0) return batch.finish()
  let bytes = 0
  while (batch.inputs.length < BATCH_EVENTS && bytes < BATCH_BYTES) {
    const [pending] = queue
    if (pending === undefined) break
    const then = batch.take(pending)
    if (then === 'wait') break
    queue.shift()
    bytes += roughBytes(batch.inputs.at(-1))
    if (then === 'end' || single) break
    batch.fireDue(most)
  }
  return batch.finish()
}

/** About an input's size in the log: what counts is that a few large payloads do not pile up. */
const roughBytes = (input: RoomInput | undefined): number =>
  input?.type === 'move' ? 256 + encodedSize(input.payload) : 256

/** How the commit goes on once something was taken into it; `wait`: it was not, and is for the next commit. */
type Then = 'go on' | 'end' | 'wait'

class BatchBuilder {
  state: RoomState
  readonly inputs: RoomInput[] = []
  readonly taken: Pending[] = []
  readonly #emits: Emit[] = []
  readonly #answers: (() => void)[] = []
  readonly #troubles: Trouble[] = []
  readonly #setting: BatchSetting

  constructor(state: RoomState, setting: BatchSetting) {
    this.state = state
    this.#setting = setting
  }

  /** Up to so many inputs in all. */
  fireDue(most: number): void {
    while (this.inputs.length < most) {
      const deadline = this.#setting.deadlines.next(this.state)
      if (deadline === null) return
      const { at, seed } = this.#stamp()
      if (deadline.due > at) return
      if (this.#try({ type: 'deadline', id: deadline.id, at, seed }) === null) return
    }
  }

  take(pending: Pending): Then {
    const then = 'frame' in pending ? this.#takeRequest(pending) : 'go on'
    if (then !== 'wait') this.taken.push(pending)
    if ('visit' in pending) this.#answers.push(pending.visit)
    if ('make' in pending) {
      const input = pending.make(this.state, this.#stamp())
      if (input !== null) this.#try(input)
      this.#startIfFull()
    }
    return then
  }

  finish(): Batch {
    const { state, inputs, taken } = this
    const isFullOfDeadlines = taken.length === 0 && inputs.length >= BATCH_EVENTS
    return {
      state,
      inputs,
      taken,
      emits: this.#emits,
      answers: this.#answers,
      troubles: this.#troubles,
      isFullOfDeadlines,
    }
  }

  #takeRequest(request: PendingRequest): Then {
    const { frame, asker } = request
    try {
      const { runner, watches, nextRoom } = this.#setting
      const admission = admit(this.state, frame, asker, { runner, watches, nextRoom, stamp: this.#stamp() })
      if (!('input' in admission)) {
        this.#answerAdmitted(request, admission)
        return 'go on'
      }
      const { input } = admission
      if (this.#hasOwn(whoGoes(input))) return 'wait'
      const before = this.state
      let { value } = this.#apply(input)
      if (!this.#startIfFull() && input.type === 'player.joined') {
        this.state = before
        this.inputs.pop()
        value = this.#apply({ ...input, startFailed: true }).value
      }
      this.#answerAdmitted(request, input.type === 'player.returned' ? { joins: 'player' } : { value })
      return frame[0] === OP.join || frame[0] === OP.leave ? 'end' : 'go on'
    } catch (error) {
      const refusal = this.#refusalFor(error)
      this.#answers.push(() => request.settle({ refusal }))
      return 'go on'
    }
  }

  /** Whether the player asked for anything in this commit. */
  #hasOwn(player: PlayerId | null): boolean {
    return player !== null && this.inputs.some((input) => 'origin' in input && input.origin?.by === player)
  }

  #stamp(): Stamp {
    return this.#setting.stamp(this.state)
  }

  #answerAdmitted({ settle }: PendingRequest, admitted: { value: unknown } | { joins: Role }): void {
    this.#answers.push(() => settle('joins' in admitted ? this.#joined(admitted.joins) : admitted))
  }

  /** The OK value of a JOIN that was not logged: `seq` is the log's end, once the whole batch is in. */
  #joined(role: Role): Answer {
    const { room, seq } = this.state
    return { value: { room, role, seq } }
  }

  /** False where the room should start by itself now, and the rules fail at it. */
  #startIfFull(): boolean {
    if (!startsNow(this.state, this.#setting.runner)) return true
    return this.#try({ type: 'room.started', origin: null, ...this.#stamp() }) !== null
  }

  /** Applies an event that nobody asked for; a throw of the rules leaves the state as it is and is reported. */
  #try(input: RoomInput): Outcome | null {
    try {
      return this.#apply(input)
    } catch (error) {
      if (!(error instanceof RulesError)) throw error
      this.#troubles.push({ input, error })
      return null
    }
  }

  #apply(input: RoomInput): Outcome {
    const outcome = step(this.state, input, this.#setting.runner)
    this.state = outcome.state
    this.inputs.push(input)
    this.#emits.push(...outcome.emits)
    if (outcome.trouble !== null) this.#troubles.push({ input, error: outcome.trouble })
    return outcome
  }

  #refusalFor(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    if (!(error instanceof RulesError)) throw error
    this.#troubles.push({ input: null, error })
    return rulesFailed()
  }
}

/** The player who is out of the room by this. */
const whoGoes = (input: RoomInput): PlayerId | null => {
  if (input.type === 'player.left') return input.by
  return input.type === 'player.kicked' ? input.player : null
}
