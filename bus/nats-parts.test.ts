import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut, isPart, Joiner, SENDER_BYTES } from './nats-parts.ts'

const sender = (id: number) => new Uint8Array(SENDER_BYTES).fill(id)
const bytes = (length: number, of = 7) => new Uint8Array(length).fill(of)

test('a message that was cut is whole again after its last part, however others lie between, and no part is larger than asked for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 22, max: 90 }),
      fc.infiniteStream(fc.nat()),
      (messages, most, dice) => {
        const queues = messages.map((message, id) => cut(message, most, sender(id), id))
        for (const part of queues.flat()) {
          expect(part.length).toBeLessThanOrEqual(most)
          expect(isPart(part)).toBe(true)
        }
        const joiner = new Joiner()
        const whole: (Uint8Array | undefined)[] = []
        while (queues.some((queue) => queue.length > 0)) {
          const id = Number(dice.next().value) % queues.length
          const part = queues[id]?.shift()
          const message = part === undefined ? null : joiner.take(part)
          if (message !== null) whole[id] = message
        }
        expect(whole).toEqual(messages)
        expect(joiner.heldBytes).toBe(0)
      },
    ),
  )
})

test('a lost part loses its message and no other, and nothing of it is kept', () => {
  fc.assert(
    fc.property(fc.nat(4), (lost) => {
      const joiner = new Joiner()
      const parts = cut(bytes(100), 41, sender(1), 1)
      expect(parts).toHaveLength(5)
      const got = parts.flatMap((part, index) => (index === lost ? [] : [joiner.take(part)]))
      expect(got).toEqual([null, null, null, null])
      const next = cut(bytes(30, 9), 41, sender(1), 2).map((part) => joiner.take(part))
      expect(next).toEqual([null, bytes(30, 9)])
      expect(joiner.heldBytes).toBe(0)
    }),
  )
})

test('unfinished messages take no more than they may: the oldest gives way', () => {
  const joiner = new Joiner(1_000)
  const [old, young] = [cut(bytes(900), 421, sender(1), 1), cut(bytes(500), 421, sender(2), 1)]
  for (const part of old.slice(0, -1)) expect(joiner.take(part)).toBeNull()
  const [first, last] = young
  if (first === undefined || last === undefined) throw new Error('it was cut in two')
  expect(joiner.take(first)).toBeNull()
  expect(joiner.heldBytes).toBeLessThanOrEqual(1_000)
  expect(joiner.take(last)).toEqual(bytes(500))
  expect(old.slice(-1).map((part) => joiner.take(part))).toEqual([null])
})

test('parts that make no sense are dropped', () => {
  const joiner = new Joiner()
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 22, maxLength: 60 }), (part) => {
      part[0] = 0xc1
      joiner.take(part)
    }),
  )
  expect(
    cut(bytes(50), 41, sender(1), 1)
      .map((part) => joiner.take(part))
      .at(-1),
  ).toEqual(bytes(50))
})
