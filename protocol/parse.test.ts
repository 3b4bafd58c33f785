import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode, readHead } from './codec.ts'
import { MalformedFrame, Refusal } from './errors.ts'
import { PLAYER_ID } from './frames.ts'
import { parseClientFrame, parseServerFrame } from './parse.ts'
import { plainValue } from './plain.arbitrary.ts'

const session = 's'.repeat(16)

describe('parseClientFrame', () => {
  test.each([
    [[1, { v: 1 }]],
    [[1, { v: 1, token: 't', session, client: 'c' }]],
    [[2, 1, 'mafia', { night: 5 }, { public: true }]],
    [[3, 1, 'r', { role: 'player', since: 0 }]],
    [[3, 1, 'r', { role: 'spectator' }]],
    [[4, 1, 'r']],
    [[5, 1, 'r', 'mark', { cell: 1 }]],
    [[5, 1, 'r', '가'.repeat(64), 0]],
    [[5, 1, 'r', '😀'.repeat(64), false]],
    [[6, 'r', 'stroke', Uint8Array.of(1)]],
    [[7, Number.MAX_SAFE_INTEGER, 'r', 'start', []]],
    [[8, 1.5]],
    [[9, 1, 'mafia', {}]],
    [[10, 'r', { dx: 1 }]],
  ])('takes %j as it is', (frame) => {
    expect(parseClientFrame(frame)).toEqual(frame)
  })

  test.each([
    [
      [2, 1, 'mafia'],
      [2, 1, 'mafia', undefined, {}],
    ],
    [
      [2, 1, 'mafia', null, null],
      [2, 1, 'mafia', undefined, {}],
    ],
    [
      [2, 1, 'mafia', null, { public: null, more: 1 }],
      [2, 1, 'mafia', undefined, {}],
    ],
    [
      [3, 1, 'r'],
      [3, 1, 'r', {}],
    ],
    [
      [3, 1, 'r', null],
      [3, 1, 'r', {}],
    ],
    [
      [3, 1, 'r', { since: null, role: null }],
      [3, 1, 'r', {}],
    ],
    [
      [4, 1, 'r', 'more', 'and more'],
      [4, 1, 'r'],
    ],
    [
      [5, 1, 'r', 'mark'],
      [5, 1, 'r', 'mark', undefined],
    ],
    [
      [5, 1, 'r', 'mark', null, 'more'],
      [5, 1, 'r', 'mark', undefined],
    ],
    [
      [1, { v: 1, session: 'too short', token: null, more: 1 }, 'more'],
      [1, { v: 1 }],
    ],
  ])('leaves out of %j what is nil or unknown', (frame, parsed) => {
    expect(parseClientFrame(frame)).toEqual(parsed)
  })

  test.each([
    [[0], '0 is not the op'],
    [[11, 1], '11 is not the op'],
    [[33, 1], '33 is not the op'],
    [[1], 'HELLO: a map was expected'],
    [[1, []], 'HELLO: a map was expected'],
    [[1, {}], 'HELLO v: this server speaks 1'],
    [[1, { v: 2 }], 'HELLO v: this server speaks 1'],
    [[1, { v: 1, token: 1 }], 'HELLO token: a string'],
    [[1, { v: 1, session: 1 }], 'HELLO session: a string'],
    [[1, { v: 1, client: {} }], 'HELLO client: a string'],
    [[2, 0, 'g'], 'CREATE ref: a positive integer'],
    [[2, 1], 'CREATE game: a string of 1 to 64'],
    [[2, 1, ''], 'CREATE game: a string of 1 to 64'],
    [[2, 1, 'g', {}, 1], 'CREATE extra: a map'],
    [[2, 1, 'g', {}, { public: 1 }], 'CREATE public: a boolean'],
    [[3, 1.5, 'r'], 'JOIN ref'],
    [[3, 1, 'no room!'], 'JOIN room: 1 to 64 of'],
    [[3, 1, 'r', []], 'JOIN extra: a map'],
    [[3, 1, 'r', { role: 'host' }], 'JOIN role'],
    [[3, 1, 'r', { since: -1 }], 'JOIN since'],
    [[3, 1, 'r', { since: 'x' }], 'JOIN since'],
    [[4, '1', 'r'], 'LEAVE ref'],
    [[4, 1, 'r'.repeat(65)], 'LEAVE room'],
    [[5, 2 ** 53, 'r', 'm'], 'MOVE ref'],
    [[5, 1, null, 'm'], 'MOVE room'],
    [[5, 1, 'r'], 'MOVE type'],
    [[5, 1, 'r', 'm'.repeat(65)], 'MOVE type'],
    [[5, 1, 'r', 7], 'MOVE type'],
    [[6, 1, 'c'], 'CAST room'],
    [[6, 'r', ''], 'CAST channel'],
    [[7, null, 'r', 'm'], 'CALL ref'],
    [[7, 1, 'r', null], 'CALL method'],
    [[8], 'PING t: a number'],
    [[8, '1'], 'PING t: a number'],
    [[9, -1, 'g'], 'MATCH ref'],
    [[9, 1, {}], 'MATCH game'],
    [[10, {}], 'INPUT room'],
  ])('refuses %j and names the element', (frame, message) => {
    expect(() => parseClientFrame(frame)).toThrow(Refusal)
    expect(() => parseClientFrame(frame)).toThrow(
      expect.objectContaining({ code: 'bad_frame', message: expect.stringContaining(message) }),
    )
  })

  test('a value that is no frame at all is malformed', () => {
    for (const value of [null, 5, 'x', {}, [], ['5'], [1.5], [null]]) {
      expect(() => parseClientFrame(value)).toThrow(MalformedFrame)
    }
  })

  test('random frames throw nothing but Refusal, and the head that a gateway read agrees', () => {
    const element = fc.oneof(fc.constantFrom<unknown>(1, 7, 'r', 'mark', {}, null, { v: 1 }), plainValue(1))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.array(element, { maxLength: 5 }), (op, rest) => {
        const head = readHead(encode([op, ...rest]))
        try {
          const frame = parseClientFrame([op, ...rest])
          expect(head).toMatchObject({ op, bad: null })
          if (head.ref !== null) expect(frame[1]).toBe(head.ref)
          if (head.room !== null) expect(frame).toContain(head.room)
          if (head.game !== null) expect(frame[2]).toBe(head.game)
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

test('no player id is a key that maps may not have', () => {
  for (const id of ['ann', 'a.b:c@d-e_f', '__proto', 'constructor']) expect(PLAYER_ID.test(id)).toBe(true)
  for (const id of ['__proto__', '', 'a b', 'x'.repeat(65)]) expect(PLAYER_ID.test(id)).toBe(false)
})

describe('parseServerFrame', () => {
  const document = {
    room: {
      phase: 'open',
      game: 'g',
      version: 1,
      host: 'a',
      players: ['a'],
      members: { a: { name: 'A', connected: true } },
    },
    game: null,
  }
  const welcome = {
    v: 1,
    session,
    player: { id: 'a', name: 'A' },
    now: 1,
    resumed: false,
    limits: { frame: 1, rate: 1 },
  }

  test.each([
    [[32, welcome]],
    [[33, 1, { room: 'r' }]],
    [[34, null, 'bad_frame', 'why', undefined]],
    [[34, 4, 'rate_limited', 'why', { retryAfter: 5 }]],
    [[35, 'r', 1, document]],
    [[36, 'r', 1, 2, [[['game', 'x'], 1], [['y']]]]],
    [[37, 'r', 1, { type: 'gunshot', to: ['a'] }]],
    [[38, 'r', 'a', 'c', Uint8Array.of(1)]],
    [[39, 1, 2]],
    [[40, 'r', 'chat', { text: 'hi' }]],
    [[41, 'restarting', { retryAfter: 100, resume: true }]],
    [[41, 'kicked', { resume: false }]],
  ])('takes %j as it is', (frame) => {
    expect(parseServerFrame(frame)).toEqual(frame)
    expect(parseServerFrame([...frame, ...(frame[0] === 33 || frame[0] === 34 ? [] : ['more'])])).toEqual(frame)
  })

  test('skips an op of a later version, and reads an unknown code as internal', () => {
    expect(parseServerFrame([77, 'what'])).toBeNull()
    expect(parseServerFrame([34, 1, 'new_code', 'why'])).toEqual([34, 1, 'internal', 'why', undefined])
  })

  test.each([
    [[32, { ...welcome, v: 2 }], 'WELCOME v'],
    [[32, { ...welcome, player: null }], 'WELCOME player'],
    [[32, { ...welcome, limits: {} }], 'WELCOME limits.frame'],
    [[33], 'OK ref'],
    [[34, 'x', 'internal', 'why'], 'ERR ref'],
    [[34, 1, 'internal'], 'ERR message'],
    [[35, 'r', -1, document], 'STATE seq'],
    [[35, 'r', 1, { room: {} }], 'STATE document'],
    [[35, 'r', 1, { ...document, room: { ...document.room, phase: 'later' } }], 'STATE document'],
    [[35, 'r', 1, { ...document, room: { ...document.room, members: { a: 1 } } }], 'STATE document'],
    [[36, 'r', null, 2, []], 'PATCH from'],
    [[36, 'r', 1, 2, [['x', 1]]], 'PATCH ops'],
    [[37, 'r', 1, {}], 'EMIT event.type'],
    [[38, 'r', 1, 'c', 1], 'CAST from'],
    [[39, 1], 'PONG now'],
    [[40, 'r', 4], 'NOTE topic'],
    [[41, 'x', {}], 'BYE resume'],
    [['x'], 'integer'],
  ])('refuses %j and names the element', (frame, message) => {
    expect(() => parseServerFrame(frame)).toThrow(MalformedFrame)
    expect(() => parseServerFrame(frame)).toThrow(message)
  })
})
