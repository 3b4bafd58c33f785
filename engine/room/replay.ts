import { messageOf, Refusal } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import { RulesError, type Runner } from '../rules/game.ts'
import { type ChainedRecord, DamagedRoom, LOG_START, type LogEnd } from './chain.ts'
import type { RoomInput } from './input.ts'
import { type Keys, openInput } from './sealing.ts'
import type { RoomState } from './state.ts'
import { type Emit, step } from './step.ts'

/** One event of a replay. */
export interface Replayed {
  readonly input: RoomInput
  readonly state: RoomState
  readonly emits: readonly Emit[]
}

/** A room's state and where its log ends. */
export interface Standing {
  readonly state: RoomState | null
  readonly end: LogEnd
  /** Hash of the rules that the last record was made under; '' for no record. */
  readonly rules: string
}

export const NOTHING: Standing = { state: null, end: LOG_START, rules: '' }

/**
 * Steps through one record's events. Pure. A logged event was taken by the rules when it was logged: if they refuse it
 * now, the rules changed or the log did, and DamagedRoom says which event.
 */
export function* replayRecord(
  before: RoomState | null,
  { record }: ChainedRecord,
  runner: Runner,
  keys: Keys,
): Generator<Replayed> {
  let state = before
  for (const [i, logged] of record.inputs.entries()) {
    const { input, outcome } = replayInput(record.room, record.first + i, state, logged, runner, keys)
    state = outcome.state
    yield { input, state, emits: outcome.emits }
  }
}

const replayInput = (
  room: RoomId,
  seq: number,
  state: RoomState | null,
  logged: unknown,
  runner: Runner,
  keys: Keys,
) => {
  try {
    const input = openInput(logged, room, keys)
    return { input, outcome: step(state, input, runner) }
  } catch (error) {
    const what =
      error instanceof Refusal || error instanceof RulesError ? 'is not taken by these rules' : 'cannot be read'
    throw new DamagedRoom(room, `event ${seq} ${what}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** The standing after these records. Throws DamagedRoom. */
export const replayAll = (from: Standing, records: Iterable<ChainedRecord>, runner: Runner, keys: Keys): Standing => {
  let { state, end, rules } = from
  for (const chained of records) {
    const { room, first, inputs } = chained.record
    // Without a generator's step for each event, which a start takes for every event of every room.
    for (let i = 0; i < inputs.length; i++)
      state = replayInput(room, first + i, state, inputs[i], runner, keys).outcome.state
    end = chained.end
    rules = chained.record.rules
  }
  return { state, end, rules }
}
