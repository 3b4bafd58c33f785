import { encode } from '@msgpack/msgpack'
import { beforeAll, describe, expect, test } from 'vitest'
import { programOfThisFile } from './program.ts'
import { comeBack, dig, type Entered, enter, Raw } from './raw.ts'

const { url } = await programOfThisFile()

const bytes = (...list: (number | Uint8Array | number[])[]) =>
  Uint8Array.from(list.flatMap((each) => (typeof each === 'number' ? [each] : [...each])))
/** `[2, 1, 'tictactoe', X]`: were X let through, ref 1 would make a room. */
const create = (x: Uint8Array) => bytes(0x94, 2, 1, encode('tictactoe'), x)
const f64 = (value: number) => {
  const out = new Uint8Array(9)
  out[0] = 0xcb
  new DataView(out.buffer).setFloat64(1, value)
  return out
}
const nested = (depth: number) => bytes(...Array.from({ length: depth }, () => 0x91), 0x01)
const times = (n: number, byte: number) => Array.from({ length: n }, () => byte)

/** A CREATE of exactly this many bytes. */
const sized = (ref: number, size: number) => {
  const frame = (length: number) => encode([2, ref, 'tictactoe', null, { public: false, pad: 'x'.repeat(length) }])
  const rest = size - frame(0).length
  for (let length = Math.max(0, rest - 8); ; length++) {
    const made = frame(length)
    if (made.length === size) return made
    if (made.length > size) throw new Error('no such size')
  }
}

const MALFORMED: Record<string, Uint8Array> = {
  nothing: bytes(),
  'a cut frame': encode([2, 1, 'tictactoe']).subarray(0, 8),
  'a byte left over': bytes(encode([2, 1, 'tictactoe']), 0xc0),
  'two frames in one message': bytes(encode([2, 1, 'tictactoe']), encode([8, 1])),
  'no array but a map': encode({ 0: 2, 1: 1 }),
  'no array but a number': encode(2),
  'no array but nil': encode(null),
  'an empty array': encode([]),
  'an array that begins with text': encode(['2', 1, 'tictactoe']),
  'an array that begins with nil': encode([null, 1, 'tictactoe']),
  'an array that begins with 2.5': encode([2.5, 1, 'tictactoe']),
  'an ext type': create(bytes(0xd4, 0x05, 0x00)),
  'a timestamp (ext -1)': create(encode(new Date(0))),
  'bad UTF-8': create(bytes(0xa2, 0xc3, 0x28)),
  'overlong UTF-8': create(bytes(0xa2, 0xc0, 0xaf)),
  'a surrogate in UTF-8': create(bytes(0xa3, 0xed, 0xa0, 0x80)),
  'bad UTF-8 in a key': create(bytes(0x81, 0xa1, 0xff, 0x01)),
  'a key that is a number': create(bytes(0x81, 0x01, 0x01)),
  'a key that is nil': create(bytes(0x81, 0xc0, 0x01)),
  NaN: create(f64(Number.NaN)),
  Infinity: create(f64(Number.POSITIVE_INFINITY)),
  '-Infinity': create(f64(Number.NEGATIVE_INFINITY)),
  'a float32 NaN': create(bytes(0xca, 0x7f, 0xc0, 0, 0)),
  'the integer 2^53': create(bytes(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0)),
  'the integer -2^53': create(bytes(0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 0)),
  'the integer 2^64-1': create(bytes(0xcf, ...times(8, 0xff))),
  'depth 33': create(nested(32)),
  'depth 5000': create(nested(5000)),
  'the byte that msgpack never uses': create(bytes(0xc1)),
  'an array that claims 2^32-1 elements': bytes(0xdd, 0xff, 0xff, 0xff, 0xff),
  'a map that claims 2^32-1 entries': create(bytes(0xdf, 0xff, 0xff, 0xff, 0xff)),
  'text that claims 2^32-1 bytes': create(bytes(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61)),
  'binary that claims 2^32-1 bytes': create(bytes(0xc6, 0xff, 0xff, 0xff, 0xff, 0x61)),
  'an ext that claims 2^32-1 bytes': create(bytes(0xc9, 0xff, 0xff, 0xff, 0xff, 0x01)),
  'arrays that claim much, nested': create(bytes(...Array.from({ length: 20 }, () => [0xdd, 0, 0xff, 0xff, 0xff]))),
}

describe.concurrent('the form of frames', () => {
  test('malformed bytes close with 4000 and have no effect; the server goes on', async () => {
    await Promise.all(
      Object.entries(MALFORMED).map(async ([what, malformed]) => {
        const one = await enter(url, 'Mal')
        const before = one.raw.frames.length
        one.raw.sendBytes(malformed)
        one.raw.send([2, 1, 'mafia'])
        expect(await one.raw.closeCode(), what).toBe(4000)
        expect(one.raw.frames.slice(before), what).toEqual([])
        // Ref 1 made nothing: with other content it would be a conflict now.
        const back = await comeBack(url, one)
        expect((await back.askAs(1, 2, 'tictactoe', null, { public: true }))[0], what).toBe(33)
        back.cut()
      }),
    )
  })

  test('malformed bytes as the first message: 4000 too', async () => {
    const raw = new Raw(url)
    await raw.opened()
    raw.sendBytes(bytes(0xdd, 0xff, 0xff, 0xff, 0xff))
    expect(await raw.closeCode()).toBe(4000)
  })

  test('the limits themselves are allowed: depth 32, 2^53-1, -(2^53-1), float32, -0, odd encodings, bin', async () => {
    const { raw } = await enter(url, 'Ann')
    let ref = 100
    const fine = (x: Uint8Array, head = bytes(0x95, 2, 0xcd, ref >> 8, ref & 255)) =>
      raw.sendBytes(bytes(head, encode('tictactoe'), 0xc0, x))
    for (const x of [
      bytes(0x81, 0xa1, 0x61, nested(29)),
      bytes(0x81, 0xa1, 0x61, 0xcf, 0, 0x1f, ...times(6, 0xff)),
      bytes(0x81, 0xa1, 0x61, 0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 0x01),
      bytes(0x81, 0xa1, 0x61, 0xca, 0x3f, 0x80, 0, 0),
      bytes(0x81, 0xa1, 0x61, f64(-0)),
      bytes(0x81, 0xa1, 0x61, 0xc4, 2, 0xff, 0x00),
      bytes(0xde, 0, 1, 0xd9, 1, 0x61, 0xd1, 0xff, 0xff),
    ]) {
      ref++
      fine(x, bytes(0x95, 2, 0xcd, ref >> 8, ref & 255))
      expect(await raw.answer(ref)).toMatchObject([33, ref, { room: expect.any(String) }])
    }
    raw.sendBytes(bytes(0xdc, 0, 2, 0xd2, 0, 0, 0, 8, 0xcd, 0, 5))
    expect(await raw.next(39)).toEqual([39, 5, expect.any(Number)])
    raw.cut()
  })

  test('16384 bytes are a frame; 16385 close with 1009, and so does what is up to 8 times the limit', async () => {
    const one = await enter(url, 'Ann')
    one.raw.sendBytes(sized(1, 16_384))
    expect((await one.raw.answer(1))[0]).toBe(33)
    one.raw.sendBytes(sized(2, 16_385))
    expect(await one.raw.closeCode()).toBe(1009)
    for (const size of [40_000, 16_384 * 8 - 200]) {
      const { raw } = await enter(url, 'Ann')
      raw.sendBytes(sized(2, size))
      expect(await raw.closeCode(), String(size)).toBe(1009)
    }
    const back = await comeBack(url, one)
    expect((await back.askAs(2, 2, 'mafia'))[0]).toBe(33)
    back.cut()
  })

  test('before HELLO the limit holds too; far beyond 8 times it the connection is cut', async () => {
    const early = new Raw(url)
    await early.opened()
    early.sendBytes(sized(1, 20_000))
    expect(await early.closeCode()).toBe(1009)
    const { raw } = await enter(url, 'Ann')
    raw.sendBytes(new Uint8Array(4_000_000))
    expect([1006, 1009]).toContain(await raw.closeCode())
  })

  test('frames in many WebSocket fragments are put together', async () => {
    const { raw } = await enter(url, 'Ann')
    const frame = encode([8, 77])
    for (let i = 0; i < frame.length; i++)
      raw.socket.send(frame.subarray(i, i + 1), { binary: true, fin: i === frame.length - 1 })
    expect(await raw.next(39)).toEqual([39, 77, expect.any(Number)])
    raw.cut()
  })
})

describe.concurrent('bad_frame: the connection stays', () => {
  let one: Entered
  let room = ''
  beforeAll(async () => {
    one = await enter(url, 'Ann')
    room = await one.raw.create('tictactoe')
    await one.raw.join(room)
  })

  test('a known op with elements of a wrong type: ERR bad_frame with its ref where that can be read', async () => {
    const { raw } = one
    const withRef: unknown[][] = [
      [2, 900],
      [2, 900, 5],
      [2, 900, null],
      [2, 900, 'tictactoe', null, 'yes'],
      [2, 900, 'tictactoe', null, { public: 'yes' }],
      [3, 900],
      [3, 900, 5],
      [3, 900, ''],
      [3, 900, 'no such/room'],
      [3, 900, 'x'.repeat(65)],
      [3, 900, room, 'player'],
      [3, 900, room, { role: 'host' }],
      [3, 900, room, { role: 5 }],
      [3, 900, room, { since: '1' }],
      [3, 900, room, { since: -1 }],
      [3, 900, room, { since: 1.5 }],
      [4, 900],
      [4, 900, 7],
      [5, 900, room],
      [5, 900, room, 5],
      [5, 900, null, 'mark', { cell: 0 }],
      [7, 900, room],
      [7, 900, room, null],
      [7, 900, 5, 'start'],
      [9, 900],
      [9, 900, 5],
    ]
    const noRef: unknown[][] = [
      [2],
      [2, 0, 'tictactoe'],
      [2, -1, 'tictactoe'],
      [2, 1.5, 'tictactoe'],
      [2, '1', 'tictactoe'],
      [2, null, 'tictactoe'],
      [3, null, room],
      [5, {}, room, 'mark', { cell: 0 }],
      [7, [], room, 'start'],
      [8],
      [8, 'now'],
      [8, null],
      [6],
      [6, 5, 'stroke', 1],
      [6, room, 5, 1],
      [6, room],
      [10],
      [10, 5, {}],
      [10, 'a b', {}],
    ]
    for (const frame of withRef) {
      raw.send(frame)
      expect(await raw.next(34), JSON.stringify(frame)).toEqual([34, 900, 'bad_frame', expect.stringMatching(/./)])
    }
    for (const frame of noRef) {
      raw.send(frame)
      expect(await raw.next(34), JSON.stringify(frame)).toEqual([34, null, 'bad_frame', expect.stringMatching(/./)])
    }
    expect(raw.closed).toBeNull()
    await raw.ping()
  })

  test('an unknown op, also a server’s, gets bad_frame; the ref where it is readable', async () => {
    const { raw } = await enter(url, 'Bob')
    for (const op of [0, 11, 31, 32, 33, 41, 127, 1000, -1, Number.MAX_SAFE_INTEGER]) {
      raw.send([op, 5, 'x'])
      const [err, ref, code] = await raw.next(34)
      expect([err, code], String(op)).toEqual([34, 'bad_frame'])
      expect([5, null]).toContain(ref)
    }
    raw.send([99])
    expect(await raw.next(34)).toEqual([34, null, 'bad_frame', expect.any(String)])
    await raw.ping()
    raw.cut()
  })

  test('a bad frame does not use up its ref', async () => {
    const { raw } = await enter(url, 'Cho')
    expect((await raw.askAs(1, 2, 5))[2]).toBe('bad_frame')
    expect((await raw.askAs(1, 2, 'tictactoe'))[0]).toBe(33)
    raw.cut()
  })

  test('optional elements may be nil, unknown trailing elements and keys are ignored', async () => {
    const { raw, id } = await enter(url, 'Dan')
    const made = await raw.create('tictactoe', null, null, 'more', { x: 1 })
    expect(await raw.join(made, { role: null, since: null, more: 1 })).toEqual({
      room: made,
      role: 'player',
      seq: expect.any(Number),
    })
    expect((await raw.ask(3, made, null, 'more', 5))[0]).toBe(33)
    const other = await enter(url, 'Eve')
    await other.raw.join(made)
    await raw.until(() => raw.see(made, 'room', 'phase') === 'playing')
    expect((await raw.ask(5, made, 'mark', { cell: 0, colour: 'red' }, 'more', null))[0]).toBe(33)
    expect(raw.see(made, 'game', 'cells', 0)).toBe(id)
    expect((await raw.ask(7, made, 'nothing', null, 'more'))[2]).toBe('not_found')
    expect((await raw.ask(4, made, 'more'))[0]).toBe(33)
    raw.send([9, 400, 'tictactoe', null, 'more'])
    expect(dig(await raw.answer(400), 2, 'room')).toEqual(expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/))
    raw.cut()
    other.raw.cut()
  })
})
