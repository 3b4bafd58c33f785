import { isDeepStrictEqual } from 'node:util'
import type { RoomId } from '../../protocol/frames.ts'
import { CorruptRecord } from '../../protocol/record.ts'
import type { Storage } from '../log/log.ts'
import { type ChainedRecord, DamagedRoom, LOG_START, type LogEnd, readChain } from '../room/chain.ts'
import type { InputOf, RoomInput } from '../room/input.ts'
import type { KeyRing } from '../room/keyring.ts'
import { plainState } from '../room/plain.ts'
import { NOTHING, replayAll, replayRecord, type Standing } from '../room/replay.ts'
import { sealedBy } from '../room/sealing.ts'
import { decodeSnapshot, openSnapshot, type Snapshot } from '../room/snapshot.ts'
import type { RoomState } from '../room/state.ts'
import { type LoadedGame, RulesError } from '../rules/game.ts'
import type { Library } from './library.ts'

type Migration = Omit<InputOf<'room.migrated'>, 'at' | 'seed'>

/** A room as its log says it is, and the rules that it goes on with. */
export interface Restored {
  readonly state: RoomState
  readonly end: LogEnd
  readonly game: LoadedGame
  /** Set where the state was carried over to a new version of the rules: to be logged before anything else. */
  readonly migration: Migration | null
  /** What is odd but was made good: a damaged snapshot. */
  readonly warning: string | null
}

export interface Sources {
  readonly storage: Pick<Storage, 'read' | 'last' | 'snapshot' | 'index'>
  readonly library: Library
  readonly keys: KeyRing
}

/** The room rebuilt from its snapshot and log, or null where there is no such room. Rejects with DamagedRoom. */
export const restoreRoom = async (room: RoomId, sources: Sources): Promise<Restored | null> => {
  const { snapshot, warning } = await readSnapshot(room, sources)
  const start: LogEnd = snapshot ?? LOG_START
  const records = await readAll(room, start, sources)
  const end = records.at(-1)?.end ?? start
  await checkNotCut(room, snapshot, end, sources)
  const rules = records.at(-1)?.record.rules ?? snapshot?.rules
  if (rules === undefined) return null
  const old = await sources.library.byHash(rules)
  if (old === null) throw new DamagedRoom(room, `it was played under rules ${rules}, whose source is gone`)
  const from = snapshot === null ? NOTHING : await standAt(snapshot, old, sources)
  const { state } = replayAll(from, sinceMigration(records), old.runner, sources.keys)
  if (state === null) throw new DamagedRoom(room, 'its log holds no events')
  return { state, end, warning, ...(await chooseRules(room, state, old, sources)) }
}

const readSnapshot = async (
  room: RoomId,
  { storage }: Sources,
): Promise<{ snapshot: Snapshot | null; warning: string | null }> => {
  const bytes = await storage.snapshot(room)
  if (bytes === null) return { snapshot: null, warning: null }
  try {
    return { snapshot: decodeSnapshot(bytes), warning: null }
  } catch (error) {
    if (!(error instanceof CorruptRecord)) throw error
    return {
      snapshot: null,
      warning: `the snapshot of room ${room} is damaged (${error.message}): rebuilt from the whole log`,
    }
  }
}

const standAt = async (snapshot: Snapshot, { runner }: LoadedGame, { keys }: Sources): Promise<Standing> => {
  await keys.recall(snapshot.players)
  return { state: openSnapshot(snapshot, runner, keys), end: snapshot, rules: snapshot.rules }
}

/** All records after a place, checked as a chain, with the keys to open them in memory. */
export const readAll = async (
  room: RoomId,
  from: LogEnd,
  { storage, keys }: Pick<Sources, 'storage' | 'keys'>,
): Promise<ChainedRecord[]> => {
  const records: ChainedRecord[] = []
  for await (const chained of readChain(storage, room, from)) records.push(chained)
  await keys.recall(new Set(records.flatMap(({ record }) => record.inputs.flatMap(sealedBy))))
  return records
}

/** A log that ends before what is known of it was truncated. */
const checkNotCut = async (
  room: RoomId,
  snapshot: Snapshot | null,
  end: LogEnd,
  { storage }: Sources,
): Promise<void> => {
  const known = (await storage.index(room))?.seq ?? 0
  if (end.seq < known)
    throw new DamagedRoom(room, `its log ends at event ${end.seq}, but ${known} were logged: it was truncated`)
  if (snapshot === null || end.position !== snapshot.position) return
  const last = await storage.last(room)
  if (last?.position !== snapshot.position)
    throw new DamagedRoom(room, `its log ends before event ${snapshot.seq}, which its snapshot holds: it was truncated`)
}

/** A migration holds the whole state, and is a record by itself: what came before was played under other rules. */
export const sinceMigration = (records: ChainedRecord[]): ChainedRecord[] => {
  const last = records.findLastIndex(
    ({ record }) => (record.inputs[0] as RoomInput | undefined)?.type === 'room.migrated',
  )
  return last < 0 ? records : records.slice(last)
}

/**
 * The rules that a room goes on with: those it was made under, unless the game's present ones carry its state over
 * (`migrate`) or replay its log to the same states.
 */
const chooseRules = async (
  room: RoomId,
  state: RoomState,
  old: LoadedGame,
  sources: Sources,
): Promise<Pick<Restored, 'game' | 'migration'>> => {
  const now = sources.library.current(state.game)
  if (now === undefined || now.hash === old.hash || state.phase === 'over') return { game: old, migration: null }
  if (now.runner.version !== state.version && state.rules !== null) {
    const rules = now.runner.migrate(state.version, old.runner.toPlain(state.rules))
    if (rules !== null) return { game: now, migration: migration({ ...plainState(state, old.runner), rules }, now) }
  }
  const records = sinceMigration(await readAll(room, LOG_START, sources))
  if (!replaysEqual(records, old, now, sources)) return { game: old, migration: null }
  const changed = now.runner.version !== state.version
  return { game: now, migration: changed ? migration(plainState(state, now.runner), now) : null }
}

const migration = (state: object, { hash, runner }: LoadedGame): Migration => ({
  type: 'room.migrated',
  version: runner.version,
  rules: hash,
  state,
})

/** Whether the log leads to the same states, record by record, under both rules. */
export const replaysEqual = (
  records: ChainedRecord[],
  old: LoadedGame,
  now: LoadedGame,
  { keys }: Pick<Sources, 'keys'>,
): boolean => {
  let before: RoomState | null = null
  let after: RoomState | null = null
  try {
    for (const chained of records) {
      for (const replayed of replayRecord(before, chained, old.runner, keys)) before = replayed.state
      for (const replayed of replayRecord(after, chained, now.runner, keys)) after = replayed.state
      if (before === null || after === null) continue
      if (!isDeepStrictEqual(plainState(before, old.runner), plainState(after, now.runner))) return false
    }
    return true
  } catch (error) {
    if (error instanceof DamagedRoom || error instanceof RulesError) return false
    throw error
  }
}
