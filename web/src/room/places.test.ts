import { expect, test } from 'vitest'
import { angleOf, freeSeats } from './places.ts'

test('people sit evenly around the table, two face to face, an odd number with the first at the head', () => {
  expect([0, 1].map((seat) => angleOf(seat, 2))).toEqual([180, 360])
  expect([0, 1, 2, 3].map((seat) => angleOf(seat, 4))).toEqual([-45, 45, 135, 225])
  expect([0, 1, 2].map((seat) => angleOf(seat, 3))).toEqual([-90, 30, 150])
})

test('free seats are those that the game needs, then one more as long as there is one', () => {
  expect(freeSeats(1, [2, 2])).toBe(1)
  expect(freeSeats(2, [2, 2])).toBe(0)
  expect(freeSeats(1, [5, 12])).toBe(4)
  expect(freeSeats(5, [5, 12])).toBe(1)
  expect(freeSeats(12, [5, 12])).toBe(0)
})
