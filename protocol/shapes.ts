import { ERROR_CODES, type ErrorCode } from './errors.ts'
import {
  type Member,
  NAME,
  type PatchOp,
  type Phase,
  type PlayerId,
  type Ref,
  ROOM_ID,
  type Role,
  type RoomDocument,
  type RoomId,
} from './frames.ts'
import { type Fields, isFields } from './plain.ts'

/** A shape that an element of a frame must have, and how to name it to who got it wrong. */
export interface Shape<T> {
  readonly is: (value: unknown) => value is T
  readonly text: string
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isCount = (value: unknown): value is number => isNumber(value) && Number.isSafeInteger(value) && value >= 0

export const TEXT: Shape<string> = { is: isText, text: 'a string' }
export const NUMBER: Shape<number> = { is: isNumber, text: 'a number' }
export const BOOLEAN: Shape<boolean> = {
  is: (value): value is boolean => typeof value === 'boolean',
  text: 'a boolean',
}
export const FIELDS: Shape<Fields> = { is: isFields, text: 'a map' }
export const COUNT: Shape<number> = { is: isCount, text: 'an integer from 0' }
export const REF: Shape<Ref> = { is: (value): value is Ref => isCount(value) && value > 0, text: 'a positive integer' }
export const ROOM: Shape<RoomId> = {
  is: (value): value is RoomId => isText(value) && ROOM_ID.test(value),
  text: '1 to 64 of A-Z a-z 0-9 _ -',
}
export const NAMED: Shape<string> = {
  is: (value): value is string => isText(value) && NAME.test(value),
  text: 'a string of 1 to 64 characters',
}
export const ROLE: Shape<Role> = {
  is: (value): value is Role => value === 'player' || value === 'spectator',
  text: "'player' or 'spectator'",
}
export const CODE: Shape<ErrorCode> = {
  is: (value): value is ErrorCode => ERROR_CODES.some((code) => code === value),
  text: 'an error code',
}

const isPhase = (value: unknown): value is Phase => value === 'open' || value === 'playing' || value === 'over'
const isMember = (value: unknown): value is Member =>
  isFields(value) && isText(value.name) && typeof value.connected === 'boolean'
const arePlayers = (value: unknown): value is PlayerId[] => Array.isArray(value) && value.every(isText)

export const DOCUMENT: Shape<RoomDocument> = {
  is: (value): value is RoomDocument => {
    if (!isFields(value) || !isFields(value.room) || value.game === undefined) return false
    const { phase, game, version, host, players, members } = value.room
    if (!isPhase(phase) || !isText(game) || !isNumber(version) || !isText(host) || !arePlayers(players)) return false
    return isFields(members) && Object.values(members).every(isMember)
  },
  text: 'a document {room, game}',
}

/** Ops by their outer form: `apply` judges their paths. */
export const OPS: Shape<PatchOp[]> = {
  is: (value): value is PatchOp[] =>
    Array.isArray(value) &&
    value.every((op) => Array.isArray(op) && op.length >= 1 && op.length <= 2 && Array.isArray(op[0])),
  text: 'an array of [path, value] or [path]',
}
