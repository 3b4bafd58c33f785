import type { Chance, Clock } from '../../protocol/clock.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { RoomId, Seq } from '../../protocol/frames.ts'
import { FateUnknown, Fenced, type IndexRow, NotStored, type Storage } from '../log/log.ts'
import { LOG_START, type LogEnd } from '../room/chain.ts'
import type { RoomInput } from '../room/input.ts'
import type { KeyRing } from '../room/keyring.ts'
import { startsNow } from '../room/membership.ts'
import { isMoving, stopping } from '../room/refusals.ts'
import type { RoomState } from '../room/state.ts'
import { step } from '../room/step.ts'
import { endAfter, type Report, sealRecord, type WriterPorts } from '../room/writer.ts'
import type { LoadedGame } from '../rules/game.ts'
import { indexRow } from './index-row.ts'
import type { Library } from './library.ts'
import { restoreRoom } from './restore.ts'

export interface ClaimPorts {
  readonly clock: Clock
  readonly chance: Chance
  readonly storage: Storage
  readonly keys: KeyRing
  readonly library: Library
  readonly report: Report
  readonly room: Pick<WriterPorts, 'recordId'>
  /** Since which epoch the room's partition is this engine's; null where nothing new may begin there. */
  epochOf(room: RoomId): number | null
  /** Resolves with whether it is sure that no other engine has taken over: false only where this is closed before it is. */
  isSure(): Promise<boolean>
}

/** A room whose log goes on with this engine, since `epoch`. */
export interface Claimed {
  readonly state: RoomState
  readonly end: LogEnd
  readonly game: LoadedGame
  readonly epoch: number
  /** The seq of the snapshot that it was read from; 0: there is none. */
  readonly snapshot: Seq
  /** Whether it was live before: at another owner, or before a restart. */
  readonly wasLive: boolean
}

export type FirstInputs = (at: number, seed: () => number) => RoomInput[] | Promise<RoomInput[]>

/**
 * The room as its log says it is, claimed where engines share a store, and live in the index; null where there is none.
 * Rejects with DamagedRoom, Fenced where another owner wrote meanwhile, Refusal where it is not this engine's, or as the store.
 */
export const claimRoom = async (room: RoomId, ports: ClaimPorts): Promise<Claimed | null> => {
  const { storage, library, keys, report, clock, chance } = ports
  const restored = await restoreRoom(room, { storage, library, keys })
  // It may have been paused in the middle of that.
  if (!(await ports.isSure())) throw stopping()
  const epoch = ports.epochOf(room)
  if (epoch === null) throw isMoving()
  if (restored === null) return null
  if (restored.epoch > epoch) throw new Refusal('unavailable', 'Another engine has the room. Send it again.')
  const { game, migration, warning, staysBehind, snapshot } = restored
  let { state, end } = restored
  if (warning !== null) report('warn', warning, { room })
  else if (staysBehind) report('info', STAYS, { room, game: state.game })
  if (!storage.exclusive) end = await append({ room, end, game, epoch }, 'claim', [], ports)
  if (migration !== null) {
    const input = { ...migration, at: Math.max(clock.now(), state.at), seed: chance.uint32() }
    const migrated = step(null, input, game.runner).state
    end = await append({ room, end, game, epoch }, 'events', [input], ports)
    state = migrated
  }
  const row = await storage.index(room)
  const wasLive = row?.status === 'live'
  if (!wasLive || row.rules !== game.hash) await storage.putIndex([indexRow(state, game, 'live', null)])
  return { state, end, game, epoch, snapshot, wasLive }
}

/**
 * A new room with its first events, fenced at nothing; null where one stands there already, or it is not known whether
 * this one was stored. Rejects with Refusal where the rules refuse to start, the store fails, or it is not this engine's.
 */
export const beginRoom = async (
  game: LoadedGame,
  room: RoomId,
  first: FirstInputs,
  ports: ClaimPorts,
): Promise<Claimed | null> => {
  const { clock, chance } = ports
  const seed = () => chance.uint32()
  const events = await first(clock.now(), seed)
  const epoch = ports.epochOf(room)
  if (epoch === null) throw isMoving()
  const { state, inputs } = roomBegun(events, game, seed)
  const row = indexRow(state, game, 'live', null)
  try {
    const end = await append({ room, end: LOG_START, game, epoch }, 'events', inputs, ports, row)
    return { state, end, game, epoch, snapshot: 0, wasLive: false }
  } catch (error) {
    if (error instanceof NotStored) throw new Refusal('unavailable', `The room could not be stored: ${error.message}`)
    if (error instanceof Fenced || error instanceof FateUnknown) return null
    throw error
  }
}

/** The state of a room after its first events, and those, with the start of a game that starts by itself. Pure. Throws Refusal or RulesError where the rules refuse to begin. */
const roomBegun = (
  first: readonly RoomInput[],
  { runner }: LoadedGame,
  seed: () => number,
): { state: RoomState; inputs: readonly RoomInput[] } => {
  let state: RoomState | null = null
  for (const input of first) state = step(state, input, runner).state
  if (state === null) throw new Error('a room is created with an event')
  if (!startsNow(state, runner)) return { state, inputs: first }
  const started = { type: 'room.started' as const, origin: null, at: state.at, seed: seed() }
  return { state: step(state, started, runner).state, inputs: [...first, started] }
}

/** Where the log ends after one more record. A claim has no events, and fences out every earlier owner. */
const append = async (
  { room, end, game, epoch }: Pick<Claimed, 'end' | 'game' | 'epoch'> & { room: RoomId },
  kind: 'events' | 'claim',
  inputs: readonly RoomInput[],
  { storage, keys, room: { recordId } }: ClaimPorts,
  row?: IndexRow,
): Promise<LogEnd> => {
  const record = sealRecord(room, end, game, kind, inputs, { epoch, keys, recordId })
  return endAfter(end, record, await storage.append(room, end.position, record.bytes, row))
}

/** Who changes rules and plays on in the same room would look for the change in vain. */
const STAYS =
  'the room stays on the rules it was played under: under the present ones its log would lead elsewhere. New rooms have these; `migrate` carries rooms over'
