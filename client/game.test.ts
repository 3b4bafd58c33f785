import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { DocumentOf, GameViewOf, MovesOf } from './game.ts'
import type { Room } from './room.ts'
import type { Tally } from './testing/tally.ts'

const shout = {
  moves: { say: z.object({ text: z.string(), loud: z.boolean().default(false) }), maybe: z.number().optional() },
  everyone: (state: { value: 'loud' | 'quiet' }) => ({ mood: state.value }),
}

test('a wrong move name or payload is a compile error', () => {
  const play = (room: Room<Tally>): Promise<number>[] => [
    room.move.add({ n: 1 }),
    room.move.pass(),
    // @ts-expect-error no such move
    room.move.ad({ n: 1 }),
    // @ts-expect-error the payload of a move that has one is not optional
    room.move.add(),
    // @ts-expect-error wrong type of a field
    room.move.add({ n: '1' }),
    // @ts-expect-error misspelt field
    room.move.add({ m: 1 }),
    // @ts-expect-error a move without payload takes none
    room.move.pass(3),
  ]
  expect(play).toBeTypeOf('function')
})

test('payloads are what the schema takes, not what it returns', () => {
  expectTypeOf<Parameters<MovesOf<typeof shout>['say']>>().toEqualTypeOf<
    [payload: { text: string; loud?: boolean | undefined }]
  >()
  expectTypeOf<Parameters<MovesOf<typeof shout>['maybe']>>().toEqualTypeOf<[payload?: number | undefined]>()
})

test('the document is what everyone and only return', () => {
  expectTypeOf<GameViewOf<typeof shout>>().toEqualTypeOf<{ mood: 'loud' | 'quiet' }>()
  const read = (document: DocumentOf<Tally>): unknown[] => [
    document.room.phase,
    document.game?.total.toFixed(),
    document.game?.secret.toFixed(),
    // @ts-expect-error null while the room is open
    document.game.total,
    // @ts-expect-error no such part
    document.game?.totals,
  ]
  expect(read).toBeTypeOf('function')
})

test('without a game any move can be made, and nothing is known of the document', () => {
  const play = (room: Room): unknown[] => [
    room.move.anything?.({ n: 1 }),
    // @ts-expect-error nothing is known of it
    room.document.game?.total,
  ]
  expect(play).toBeTypeOf('function')
})
