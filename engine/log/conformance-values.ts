import type { Chance } from '../../protocol/clock.ts'
import type { IndexRow } from './log.ts'

/** The same numbers in every run, and never the same twice in one (Knuth's MMIX generator). */
let state = 1n
const uint32 = (): number => {
  state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n)
  return Number(state >> 32n)
}
export const testChance: Chance = { uint32, bytes: (n) => Uint8Array.from({ length: n }, () => uint32() & 0xff) }

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const indexRow = (room: string, more: Partial<IndexRow> = {}): IndexRow => ({
  room,
  game: 'tictactoe',
  rules: 'a1b2',
  status: 'live',
  due: null,
  public: false,
  phase: 'open',
  players: 0,
  seq: 1,
  ...more,
})
