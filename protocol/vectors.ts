/**
 * Test vectors for implementations in other languages. Written with
 * `node protocol/vectors.ts > protocol/vectors.json`, then formatted; `vectors.test.ts` holds the file and the code together.
 */
import { arrayHeader, concat, encode } from './codec.ts'
import { CLOSE, ERROR_CODES, isRetryable, MalformedFrame } from './errors.ts'
import { FRAME_LIMITS, OP, type RoomDocument } from './frames.ts'
import { toJson } from './json.ts'
import { apply, diff } from './patch.ts'
import { encodeRecord, type LogRecord, recordChecksum, wrap } from './record.ts'
import { scan } from './scan.ts'

const ROOM = 'k3v9q2'
const SESSION = 'session-0123456789'
const document: RoomDocument = {
  room: {
    phase: 'playing',
    game: 'tictactoe',
    version: 1,
    host: 'ann',
    players: ['ann', 'bo'],
    members: { ann: { name: 'Ann', connected: true }, bo: { name: '보', connected: false } },
  },
  game: { cells: ['ann', null, null, null, null, null, null, null, null], turn: 'bo', winner: null },
}

const FRAMES: readonly (readonly [name: string, frame: readonly unknown[]])[] = [
  ['HELLO', [OP.hello, { v: 1 }]],
  ['HELLO with all', [OP.hello, { v: 1, token: 'a.b.c', session: SESSION, client: 'vectors' }]],
  ['CREATE', [OP.create, 1, 'tictactoe']],
  ['CREATE with options, public', [OP.create, 2, 'mafia', { night: 30, day: 120 }, { public: true }]],
  ['CREATE without options, public', [OP.create, 3, 'mafia', null, { public: true }]],
  ['JOIN', [OP.join, 127, ROOM]],
  ['JOIN as spectator', [OP.join, 128, ROOM, { role: 'spectator' }]],
  ['JOIN going on', [OP.join, 256, ROOM, { since: 65_536 }]],
  ['LEAVE', [OP.leave, 65_535, ROOM]],
  ['MOVE', [OP.move, 65_536, ROOM, 'mark', { cell: 4 }]],
  ['MOVE without payload', [OP.move, 4_294_967_296, ROOM, 'pass']],
  ['CAST binary', [OP.cast, ROOM, 'stroke', Uint8Array.of(0, 1, 128, 255)]],
  ['CALL', [OP.call, Number.MAX_SAFE_INTEGER, ROOM, 'start']],
  ['CALL with params', [OP.call, 7, ROOM, 'chat', { text: 'héllo 마당 🎲', to: 'players' }]],
  ['PING', [OP.ping, 1_700_000_000_000]],
  ['MATCH', [OP.match, 8, 'tictactoe', {}]],
  ['INPUT', [OP.input, ROOM, { dx: -0.5, dy: 1, fire: false }]],
  [
    'WELCOME',
    [
      OP.welcome,
      {
        v: 1,
        session: SESSION,
        player: { id: 'ann', name: 'Ann' },
        now: 1_700_000_000_000,
        resumed: true,
        limits: { frame: FRAME_LIMITS.bytes, rate: 50 },
      },
    ],
  ],
  ['OK', [OP.ok, 1, { room: ROOM }]],
  ['OK without value', [OP.ok, 1]],
  ['ERR', [OP.err, 9, 'rate_limited', 'too many frames', { retryAfter: 250 }]],
  ['ERR without ref', [OP.err, null, 'bad_frame', 'CAST room: 1 to 64 of A-Z a-z 0-9 _ - were expected']],
  ['STATE', [OP.state, ROOM, 4, document]],
  [
    'PATCH',
    [OP.patch, ROOM, 4, 5, [[['game', 'cells', 4], 'bo'], [['game', 'turn'], 'ann'], [['room', 'members', 'bo']]]],
  ],
  ['EMIT', [OP.emit, ROOM, 5, { type: 'gunshot', at: 3 }]],
  ['CAST out', [OP.castOut, ROOM, 'bo', 'stroke', Uint8Array.of(7)]],
  ['PONG', [OP.pong, 1_700_000_000_000, 1_700_000_000_042]],
  ['NOTE', [OP.note, ROOM, 'spectators', 12]],
  ['BYE', [OP.bye, 'restarting', { retryAfter: 500, resume: true }]],
  ['keys with $', [OP.move, 1, ROOM, 'm', { $a: 1, $$b: 2, $bin: 'AA==', c$: 3, bytes: Uint8Array.of(0) }]],
  [
    'numbers',
    [OP.move, 1, ROOM, 'm', [0, -1, -32, -33, -128, -129, -32_769, -2_147_483_649, 1.5, -9_007_199_254_740_991, 1e300]],
  ],
]

const nested = (depth: number): Uint8Array =>
  concat(arrayHeader(2), encode(OP.ping), ...Array.from({ length: depth - 2 }, () => arrayHeader(1)), arrayHeader(0))

const MALFORMED: readonly (readonly [why: string, bytes: string | Uint8Array])[] = [
  ['no bytes', ''],
  ['ends inside an array', '9208'],
  ['a byte left over', '92080000'],
  ['declares 4294967295 elements', 'ddffffffff'],
  ['declares 4294967295 pairs', 'dfffffffff'],
  ['declares a string of 4294967295 bytes', '9208dbffffffff'],
  ['declares binary of 4294967295 bytes', '9208c6ffffffff'],
  ['arrays of arrays that declare more than is there', '9208dd00ffffffdd00ffffffdd00ffffff'],
  ['depth 33', nested(33)],
  ['a map key that is an integer', '920881' + '0101'],
  ['a map key that is nil', '920881' + 'c001'],
  ['a map key that is binary', '920881' + 'c4016101'],
  ['the key __proto__', '920881a95f5f70726f746f5f5f01'],
  ['UTF-8: a continuation byte first', '9208a180'],
  ['UTF-8: overlong /', '9208a2c0af'],
  ['UTF-8: overlong, three bytes', '9208a3e080af'],
  ['UTF-8: a surrogate', '9208a3eda080'],
  ['UTF-8: above U+10FFFF', '9208a4f4908080'],
  ['UTF-8: cut short', '9208a2e282'],
  ['UTF-8: in a key', '920881a1ff01'],
  ['a fixext', '9208d40100'],
  ['a timestamp', '9208d6ff00000000'],
  ['an ext 8', '9208c7000a'],
  ['the reserved type c1', '9208c1'],
  ['NaN', '9208cb7ff8000000000000'],
  ['Infinity', '9208cb7ff0000000000000'],
  ['-Infinity, 32 bits', '9208caff800000'],
  ['2^53', '9208cf0020000000000000'],
  ['-2^53', '9208d3ffe0000000000000'],
  ['16385 bytes', encode([OP.ping, 'a'.repeat(16_380)])],
]

/** Well-formed values that are no frame: they close the socket with 4000 like malformed ones. */
const NOT_FRAMES: readonly (readonly [why: string, value: unknown])[] = [
  ['an empty array', []],
  ['a string first', ['8', 1]],
  ['a fraction first', [8.5, 1]],
  ['a map', { op: 8 }],
  ['an integer', 8],
  ['nil', null],
]

const PATCHES: readonly (readonly [name: string, before: unknown, after: unknown])[] = [
  ['equal', { a: [1] }, { a: [1] }],
  ['a value', { n: 1, text: 'unchanged' }, { n: 2, text: 'unchanged' }],
  ['null is not absent', { n: 1, text: 'unchanged' }, { n: null, text: 'unchanged' }],
  ['a key deleted', { n: 1, text: 'unchanged' }, { text: 'unchanged' }],
  ['an append', { list: ['unchanged', 'too'] }, { list: ['unchanged', 'too', 3] }],
  ['a shortening', { list: ['unchanged', 2, 3] }, { list: ['unchanged'] }],
  ['the parent is shorter', { p: { x: 1, y: 1 }, text: 'unchanged' }, { p: { x: 2, y: 2 }, text: 'unchanged' }],
  ['everything', { a: 1 }, ['b']],
]

const BAD_PATCHES: readonly (readonly [why: string, before: unknown, ops: unknown])[] = [
  ['deletes an absent key', {}, [[['a']]]],
  ['goes through an absent key', {}, [[['a', 'b'], 1]]],
  ['goes into a scalar', { a: 1 }, [[['a', 'b'], 1]]],
  ['an index beyond the length', [1], [[[2], 1]]],
  ['deletes at the length', [1], [[[1]]]],
  ['a negative index', [1], [[[-1], 1]]],
  ['a key into an array', [1], [[['0'], 1]]],
  ['an index into an object', {}, [[[0], 1]]],
  ['deletes the document', {}, [[[]]]],
  ['names __proto__', {}, [[['__proto__'], 1]]],
  ['names constructor', {}, [[['constructor'], 1]]],
]

const RECORD: LogRecord = {
  room: ROOM,
  kind: 'events',
  epoch: 2,
  id: 'engine-1.17',
  first: 5,
  previous: 0,
  inputs: [
    {
      type: 'mark',
      by: 'bo',
      at: 1_700_000_000_000,
      seed: 4_294_967_295,
      payload: { cell: 4 },
      name: Uint8Array.of(9),
    },
  ],
  rules: '00112233445566778899aabbccddeeff',
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** All vectors as JSON data. Pure. */
export function vectors(): unknown {
  return {
    v: 1,
    limits: FRAME_LIMITS,
    frames: FRAMES.map(([name, frame]) => ({ name, json: toJson(frame), hex: hex(encode(frame)) })),
    malformed: MALFORMED.map(([why, bytes]) => {
      const text = typeof bytes === 'string' ? bytes : hex(bytes)
      return { why, reason: reasonOf(text), ...compact(text) }
    }),
    notFrames: NOT_FRAMES.map(([why, value]) => ({ why, hex: hex(encode(value)) })),
    patches: PATCHES.map(([name, before, after]) => ({ name, before, ops: diff(before, after), after })),
    badPatches: BAD_PATCHES.map(([why, before, ops]) => ({
      why,
      before,
      ops,
      reason: refusalOf(() => apply(before, ops)),
    })),
    records: recordVectors(),
    errors: ERROR_CODES.map((code) => ({ code, retryable: isRetryable(code) })),
    closes: CLOSE,
  }
}

function recordVectors(): unknown[] {
  const first = encodeRecord(RECORD)
  const second: LogRecord = {
    ...RECORD,
    kind: 'claim',
    epoch: 3,
    first: 6,
    previous: recordChecksum(first),
    inputs: [],
  }
  const { room, kind, epoch, id, first: seq, inputs, rules } = RECORD
  const old = wrap('MR', encode([room, kind, epoch, id, seq, inputs, rules]), 0)
  return [
    { name: 'events', format: 1, record: toJson(RECORD), hex: hex(first) },
    { name: 'a claim after it', format: 1, record: toJson(second), hex: hex(encodeRecord(second)) },
    { name: 'the first in format 0, read in the present shape', format: 0, record: toJson(RECORD), hex: hex(old) },
  ]
}

const reasonOf = (text: string): string => refusalOf(() => scan(bytesOf(text)))

function refusalOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof MalformedFrame) return error.message
    throw error
  }
  throw new Error('a vector that must be refused was taken')
}

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))

/** A long run of one byte at the end is given by its length: `hex`, then `repeat.hex` `repeat.times` times. */
function compact(text: string): object {
  const tail = /(..)\1{99,}$/.exec(text)
  if (tail === null) return { hex: text }
  return { hex: text.slice(0, tail.index), repeat: { hex: tail[1], times: tail[0].length / 2 } }
}

if (import.meta.main) console.log(JSON.stringify(vectors(), null, 2))
