import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import { seal, unseal } from '../log/seal.ts'
import type { Runner } from '../rules/game.ts'
import type { RoomInput } from './input.ts'
import type { PlainRoomState } from './plain.ts'

/** What stands in place of a name or word whose key was deleted. */
const FORGOTTEN = '…'

/** Hands out the keys under which names and words of players are sealed; undefined where a player was forgotten. */
export interface Keys {
  of(player: PlayerId): Uint8Array | undefined
  /** 12 bytes, never the same twice. */
  nonce(): Uint8Array
}

type Path = readonly string[]

/** The input as the log holds it: names and personal parts sealed under their player's key. */
export const sealInput = (input: RoomInput, room: RoomId, runner: Runner, keys: Keys): unknown => {
  if (input.type === 'player.joined') return { ...input, name: sealWord(input.name, room, input.by, keys) }
  if (input.type === 'room.migrated') return { ...input, state: sealState(input.state as PlainRoomState, keys) }
  if (input.type !== 'move') return input
  const paths = (runner.personal[input.move] ?? []).filter((path) => at(input.payload, path) !== undefined)
  if (paths.length === 0) return input
  const { by } = input.origin
  const payload = paths.reduce((p, path) => put(p, path, sealWord(at(p, path), room, by, keys)), input.payload)
  return { ...input, payload, sealed: paths }
}

/** The input that was sealed. Throws where a sealed part was tampered with. */
export const openInput = (logged: unknown, room: RoomId, keys: Keys): RoomInput => {
  const input = logged as RoomInput & { sealed?: readonly Path[] }
  if (input.type === 'player.joined') return { ...input, name: String(openWord(input.name, room, input.by, keys)) }
  if (input.type === 'room.migrated') return { ...input, state: openState(input.state, keys) }
  if (input.type !== 'move' || input.sealed === undefined) return input
  const { sealed, ...move } = input
  const { by } = input.origin
  const payload = sealed.reduce((p, path) => put(p, path, openWord(at(p, path), room, by, keys)), input.payload)
  return { ...move, payload }
}

/** The players whose keys it takes to open a logged input. */
export const sealedBy = (logged: unknown): PlayerId[] => {
  const input = logged as RoomInput
  if (input.type === 'player.joined') return [input.by]
  if (input.type === 'move') return [input.origin.by]
  return input.type === 'room.migrated' ? Object.keys((input.state as PlainRoomState).members) : []
}

/** The state with its members' names sealed, as a snapshot on disk holds it. */
export const sealState = (state: PlainRoomState, keys: Keys): unknown => ({
  ...state,
  members: mapValues(state.members, (member, player) => ({
    ...member,
    name: sealWord(member.name, state.room, player, keys),
  })),
})

export const openState = (sealed: unknown, keys: Keys): PlainRoomState => {
  const state = sealed as PlainRoomState
  return {
    ...state,
    members: mapValues(state.members, (member, player) => ({
      ...member,
      name: String(openWord(member.name, state.room, player, keys)),
    })),
  }
}

const sealWord = (word: unknown, room: RoomId, player: PlayerId, keys: Keys): Uint8Array | string => {
  const key = keys.of(player)
  return key === undefined ? FORGOTTEN : seal(key, word, keys.nonce(), `${room}/${player}`)
}

const openWord = (word: unknown, room: RoomId, player: PlayerId, keys: Keys): unknown => {
  if (!(word instanceof Uint8Array)) return word
  const key = keys.of(player)
  return key === undefined ? FORGOTTEN : unseal(key, word, `${room}/${player}`)
}

const mapValues = <V, W>(of: Readonly<Record<string, V>>, f: (value: V, key: string) => W): Record<string, W> =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, f(value, key)]))

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((v, key) => (isRecord(v) && Object.hasOwn(v, key) ? v[key] : undefined), value)

const put = (value: unknown, [key, ...rest]: Path, leaf: unknown): unknown => {
  if (key === undefined) return leaf
  return isRecord(value) ? { ...value, [key]: put(value[key], rest, leaf) } : value
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
