import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../../protocol/errors.ts'
import type { PlayerId, RoomId, Seq } from '../../protocol/frames.ts'
import { decodeRecord, recordChecksum } from '../../protocol/record.ts'
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
  /** Of the last record that was read; 0 where none stands after the snapshot. */
  readonly epoch: number
  /** The seq of the snapshot that it was read from; 0: read from the log alone. */
  readonly snapshot: Seq
  /** What is odd but was made good: a damaged snapshot, a `migrate` that threw. */
  readonly warning: string | null
  /** Whether it goes on with the rules that it was played under because under the present ones its log would lead elsewhere. */
  readonly staysBehind: boolean
}

export interface Sources {
  readonly storage: Pick<Storage, 'read' | 'last' | 'snapshot' | 'index'>
  readonly library: Library
  readonly keys: KeyRing
}

/** A snapshot that cannot be read, or is of another room. */
class UnfitSnapshot extends Error {}

/** The room rebuilt from its snapshot and log, or null where there is no such room. Rejects with DamagedRoom. */
export const restoreRoom = async (room: RoomId, sources: Sources): Promise<Restored | null> => {
  try {
    return await restoreFrom(room, await readSnapshot(room, sources), sources)
  } catch (error) {
    if (!(error instanceof UnfitSnapshot)) throw error
    const restored = await restoreFrom(room, null, sources)
    const warning = `the snapshot of room ${room} is damaged (${error.message}): rebuilt from the whole log`
    return restored === null ? null : { ...restored, warning }
  }
}

const restoreFrom = async (room: RoomId, snapshot: Snapshot | null, sources: Sources): Promise<Restored | null> => {
  const start: LogEnd = snapshot ?? LOG_START
  // Before the log: an earlier owner's append may land meanwhile, with its row.
  const known = (await sources.storage.index(room))?.seq ?? 0
  const records = await readAll(room, start, sources)
  const end = records.at(-1)?.end ?? start
  if (end.seq < known)
    throw new DamagedRoom(room, `its log ends at event ${end.seq}, but ${known} were logged: it was truncated`)
  if (snapshot !== null && end.position === snapshot.position) await checkFits(snapshot, sources)
  const rules = records.at(-1)?.record.rules ?? snapshot?.rules
  if (rules === undefined) return null
  const old = await sources.library.byHash(rules)
  if (old === null) throw new DamagedRoom(room, `it was played under rules ${rules}, whose source is gone`)
  const since = sinceMigration(records)
  // What a migration replaced may not fit the present rules.
  const from = snapshot === null || since !== records ? NOTHING : await standAt(snapshot, old, sources)
  const { state } = replayAll(from, since, old.runner, sources.keys)
  if (state === null) throw new DamagedRoom(room, 'its log holds no events')
  const epoch = records.at(-1)?.record.epoch ?? 0
  return { state, end, epoch, snapshot: snapshot?.seq ?? 0, ...(await chooseRules(room, state, old, sources)) }
}

/** Rejects with UnfitSnapshot. */
const readSnapshot = async (room: RoomId, { storage }: Sources): Promise<Snapshot | null> => {
  const bytes = await storage.snapshot(room)
  if (bytes === null) return null
  const snapshot = read(() => decodeSnapshot(bytes))
  if (snapshot.room !== room) throw new UnfitSnapshot(`it is of room ${snapshot.room}`)
  return snapshot
}

/** Rejects with UnfitSnapshot. */
const standAt = async (snapshot: Snapshot, { runner }: LoadedGame, { keys }: Sources): Promise<Standing> => {
  await keys.recall(snapshot.players)
  return { state: read(() => openSnapshot(snapshot, runner, keys)), end: snapshot, rules: snapshot.rules }
}

/** Whatever is wrong with a snapshot, the log is there. */
const read = <T>(open: () => T): T => {
  try {
    return open()
  } catch (error) {
    throw new UnfitSnapshot(messageOf(error), { cause: error })
  }
}

/** All records after a place, checked as a chain, with the keys to open them in memory. */
export const readAll = async (
  room: RoomId,
  from: LogEnd,
  { storage, keys }: Pick<Sources, 'storage' | 'keys'>,
): Promise<ChainedRecord[]> => {
  const records: ChainedRecord[] = []
  const players = new Set<PlayerId>()
  for await (const page of readChain(storage, room, from)) {
    records.push(...page)
    for (const { record } of page)
      for (const input of record.inputs) for (const player of sealedBy(input)) players.add(player)
  }
  await keys.recall(players)
  return records
}

/** A snapshot after which nothing was read was made after the log's last record. Rejects with DamagedRoom where that is not so. */
const checkFits = async (snapshot: Snapshot, { storage }: Sources): Promise<void> => {
  const { room } = snapshot
  const last = await storage.last(room)
  // It landed after the log was read: to be fenced out, or to fence us out.
  if (last !== null && last.position > snapshot.position) return
  if (last?.position !== snapshot.position)
    throw new DamagedRoom(room, `its log ends before event ${snapshot.seq}, which its snapshot holds: it was truncated`)
  try {
    decodeRecord(last.record)
  } catch (error) {
    throw new DamagedRoom(room, `its last record is damaged: ${messageOf(error)}`)
  }
  if (recordChecksum(last.record) !== snapshot.checksum)
    throw new DamagedRoom(room, 'its last record is not the one that its snapshot was made after: it was replaced')
}

/** A migration holds the whole state, and is a record by itself: what came before was played under other rules. */
const sinceMigration = (records: ChainedRecord[]): ChainedRecord[] => {
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
): Promise<Pick<Restored, 'game' | 'migration' | 'warning' | 'staysBehind'>> => {
  const stay = { game: old, migration: null, warning: null, staysBehind: false }
  const now = sources.library.current(state.game)
  if (now === undefined || now.hash === old.hash || state.phase === 'over') return stay
  const isNewer = now.runner.version !== state.version
  const plain = plainState(state, old.runner)
  try {
    const rules = isNewer && plain.rules !== null ? now.runner.migrate(state.version, plain.rules) : null
    if (rules !== null) return { ...stay, game: now, migration: migration({ ...plain, rules }, now) }
  } catch (error) {
    if (!(error instanceof RulesError)) throw error
    return { ...stay, warning: `room ${room} keeps its old rules: ${error.message}` }
  }
  const records = sinceMigration(await readAll(room, LOG_START, sources))
  if (!replaysEqual(records, old, now, sources)) return { ...stay, staysBehind: true }
  // The same states may be shown otherwise: logged, so that no document changes without an event.
  const shows = isNewer || plain.rules !== null
  return { ...stay, game: now, migration: shows ? migration(plain, now) : null }
}

const migration = (state: object, { hash, runner }: LoadedGame): Migration => ({
  type: 'room.migrated',
  version: runner.version,
  rules: hash,
  state,
})

/** Whether the log leads to the same states, record by record, under both rules. */
const replaysEqual = (
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
