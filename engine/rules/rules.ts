/** What a game's `rules.ts` imports (`madang/rules`). */
export type { PlayerId } from '../../protocol/frames.ts'
export { dice, pick, random, shuffle } from './chance.ts'
export { defineGame } from './define.ts'
export type { MediaPolicy, Seen, Text } from './game.ts'
export { gameType } from './gametype.ts'
export { deadline, now } from './time.ts'
export type { Emit, GameDocumentOf, MovesOf, PlainSnapshot } from './types.ts'
