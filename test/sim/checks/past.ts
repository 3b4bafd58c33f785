import { roomHistory } from '../../../engine/partition/history.ts'
import { Library } from '../../../engine/partition/library.ts'
import type { Sources } from '../../../engine/partition/restore.ts'
import type { RoomInput } from '../../../engine/room/input.ts'
import { KeyRing } from '../../../engine/room/keyring.ts'
import type { RoomState } from '../../../engine/room/state.ts'
import type { LoadedGame, Runner } from '../../../engine/rules/game.ts'
import { messageOf } from '../../../protocol/errors.ts'
import type { PlayerId, RoomId, Seq } from '../../../protocol/frames.ts'
import { decodeRecord } from '../../../protocol/record.ts'
import type { Dice } from '../dice.ts'
import type { SimStore } from '../store.ts'

export interface Happened {
  readonly seq: Seq
  readonly input: RoomInput
  readonly state: RoomState
  readonly emits: readonly { readonly event: unknown; readonly to: readonly PlayerId[] | null }[]
}

/** One room replayed from its first event, and what each viewer may have seen of it at each seq. */
export class RoomPast {
  readonly room: RoomId
  readonly events: readonly Happened[]
  readonly runner: Runner
  /** By seq, from 1: the first event of its commit. */
  readonly #firsts: readonly Seq[]
  readonly #documents = new Map<string, string>()

  constructor(room: RoomId, events: readonly Happened[], firsts: readonly Seq[], runner: Runner) {
    this.room = room
    this.events = events
    this.#firsts = firsts
    this.runner = runner
  }

  get seq(): Seq {
    return this.events.length
  }

  at(seq: Seq): Happened | undefined {
    return this.events[seq - 1]
  }

  /** Whether this player was a member at this seq, or before another event of the same commit took them out. */
  isMember(seq: Seq, player: PlayerId): boolean {
    const first = this.#firsts[seq - 1] ?? seq
    return this.events.slice(Math.max(0, first - 2), seq).some(({ state }) => Object.hasOwn(state.members, player))
  }

  /** The document of this player at this seq as canonical JSON; undefined where there is no such seq. */
  document(seq: Seq, player: PlayerId): string | undefined {
    const state = this.at(seq)?.state
    if (state === undefined) return undefined
    const viewer = viewerOf(state, player)
    const key = `${seq} ${viewer}`
    let document = this.#documents.get(key)
    if (document === undefined) {
      document = canonical(documentOf(state, viewer, this.runner))
      this.#documents.set(key, document)
    }
    return document
  }

  /** The last seq up to `seq` at which this player's document changed. */
  changed(seq: Seq, player: PlayerId): Seq {
    const last = this.document(seq, player)
    let changed = seq
    while (changed > 1 && this.document(changed - 1, player) === last) changed -= 1
    return changed
  }

  /** The EMITs at this seq that this player may hear, as canonical JSON. */
  emits(seq: Seq, player: PlayerId): string[] {
    const happened = this.at(seq)
    if (happened === undefined) return []
    const viewer = viewerOf(happened.state, player)
    return happened.emits
      .filter(({ to }) => to === null || (viewer !== null && to.includes(viewer)))
      .map(({ event }) => canonical(event))
  }
}

const viewerOf = ({ members }: RoomState, player: PlayerId): PlayerId | null =>
  Object.hasOwn(members, player) ? player : null

/** What protocol.md says a document is, built from the rules' own views and nothing of the engine's. */
const documentOf = (state: RoomState, viewer: PlayerId | null, runner: Runner): unknown => {
  const { phase, game, version, host, players, members, next, rules } = state
  return {
    room: { phase, game, version, host, players, members, ...(next === null ? {} : { next }) },
    game: rules === null ? null : { ...runner.everyone(rules), ...runner.only(rules, viewer) },
  }
}

/** JSON with sorted keys: equal for equal documents. Pure. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )

/** More than a room of a test ever has. */
const RECORDS_MOST = 100_000

type Past = Pick<Sources, 'storage' | 'library' | 'keys'>

/** Replays a room from its log alone. Null where there is none; throws DamagedRoom at the first event that cannot be read. */
export const roomPast = async (room: RoomId, sources: Past): Promise<RoomPast | null> => {
  const records = await sources.storage.read(room, 0, RECORDS_MOST)
  const firsts = records.flatMap(({ record }) => {
    const { first, inputs } = decodeRecord(record)
    return inputs.map(() => first)
  })
  const events: Happened[] = []
  let runner: Runner | null = null
  for await (const { seq, input, state, emits, game } of roomHistory(room, sources)) {
    events.push({ seq, input, state, emits })
    runner = game.runner
  }
  return runner && new RoomPast(room, events, firsts, runner)
}

/** Replays every room of the store. A room that cannot be replayed is named by `damaged`. */
export const readPast = async (
  store: SimStore,
  games: readonly LoadedGame[],
  dice: Dice,
  damaged: (room: RoomId, why: string) => void,
): Promise<Map<RoomId, RoomPast>> => {
  const storage = { ...store.plain, snapshot: async () => null }
  const sources = { storage, library: new Library(games, storage), keys: new KeyRing(storage, dice) }
  const pasts = new Map<RoomId, RoomPast>()
  for (const room of store.rooms) {
    try {
      const past = await roomPast(room, sources)
      if (past !== null) pasts.set(room, past)
    } catch (error) {
      damaged(room, messageOf(error))
    }
  }
  return pasts
}
