/**
 * Prints what the codec costs per call: `node loadtest/bench/codec.ts`. Figures are medians of rounds, in microseconds.
 */

import { Encoder } from '@msgpack/msgpack'
import { decode, encode, readHead, SERVER_LIMITS, scan } from '../../protocol/codec.ts'
import { apply, diff } from '../../protocol/patch.ts'
import { decodeRecord, encodeRecord, type LogRecord } from '../../protocol/record.ts'
import { encodedSize } from '../../protocol/size.ts'

const ROUNDS = 15
const ROUND_MS = 20

function measure(name: string, run: () => unknown): void {
  const perCall: number[] = []
  let calls = 64
  for (let round = 0; round < ROUNDS + 3; round++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) run()
    const took = performance.now() - start
    if (round >= 3) perCall.push((took * 1000) / calls)
    calls = Math.max(1, Math.round((calls * ROUND_MS) / Math.max(took, 0.01)))
  }
  perCall.sort((a, b) => a - b)
  console.log(`${name.padEnd(48)} ${(perCall[ROUNDS >> 1] ?? 0).toFixed(3)} µs`)
}

const refused = (run: () => unknown) => (): void => {
  try {
    run()
  } catch {
    return
  }
  throw new Error('was not refused')
}

const move = encode([5, 1234, 'k3v9q2k3v9q2', 'set', { cell: 12, value: 99 }])
const cells = Array.from({ length: 64 }, (_, i) => i * 37)
const players = Array.from({ length: 8 }, (_, i) => `player-${i}`)
const document = {
  room: {
    phase: 'playing',
    game: 'bench',
    version: 1,
    host: 'player-0',
    players,
    members: Object.fromEntries(players.map((id) => [id, { name: id, connected: true }])),
  },
  game: { cells, scores: Object.fromEntries(players.map((id, i) => [id, i])), turn: 10, secret: 12_345 },
}
const next = {
  ...document,
  game: { ...document.game, cells: cells.with(12, 99), scores: { ...document.game.scores, 'player-3': 4 }, turn: 11 },
}
const arena = (t: number) => ({
  room: document.room,
  game: {
    players: Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`player-${i}`, { x: i * 1.5 + t, y: i * 2.5 - t, hp: 100, aim: 0.5 }]),
    ),
  },
})
const state = encode([35, 'k3v9q2k3v9q2', 10, document])
const ops = diff(document, next)
const full = encode([6, 'k3v9q2', 'c', 'a'.repeat(16_300)])
const korean = encode([6, 'k3v9q2', 'c', '마당'.repeat(2700)])
const many = encode([6, 'k3v9q2', 'c', Array.from({ length: 8000 }, (_, i) => i & 127)])
const bomb = Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)
const nestedBomb = Uint8Array.from({ length: 320 }, (_, i) => [0xdd, 0x00, 0xff, 0xff, 0xff][i % 5] ?? 0)
const record: LogRecord = {
  room: 'k3v9q2k3v9q2',
  kind: 'events',
  epoch: 1,
  id: 'e1.1',
  first: 9,
  previous: 1,
  rules: '0'.repeat(32),
  inputs: [
    {
      type: 'set',
      by: 'player-3',
      session: 's'.repeat(22),
      ref: 4,
      at: 1_700_000_000_000,
      seed: 77,
      payload: { cell: 1, value: 2 },
    },
  ],
}
const stored = encodeRecord(record)
const bare = new Encoder({ ignoreUndefined: true })

console.log(
  `move ${move.length} B, STATE ${state.length} B, PATCH ops ${encode(ops).length} B, record ${stored.length} B`,
)
measure('scan a move', () => scan(move))
measure('scan + readHead a move', () => {
  scan(move)
  return readHead(move)
})
measure('decode a move', () => decode(move))
measure('scan a STATE', () => scan(state, SERVER_LIMITS))
measure('scan 16 KiB of ASCII', () => scan(full))
measure('scan 16 KiB of Korean', () => scan(korean))
measure('scan 8000 small integers', () => scan(many))
measure('decode a STATE', () => decode(state, SERVER_LIMITS))
measure('encode a PATCH', () => encode([36, 'k3v9q2k3v9q2', 10, 11, ops]))
measure('encode a document', () => encode(document))
measure('  the same, @msgpack/msgpack alone, unchecked', () => bare.encode(document))
measure('encodedSize of a document', () => encodedSize(document))
measure('diff of a bench move (3 places, shared)', () => diff(document, next))
measure(
  'diff of a bench move, nothing shared',
  (() => {
    const copy = structuredClone(next)
    return () => diff(document, copy)
  })(),
)
measure('apply that patch', () => apply(document, ops))
measure(
  'diff of an arena tick (20 players, all move)',
  (() => {
    const [before, after] = [arena(0), arena(1)]
    return () => diff(before, after)
  })(),
)
measure('encode a record', () => encodeRecord(record))
measure('decode a record', () => decodeRecord(stored))
measure(
  'refuse a bomb of 5 bytes',
  refused(() => decode(bomb)),
)
measure(
  'refuse a nested bomb of 320 bytes',
  refused(() => decode(nestedBomb)),
)
